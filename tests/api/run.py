#!/usr/bin/env python3
"""All of `make test-api`: schemathesis without keys, with a key and without one where there are keys; then the client that was generated."""

import os
import pathlib
import shutil
import subprocess
import sys
import time

from service import ROOT, new_key, service

PROGRAMS = pathlib.Path(sys.executable).parent
WORK = ROOT / "target/api-tests"
SEED = os.environ.get("SEED", "20261128")
EXAMPLES = os.environ.get("EXAMPLES", "20")


def schemathesis(url, *headers):
    command = [PROGRAMS / "schemathesis", "--config-file", ROOT / "tests/api/schemathesis.toml", "run", f"{url}/openapi.json", "--seed", SEED, "--max-examples", EXAMPLES]
    for header in headers:
        command += ["--header", header]
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(ROOT / "tests/api"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=WORK, env=environment, check=False).returncode == 0


def generated_client():
    shutil.rmtree(WORK / "client", ignore_errors=True)
    command = [PROGRAMS / "openapi-python-client", "generate", "--path", ROOT / "docs/openapi.json", "--config", ROOT / "tests/api/client.yaml", "--meta", "none"]
    command += ["--output-path", WORK / "client/thumbs_client", "--fail-on-warning"]
    # It formats what it has written by a program of its own, which it looks for on PATH.
    environment = os.environ | {"PATH": f"{PROGRAMS}:{os.environ['PATH']}"}
    (WORK / "client").mkdir()
    if subprocess.run(command, cwd=WORK, env=environment, check=False).returncode:
        return False
    key, entry = new_key("client", "read+write")
    with service(api_keys=entry) as url:
        environment = os.environ | {"PYTHONPATH": str(WORK / "client")}
        return not subprocess.run([sys.executable, ROOT / "tests/api/client.py", url, key], env=environment, check=False).returncode


def without_keys():
    with service() as url:
        return schemathesis(url)


def with_a_key():
    key, entry = new_key("all", "read+write+admin")
    with service(api_keys=entry) as url:
        return schemathesis(url, f"Authorization: Bearer {key}")


def without_a_key_where_there_are_some():
    _, entry = new_key("all", "read+write+admin")
    with service(api_keys=entry) as url:
        return schemathesis(url)


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    failed = []
    for test in (without_keys, with_a_key, without_a_key_where_there_are_some, generated_client):
        name, begun = test.__name__.replace("_", " "), time.monotonic()
        print(f"\n=== {name}", flush=True)
        if not test():
            failed.append(name)
        print(f"=== {name}: {time.monotonic() - begun:.0f} s", flush=True)
    sys.exit(f"test-api: failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
