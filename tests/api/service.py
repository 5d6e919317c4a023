"""A service for as long as a test takes: a process of `thumbs up` on data that are gone afterwards."""

import contextlib
import json
import os
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
THUMBS = ROOT / "target/release/thumbs"


def new_key(name, scopes):
    """A key, and what belongs in `api_keys`."""
    made = subprocess.run([THUMBS, "key", "new", name, "--scopes", scopes], capture_output=True, text=True, check=True).stdout
    return tuple(line.split(maxsplit=1)[1] for line in made.splitlines()[:2])


@contextlib.contextmanager
def service(**variables):
    """Its URL."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("THUMBS_", "SPIN_VARIABLE_"))}
    with tempfile.TemporaryDirectory() as state:
        command = [THUMBS, "up", "--listen", "127.0.0.1:0", "--log", "json", "--state-dir", state]
        command += ["--cache-dir", str(ROOT / "target/test-compile-cache")]
        for name, value in variables.items():
            command += ["--variable", f"{name}={value}"]
        log = pathlib.Path(state) / "log"
        with log.open("w") as lines:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=lines, stdout=subprocess.DEVNULL)
        try:
            yield f"http://{address(process, log)}"
        finally:
            process.terminate()
            process.wait(timeout=60)


def address(process, log):
    """Where it listens, once it does."""
    while process.poll() is None:
        for line in log.read_text().splitlines():
            with contextlib.suppress(json.JSONDecodeError):
                event = json.loads(line)
                if event["event"] == "started":
                    return event["address"]
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.05)
    raise SystemExit(f"thumbs does not start (was it built? `make build`):\n{log.read_text()}")
