#!/usr/bin/env python3
"""Writes the shell scripts that stand in the chart into a folder, for shellcheck: shell.py OUT HELM KUBERNETES_VERSION"""

import os
import pathlib
import sys

out, os.environ["HELM"], os.environ["KUBERNETES_VERSION"] = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]

import rendering  # noqa: E402 (it reads the environment)

out.mkdir(parents=True, exist_ok=True)
for old in out.glob("*.sh"):
    old.unlink()
for case, host, documents in rendering.every_case():
    for name, pod in rendering.pod_specs(documents):
        for container in rendering.containers(pod):
            if container.get("command", [""])[0] == "/bin/sh":
                stem = "-".join((case, host, *name.lower().split(), container["name"]))
                (out / f"{stem}.sh").write_text(f"#!/bin/sh\n{container['args'][0]}")
