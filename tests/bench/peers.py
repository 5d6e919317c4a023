"""Measures libvips and Pillow for `make bench`.

Reads orders from standard input: a line of JSON, then so many bytes of an image. Answers each with a line of JSON: the median
milliseconds of libvips' `thumbnail_buffer` and of Pillow's `thumbnail`, from a file's bytes in memory to a 100x100 thumbnail's bytes in
memory, null where a peer is missing or can't read the image. One thread; libvips' cache of operations is off.
"""

import io
import json
import statistics
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

SIDE = 100


def vips(data, output):
    if output == "gif":
        image = pyvips.Image.thumbnail_buffer(data, SIDE, height=SIDE, crop="none", option_string="n=-1")
        return image.write_to_buffer(".gif")
    return pyvips.Image.thumbnail_buffer(data, SIDE, height=SIDE, crop="centre").write_to_buffer(".png")


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
        pillow_still(ImageOps.exif_transpose(image)).save(out, "PNG")
    return out.getvalue()


def median_ms(run, order):
    try:
        run()
        times, start = [], time.perf_counter()
        while len(times) < order["at_least"] or (
            len(times) < order["at_most"] and time.perf_counter() - start < order["budget_s"]
        ):
            begin = time.perf_counter()
            run()
            times.append((time.perf_counter() - begin) * 1000)
        return statistics.median(times)
    except Exception as error:  # a peer that can't read an image has no number
        print(f"peers: {type(error).__name__}: {error}", file=sys.stderr)
        return None


def main():
    names = []
    if pyvips:
        names.append("libvips " + ".".join(str(pyvips.version(part)) for part in range(3)))
    if Image:
        names.append(f"Pillow {pillow_version}")
    print(", ".join(names) or "no peers", flush=True)
    while line := sys.stdin.buffer.readline():
        order = json.loads(line)
        data = sys.stdin.buffer.read(order["bytes"])
        answer = {
            "vips_ms": median_ms(lambda: vips(data, order["output"]), order) if pyvips else None,
            "pillow_ms": median_ms(lambda: pillow(data, order["output"]), order) if Image else None,
        }
        print(json.dumps(answer), flush=True)


main()
