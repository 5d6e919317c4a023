"""Measures libvips and Pillow for `make bench`.

Reads orders from standard input, a line of JSON each: a new image, whose bytes follow, or one run of one peer. Answers a run with a
line of JSON: the milliseconds of processor time, all threads together, that libvips' `thumbnail_buffer` or Pillow's `thumbnail` took
from a file's bytes in memory to a 100x100 thumbnail's bytes in memory; null where the peer is missing or can't read the image. libvips
is told to use one thread, and its cache of operations is off. Lossy thumbnails have quality 85, WebP the highest effort, as ours looks for the
smallest file too.
"""

import io
import json
import sys
import time

try:
    import pyvips

    pyvips.cache_set_max(0)
except ImportError:
    pyvips = None
try:
    from PIL import Image, ImageOps, ImageSequence, __version__ as pillow_version

    Image.MAX_IMAGE_PIXELS = None
except ImportError:
    Image = None
try:
    import pillow_heif

    pillow_heif.register_heif_opener()
except ImportError:
    pillow_heif = None

SIDE = 100
VIPS_SUFFIXES = {"png": ".png", "jpeg": ".jpg[Q=85]", "webp": ".webp[Q=85,effort=6]"}
PILLOW_OPTIONS = {"png": {}, "jpeg": {"quality": 85}, "webp": {"quality": 85, "method": 6}}


def vips(data, output):
    if output == "gif":
        image = pyvips.Image.thumbnail_buffer(data, SIDE, height=SIDE, crop="none", option_string="n=-1")
        return image.write_to_buffer(".gif")
    return pyvips.Image.thumbnail_buffer(data, SIDE, height=SIDE, crop="centre").write_to_buffer(VIPS_SUFFIXES[output])


def pillow_still(image):
    width, height = image.size
    scale = SIDE / min(width, height)
    image.thumbnail((round(width * scale), round(height * scale)))
    left, top = (image.width - SIDE) // 2, (image.height - SIDE) // 2
    return image.crop((left, top, left + SIDE, top + SIDE))


def pillow(data, output):
    image = Image.open(io.BytesIO(data))
    out = io.BytesIO()
    if output == "gif":
        frames = [pillow_still(frame.convert("RGBA")) for frame in ImageSequence.Iterator(image)]
        frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], loop=0, duration=image.info.get("duration", 100))
    else:
        image.draft("RGB", (2 * SIDE, 2 * SIDE))
        pillow_still(ImageOps.exif_transpose(image)).save(out, output.upper(), **PILLOW_OPTIONS[output])
    return out.getvalue()


def run_ms(peer, data, output):
    try:
        begin = time.process_time()
        peer(data, output)
        return (time.process_time() - begin) * 1000
    except Exception as error:  # a peer that can't read an image has no number
        print(f"peers: {type(error).__name__}: {error}", file=sys.stderr)
        return None


def main():
    names, peers = [], {}
    if pyvips:
        names.append("libvips " + ".".join(str(pyvips.version(part)) for part in range(3)))
        peers["libvips"] = vips
    if Image:
        heif = f" with pillow-heif {pillow_heif.__version__}" if pillow_heif else ""
        names.append(f"Pillow {pillow_version}{heif}")
        peers["pillow"] = pillow
    print(", ".join(names) or "no peers", flush=True)
    data = b""
    while line := sys.stdin.buffer.readline():
        order = json.loads(line)
        if "bytes" in order:
            data = sys.stdin.buffer.read(order["bytes"])
        else:
            peer = peers.get(order["peer"])
            ms = run_ms(peer, data, order["output"]) if peer else None
            print(json.dumps({"ms": ms}), flush=True)


main()
