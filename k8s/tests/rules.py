#!/usr/bin/env python3
"""The alerts as Prometheus reads them, for promtool: rules.py OUT, beside a copy of alerts.yaml, which says what comes of which numbers."""

import pathlib
import shutil
import sys

import yaml

import rendering


def main(out):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    (rules,) = rendering.of_kind(rendering.objects("everything", "runtime"), "PrometheusRule")
    (out / "rules.yaml").write_text(yaml.safe_dump(rules["spec"]))
    shutil.copy(rendering.HERE / "alerts.yaml", out)


if __name__ == "__main__":
    main(*sys.argv[1:])
