"""How small thumbnails are beside those of mozjpeg, libwebp and oxipng: the tables of docs/benchmarks.md.

    python bench/bytes.py pictures FOLDER          makes pictures of 100 and 256 pixels of photos (all folders of /usr/share/wallpapers, of Debian's
                                                   plasma-workspace-wallpapers) and of drawings
    python bench/bytes.py jpeg|webp|png FOLDER     compares
    python bench/bytes.py animations FOLDER        makes animations of these pictures and compares them as WebP

`pip install pillow numpy ssimulacra2 pyoxipng`. Ours is written by BATCH, `cargo build --release -p thumbs-imaging --example batch`.
mozjpeg is asked through MOZJPEG, a program that reads lines `WIDTH HEIGHT full|half QUALITY RGB-FILE JPEG-FILE`.

JPEG and WebP: of each picture the peer writes files of many qualities; ours is compared with the bytes that the peer would take at the SSIMULACRA2
score of ours, between the two files beside it. PNG: the same pixels. Animations: ours at 85, all of it without loss, and libwebp's at 85 with lossy and
lossless frames mixed; the score is the PSNR of what is seen, in dB. Means are geometric. Times are processor time of one encoding under whatever
else the machine does, ours and the peer's alike.
"""

import glob
import io
import math
import os
import random
import subprocess
import sys
import tempfile
import time

import numpy
from PIL import Image, ImageDraw

QUALITIES = [50, 65, 75, 85, 90]
PEER_QUALITIES = [20, 30, 38, 45, 50, 55, 60, 65, 70, 75, 80, 83, 86, 89, 92, 94, 96, 98]
SIDES = [100, 256]


def pictures(folder):
    os.makedirs(folder, exist_ok=True)
    for place in sorted(glob.glob("/usr/share/wallpapers/*")):
        files = [f for f in glob.glob(place + "/contents/images/*") if f.endswith((".jpg", ".png"))]
        if files:
            photo = Image.open(max(files, key=os.path.getsize)).convert("RGB")
            save(photo, f"{folder}/photo-{os.path.basename(place)}")
    random.seed(1)
    colour = lambda: tuple(random.randrange(256) for _ in range(3))
    for number in range(10):
        face = Image.new("RGB", (512, 512), "white")
        draw = ImageDraw.Draw(face)
        draw.ellipse((30, 30, 482, 482), fill=colour(), outline=colour(), width=12)
        for eye in (150, 300):
            draw.ellipse((eye, 160, eye + 60, 240), fill=colour())
        draw.arc((140, 200, 370, 400), 20, 160, fill=colour(), width=24)
        draw.polygon([tuple(random.randrange(512) for _ in range(2)) for _ in range(3)], fill=colour())
        save(face, f"{folder}/drawing-{number}")


def save(image, name):
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    for wanted in SIDES:
        square = image.crop((left, top, left + side, top + side))
        square.resize((wanted, wanted), Image.LANCZOS).save(f"{name}-{wanted}.png")


def score(picture, data, scratch):
    from ssimulacra2 import compute_ssimulacra2

    shown = os.path.join(scratch, "shown.png")
    Image.open(io.BytesIO(data)).convert("RGB").save(shown, compress_level=1)
    return compute_ssimulacra2(picture, shown)


def run(program, lines):
    given = "".join(line + "\n" for line in lines)
    out = subprocess.run([program], input=given, capture_output=True, text=True, check=True).stdout
    return [tuple(map(int, line.split())) for line in out.splitlines()]


def read(path):
    with open(path, "rb") as file:
        return file.read()


def ours(kind, picture, side, qualities, scratch):
    path = os.path.join(scratch, "ours")
    files = []
    for quality in qualities:
        asked = f"{picture} {path} format={kind} width={side} height={side}"
        ((_, spent_us),) = run(os.environ["BATCH"], [asked + (f" quality={quality}" if quality else "")])
        files.append((read(path), spent_us))
    return files


def mozjpeg(picture, side, qualities, scratch):
    rgb, path = os.path.join(scratch, "rgb"), os.path.join(scratch, "peer")
    with open(rgb, "wb") as file:
        file.write(Image.open(picture).convert("RGB").tobytes())
    lines = [f"{side} {side} full {quality} {rgb} {path}{quality}" for quality in qualities]
    times = run(os.environ["MOZJPEG"], lines)
    return [(read(f"{path}{quality}"), spent) for quality, (_, spent) in zip(qualities, times)]


def libwebp(picture, _side, qualities, _scratch):
    files = []
    for quality in qualities:
        file, begin = io.BytesIO(), time.process_time()
        Image.open(picture).convert("RGB").save(file, "WEBP", quality=quality, method=6)
        files.append((file.getvalue(), (time.process_time() - begin) * 1e6))
    return files


def at_score(points, wanted):
    points = sorted(points)
    scores = numpy.maximum.accumulate([score for score, _ in points])
    if not scores[0] <= wanted <= scores[-1]:
        return None
    return math.exp(numpy.interp(wanted, scores, [math.log(size) for _, size in points]))


def mean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values)) if values else float("nan")


def lossy(kind, folder, scratch):
    peer = mozjpeg if kind == "jpeg" else libwebp
    for what in ("photo", "drawing"):
        for side in SIDES:
            rows = []
            for picture in sorted(glob.glob(f"{folder}/{what}-*-{side}.png")):
                theirs = peer(picture, side, PEER_QUALITIES, scratch)
                points = [(score(picture, data, scratch), len(data)) for data, _ in theirs]
                for quality, (data, spent_us) in zip(QUALITIES, ours(kind, picture, side, QUALITIES, scratch)):
                    value = score(picture, data, scratch)
                    rows.append((quality, len(data), value, at_score(points, value), spent_us, theirs[9][1]))
            for quality in QUALITIES:
                chosen = [row for row in rows if row[0] == quality]
                ratio = mean(row[1] / row[3] for row in chosen if row[3])
                average = lambda at: numpy.mean([row[at] for row in chosen])
                print(f"| {what}, {side} | {quality} | {ratio:.2f} | {average(2):.0f} | {average(1):.0f} | {numpy.median([row[4] for row in chosen]) / 1000:.1f} | {numpy.median([row[5] for row in chosen]) / 1000:.1f} |", flush=True)


def png(folder, scratch):
    import oxipng

    for what in ("photo", "drawing"):
        for side in SIDES:
            rows = []
            for picture in sorted(glob.glob(f"{folder}/{what}-*-{side}.png")):
                ((data, spent_us),) = ours("png", picture, side, [None], scratch)
                begin = time.process_time()
                smallest = oxipng.optimize_from_memory(data, level=4, strip=oxipng.StripChunks.all())
                rows.append((len(data), len(smallest), spent_us, (time.process_time() - begin) * 1e6))
            average = lambda at: numpy.mean([row[at] for row in rows])
            print(f"| {what}, {side} | {mean(row[0] / row[1] for row in rows):.3f} | {max(row[0] / row[1] for row in rows):.2f} | {average(0):.0f} | {numpy.median([row[2] for row in rows]) / 1000:.1f} | {numpy.median([row[3] for row in rows]) / 1000:.1f} |", flush=True)


def moving(folder):
    """Names and frames of 128x128 pixels: what moves alone, stands behind what moves, moves as a whole, fades, is text."""
    large = lambda what: [Image.open(file) for file in sorted(glob.glob(f"{folder}/{what}-*-256.png"))[:5]]
    for number, (photo, drawing) in enumerate(zip(large("photo"), large("drawing"))):
        sprite = drawing.resize((48, 48), Image.LANCZOS).convert("RGBA")
        round_mask = Image.new("L", (192, 192))
        ImageDraw.Draw(round_mask).ellipse((4, 4, 187, 187), fill=255)
        sprite.putalpha(round_mask.resize((48, 48), Image.LANCZOS))
        still = photo.resize((128, 128), Image.LANCZOS).convert("RGBA")
        nothing, white = Image.new("RGBA", (128, 128)), Image.new("RGBA", (128, 128), "white")

        def over(under, step):
            frame = under.copy()
            frame.alpha_composite(sprite, (5 * step, 20 + 3 * step))
            return frame

        def text(step):
            frame = white.copy()
            for line in range(9):
                ImageDraw.Draw(frame).text((4, 16 * line - 2 * step), f"line {line} of {line * 37 % 101}", fill=(20, 20, 60))
            return frame

        kinds = {
            "drawing": lambda step: over(nothing, step),
            "drawing over a photo": lambda step: over(still, step),
            "photo that moves": lambda step: photo.crop((8 * step, 60, 8 * step + 128, 188)).convert("RGBA"),
            "photo that fades": lambda step: Image.blend(still, white, step / 20),
            "text": text,
        }
        for kind, frame in kinds.items():
            yield kind, [frame(step) for step in range(16)]


def psnr(given, data):
    shown, worst = Image.open(io.BytesIO(data)), math.inf
    for index, frame in enumerate(given):
        shown.seek(min(index, shown.n_frames - 1))
        given_frame, shown_frame = (numpy.asarray(image.convert("RGBA")).astype(float) for image in (frame, shown))
        error = (((given_frame - shown_frame)[..., :3] * given_frame[..., 3:] / 255) ** 2).mean()
        worst = min(worst, 99 if error == 0 else 10 * math.log10(255**2 / error))
    return worst


def animations(folder, scratch):
    rows = {}
    for kind, frames in moving(folder):
        source, path = os.path.join(scratch, "source.png"), os.path.join(scratch, "ours")
        options = {"save_all": True, "append_images": frames[1:], "duration": 50}
        frames[0].save(source, **options)
        files = []
        for wanted in ("quality=85", "lossless=true"):
            ((_, spent_us),) = run(os.environ["BATCH"], [f"{source} {path} format=webp width=128 height=128 {wanted}"])
            files.append((read(path), spent_us))
        file, begin = io.BytesIO(), time.process_time()
        frames[0].save(file, "WEBP", quality=85, method=6, allow_mixed=True, minimize_size=True, **options)
        files.append((file.getvalue(), (time.process_time() - begin) * 1e6))
        rows.setdefault(kind, []).append([(len(data), psnr(frames, data), spent) for data, spent in files])
    for kind, found in rows.items():
        ours, exact, theirs = ([row[at] for row in found] for at in range(3))
        ratio = lambda others: mean(a[0] / b[0] for a, b in zip(ours, others))
        middle = lambda group, at: numpy.median([one[at] for one in group])
        print(f"| {kind} | {ratio(exact):.2f} | {ratio(theirs):.2f} | {middle(ours, 1):.1f} | {middle(theirs, 1):.1f} | {middle(ours, 2) / 1000:.0f} | {middle(exact, 2) / 1000:.0f} | {middle(theirs, 2) / 1000:.0f} |", flush=True)


if __name__ == "__main__":
    kind, folder = sys.argv[1:]
    with tempfile.TemporaryDirectory(dir="/dev/shm") as scratch:
        if kind == "pictures":
            pictures(folder)
        elif kind == "png":
            png(folder, scratch)
        elif kind == "animations":
            animations(folder, scratch)
        else:
            lossy(kind, folder, scratch)
