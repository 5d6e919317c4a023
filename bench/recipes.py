"""Makes test pictures out of a photo for `make bench`, in formats that the bench has no encoder for.

    recipes.py RECIPE WIDTH HEIGHT < photo > picture

The photo is cut to the proportions asked for and scaled; of smooth-jpeg to a sixth of that first, so that it has no detail. Needs Pillow, and for
HEIC pillow-heif.
"""

import io
import sys

from PIL import Image, ImageOps

FRAMES = 50
# By so many pixels the window of an animation moves from frame to frame.
STEP = 4

STILLS = {
    "baseline-jpeg": ("JPEG", {"quality": 88}),
    "progressive-jpeg": ("JPEG", {"quality": 88, "progressive": True}),
    "png": ("PNG", {}),
    "lossy-webp": ("WEBP", {"quality": 80}),
    "lossless-webp": ("WEBP", {"lossless": True}),
    "gif": ("GIF", {}),
    "heic": ("HEIF", {"quality": 80}),
    "avif": ("AVIF", {"quality": 75}),
    "smooth-jpeg": ("JPEG", {"quality": 88}),
}
# Of what is smooth, so many pixels to one.
SMOOTH = 6


def animation(photo, width, height):
    wide = ImageOps.fit(photo, (width + FRAMES * STEP, height), Image.Resampling.LANCZOS)
    # One palette for all frames: making one for each takes longer than all of the bench.
    palette = wide.quantize(256)
    windows = (wide.crop((left, 0, left + width, height)) for left in range(0, FRAMES * STEP, STEP))
    first, *rest = (window.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG) for window in windows)
    return first, {"format": "GIF", "save_all": True, "append_images": rest, "duration": 40, "loop": 0}


def still(photo, recipe, width, height):
    if recipe == "heic":
        import pillow_heif

        pillow_heif.register_heif_opener()
    if recipe == "smooth-jpeg":
        photo = ImageOps.fit(photo, (width // SMOOTH, height // SMOOTH), Image.Resampling.LANCZOS)
    image = ImageOps.fit(photo, (width, height), Image.Resampling.LANCZOS)
    kind, options = STILLS[recipe]
    return image.quantize(256) if kind == "GIF" else image, {"format": kind, **options}


def main():
    recipe, width, height = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    photo = Image.open(io.BytesIO(sys.stdin.buffer.read())).convert("RGB")
    if recipe == "animated-gif":
        image, options = animation(photo, width, height)
    else:
        image, options = still(photo, recipe, width, height)
    file = io.BytesIO()
    image.save(file, **options)
    sys.stdout.buffer.write(file.getvalue())


main()
