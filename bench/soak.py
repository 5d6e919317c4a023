#!/usr/bin/env python3
"""`make soak`: a long run under a steady load, and whether the process takes more and more of anything.

Starts a server of its own (defaults, a fresh state directory) and sends it RATE jobs a second, whatever the earlier ones do. Each is a photo with other bytes: it is
uploaded, polled until it ends, its thumbnail fetched, and KEEP seconds later it is deleted, so that as many jobs are kept at the end as soon after the beginning. Every five
seconds the process is looked at from outside: resident memory, descriptors, threads, what its folder takes, rows. A line a minute; at the end a verdict for each by its slope
in the second half, for caches fill in the first. Exit status 1 where one of them grows, a job was lost or is not done in ten minutes, or more than one upload in a hundred was
refused.

How fast the service is says `make load`: this program is slow itself, and shares the machine.

    bench/soak.py target/release/thumbs --minutes 60 --rate 15 --from spin.toml
"""

import argparse, http.client, json, os, queue, sqlite3, statistics, subprocess, sys, tempfile, threading, time
from pathlib import Path

SAMPLE_SECONDS = 5
POLL_SECONDS = 0.1
DELETERS = 4
# A job that takes longer is lost, and so is what is left when everything else has been over for as long.
STUCK_SECONDS = 600
MAX_REFUSED_SHARE = 0.01
PHOTOS = "/usr/share/wallpapers/{}/contents/images/2560x1600.jpg"
NAMES = ("FallenLeaf", "EveningGlow", "Autumn", "ColorfulCups")
# What may be added to the median within an hour, as a share of it, and the least that counts (bytes, or pieces).
BOUNDS = {"memory": (0.05, 4 << 20), "descriptors": (0.05, 4), "threads": (0.05, 2), "disk": (0.05, 4 << 20), "rows": (0.05, 50)}


def photos():
    """The JPEGs that are sent in turn: of Debian's plasma-workspace-wallpapers, or that of the documents."""
    installed = [path for path in map(Path, map(PHOTOS.format, NAMES)) if path.is_file()]
    return [path.read_bytes() for path in installed or [Path(__file__).parents[1] / "docs/pictures/landscape.jpg"]]


def marked(jpeg, mark):
    """The same picture in other bytes: with a comment, so that no earlier result answers for it."""
    return jpeg[:2] + b"\xff\xfe" + (len(mark) + 2).to_bytes(2, "big") + mark + jpeg[2:]


class Server:
    """A process of its own, and what can be seen of it from outside (Linux)."""

    def __init__(self, program, manifest, state, log):
        command = [program, "up", "--listen", "127.0.0.1:0", "--state-dir", str(state)]
        self.process = subprocess.Popen(command + (["--from", manifest] if manifest else []), stderr=open(log, "wb"))
        self.state, self.proc = state, Path("/proc") / str(self.process.pid)
        self.address = self.wait_for_address(log)

    def wait_for_address(self, log):
        while self.process.poll() is None:
            for line in Path(log).read_text(errors="replace").splitlines():
                if '"started"' in line:
                    return json.loads(line)["address"]
            time.sleep(0.2)
        sys.exit(f"soak: the server ended; {log} says why")

    def sample(self):
        status = dict(line.split(":", 1) for line in (self.proc / "status").read_text().splitlines())
        return {
            "memory": int(status["VmRSS"].split()[0]) * 1024,
            "descriptors": len(os.listdir(self.proc / "fd")),
            "threads": int(status["Threads"]),
            "disk": sum(blocks(path) for path in self.state.rglob("*")),
            "rows": self.rows(),
        }

    def rows(self):
        database = sqlite3.connect(f"file:{self.state}/sqlite/default.db?mode=ro", uri=True, timeout=30)
        try:
            tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            return sum(database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in tables)
        finally:
            database.close()


def blocks(path):
    try:
        return path.lstat().st_blocks * 512
    except FileNotFoundError:
        return 0


class Client:
    """One connection that is kept alive, and begun anew where it broke."""

    def __init__(self, address):
        self.connection = http.client.HTTPConnection(address, timeout=60)

    def ask(self, method, path, body=None):
        try:
            self.connection.request(method, path, body)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise


class Tally:
    """What became of the jobs."""

    def __init__(self):
        self.lock, self.ends, self.taken = threading.Lock(), {}, []

    def count(self, end, seconds=None):
        with self.lock:
            self.ends[end] = self.ends.get(end, 0) + 1
            if seconds is not None:
                self.taken.append(seconds)

    def minute(self):
        with self.lock:
            taken, self.taken = sorted(self.taken), []
            return dict(self.ends), taken


def live(client, sources, number, due, tally, later, keep):
    """One job from its upload to its thumbnail; what is to be deleted is put into `later`."""
    status, answer = client.ask("POST", "/jobs", marked(sources[number % len(sources)], b"%016d" % number))
    if status != 202:
        return tally.count(f"refused {status}")
    job, taken = json.loads(answer), time.monotonic()
    while job["status"] == "processing":
        if time.monotonic() - taken > STUCK_SECONDS:
            return tally.count("lost: not done")
        time.sleep(POLL_SECONDS)
        status, answer = client.ask("GET", f"/jobs/{job['job_id']}")
        if status == 200:
            job = json.loads(answer)
        elif status != 503:
            return tally.count(f"lost {status}")
    status = client.ask("GET", f"/thumbnails/{job['job_id']}")[0] if job["status"] == "succeeded" else 0
    later.put((time.monotonic() + keep, job["job_id"]))
    tally.count("done" if status == 200 else f"{job['status']} {status}", time.monotonic() - due)


def work(address, sources, todo, tally, later, keep):
    client = Client(address)
    while (task := todo.get()) is not None:
        try:
            live(client, sources, *task, tally, later, keep)
        except (OSError, http.client.HTTPException) as error:
            tally.count(f"broken {type(error).__name__}")
        finally:
            todo.task_done()


def delete(address, later, tally):
    client = Client(address)
    while (task := later.get()) is not None:
        due, job = task
        time.sleep(max(0, due - time.monotonic()))
        try:
            status, _ = client.ask("DELETE", f"/jobs/{job}")
        except (OSError, http.client.HTTPException) as error:
            status = type(error).__name__
        if status not in (200, 204):
            tally.count(f"not deleted {status}")


def arrive(todo, rate, seconds):
    """Puts each job there at its moment."""
    begin = time.monotonic()
    for number in range(int(rate * seconds)):
        due = begin + number / rate
        time.sleep(max(0, due - time.monotonic()))
        todo.put((number, due))


def growth(samples, name):
    """What a line through the samples of the second half adds in an hour, and their median."""
    points = [(at, sample[name]) for at, sample in samples[len(samples) // 2 :]]
    slope = statistics.linear_regression([at for at, _ in points], [value for _, value in points]).slope
    return slope * 3600, statistics.median(value for _, value in points)


def settle(todo):
    """Whether all jobs came to an end in time."""
    due = time.monotonic() + 2 * STUCK_SECONDS
    while todo.unfinished_tasks and time.monotonic() < due:
        time.sleep(POLL_SECONDS)
    return not todo.unfinished_tasks


def is_well(ends):
    """Whether no job was lost, and hardly an upload refused."""
    done = ends.get("done", 0)
    busy = ends.get("refused 429", 0) + ends.get("refused 503", 0)
    others = sum(ends.values()) - done - busy
    return done > 0 and others == 0 and busy <= MAX_REFUSED_SHARE * (done + busy)


def shown(name, value):
    return f"{value / 2**20:.1f} MiB" if name in ("memory", "disk") else f"{value:.0f}"


def verdict(samples):
    is_flat = True
    print("\n| what | first minute | median | least | most | added in an hour | |\n|---|---|---|---|---|---|---|")
    for name, (share, least) in BOUNDS.items():
        added, median = growth(samples, name)
        flat = added <= max(share * median, least)
        is_flat &= flat
        after = [sample[name] for _, sample in samples[len(samples) // 2 :]]
        first = statistics.median(sample[name] for at, sample in samples if at <= 60)
        cells = [shown(name, value) for value in (first, median, min(after), max(after), added)]
        print(f"| {name} | {' | '.join(cells)} | {'flat' if flat else 'GROWS'} |")
    return is_flat


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("program")
    parse.add_argument("--from", dest="manifest", help="its spin.toml, where the program does not carry the application")
    parse.add_argument("--minutes", type=float, default=60)
    parse.add_argument("--rate", type=float, default=15, help="jobs a second")
    parse.add_argument("--keep", type=float, default=60, help="seconds that a job is kept once it is done")
    parse.add_argument("--clients", type=int, default=64, help="jobs that are open at a time; further ones come late, which counts as their time")
    options = parse.parse_args()

    folder = tempfile.TemporaryDirectory(prefix="thumbs-soak-")
    state = Path(folder.name) / "state"
    server = Server(options.program, options.manifest, state, Path(folder.name) / "log")
    todo, later, tally, samples = queue.Queue(), queue.Queue(), Tally(), []
    sources = photos()
    for _ in range(options.clients):
        threading.Thread(target=work, args=(server.address, sources, todo, tally, later, options.keep), daemon=True).start()
    for _ in range(DELETERS):
        threading.Thread(target=delete, args=(server.address, later, tally), daemon=True).start()
    arriving = threading.Thread(target=arrive, args=(todo, options.rate, options.minutes * 60), daemon=True)
    arriving.start()
    begin, minute = time.monotonic(), 1
    print("| minute | done | late, waiting | p50 s | p99 s | memory | descriptors | threads | disk | rows | other ends |\n|" + "---|" * 11, flush=True)
    try:
        while arriving.is_alive() and server.process.poll() is None:
            time.sleep(max(0, begin + (len(samples) + 1) * SAMPLE_SECONDS - time.monotonic()))
            sample = server.sample()
            samples.append((time.monotonic() - begin, sample))
            if samples[-1][0] >= minute * 60:
                ends, taken = tally.minute()
                done = ends.pop("done", 0)
                times = [f"{taken[int(len(taken) * part)]:.2f}" if taken else "" for part in (0.5, 0.99)]
                cells = [minute, done, todo.qsize(), *times, *(shown(name, sample[name]) for name in BOUNDS), ends or ""]
                print("| " + " | ".join(map(str, cells)) + " |", flush=True)
                minute += 1
        ended_by_itself = server.process.poll() is not None
        settled = not ended_by_itself and settle(todo)
        ends, _ = tally.minute()
    finally:
        server.process.terminate()
        server.process.wait()
    is_flat = verdict(samples)
    print(f"\njobs: {ends}; every {SAMPLE_SECONDS} s, {len(samples)} samples; the process {'ENDED by itself' if ended_by_itself else 'was there to the end'}")
    folder.cleanup()
    sys.exit(0 if is_flat and settled and is_well(ends) else 1)


if __name__ == "__main__":
    main()
