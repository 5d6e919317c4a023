"""Makes the pictures of the README: a landscape drawn here, and what a running service makes of it.

    python3 docs/pictures/make.py [http://127.0.0.1:3000]

All of it is computed here, nothing is copied from anywhere; it is under the licence of the repository. Needs Pillow and numpy. `landscape.jpg` is the upload; `thumbnails.png` shows it beside three thumbnails, as they came; `emoji.gif` is made out of an
animation of it by `preset=slack`.
"""

import io
import json
import pathlib
import sys
import urllib.request
import uuid

import numpy
from PIL import Image

FOLDER = pathlib.Path(__file__).parent
SERVICE = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:3000"
WIDTH, HEIGHT = 1600, 1000


def landscape(width, height, sun_height=0.5):
    y, x = numpy.mgrid[0:height, 0:width] / height
    sky = numpy.clip(1 - y / 0.75, 0, 1)[..., None]
    picture = sky * [38, 70, 140] + (1 - sky) * [250, 178, 110]
    distance = numpy.hypot(x - 1.15, y - sun_height)
    glow = numpy.exp(-distance * 6)[..., None]
    picture = picture * (1 - 0.6 * glow) + numpy.array([255, 236, 170]) * 0.6 * glow
    disc = numpy.clip((0.07 - distance) * height / 2, 0, 1)[..., None]
    picture = picture * (1 - disc) + numpy.array([255, 248, 215]) * disc
    grain = numpy.random.default_rng(7).normal(0, 1, (height, width))
    for layer, (base, colour) in enumerate([(0.62, (110, 96, 130)), (0.72, (74, 84, 96)), (0.83, (38, 58, 52))]):
        ridge = base + 0.05 * numpy.sin(x * (3 + layer) + layer * 2) + 0.02 * numpy.sin(x * (11 + 5 * layer) + layer)
        hill = numpy.clip((y - ridge) * height / 2, 0, 1)[..., None]
        shade = numpy.array(colour) * (1.25 - 0.5 * (y - ridge))[..., None] + (grain * (2 + 3 * layer))[..., None]
        picture = picture * (1 - hill) + shade * hill
    return Image.fromarray(numpy.clip(picture, 0, 255).astype("uint8"))


def ask(request):
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def thumbnail(image, options):
    job = json.loads(ask(urllib.request.Request(
        f"{SERVICE}/jobs?{options}", data=image, headers={"Idempotency-Key": str(uuid.uuid4()), "Content-Type": "application/octet-stream"})))
    while job["status"] in ("processing", "pending"):
        job = json.loads(ask(f"{SERVICE}/jobs/{job['job_id']}?wait=10"))
    assert job["status"] == "succeeded", job
    return ask(f"{SERVICE}/thumbnails/{job['job_id']}")


def main():
    upload = io.BytesIO()
    landscape(WIDTH, HEIGHT).save(upload, "JPEG", quality=88)
    (FOLDER / "landscape.jpg").write_bytes(upload.getvalue())

    strip = Image.new("RGB", (160 + 3 * 116, 100), "white")
    strip.paste(landscape(WIDTH, HEIGHT).resize((160, 100), Image.Resampling.LANCZOS))
    for place, options in enumerate(["", "gravity=east", "fit=contain&format=jpeg"]):
        made = Image.open(io.BytesIO(thumbnail(upload.getvalue(), options))).convert("RGB")
        strip.paste(made, (176 + 116 * place, 0))
    strip.save(FOLDER / "thumbnails.png", optimize=True)

    frames = [landscape(480, 300, 0.5 + 0.3 * numpy.sin(n / 24 * 2 * numpy.pi)) for n in range(24)]
    animation = io.BytesIO()
    frames[0].save(animation, "GIF", save_all=True, append_images=frames[1:], duration=80, loop=0)
    (FOLDER / "emoji.gif").write_bytes(thumbnail(animation.getvalue(), "preset=slack"))


main()
