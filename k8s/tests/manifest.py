#!/usr/bin/env python3
"""What the chart has to know of spin.toml. Run as a program, it writes that into the chart: the variables that an operator may set into
values.schema.json, the components of each SpinApp into values.yaml, those of each process of Spin into docs/SPIN.md."""

import json
import pathlib
import re
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "k8s/chart"
SPIN_TOML = tomllib.loads((ROOT / "spin.toml").read_text())

VARIABLES = SPIN_TOML["variables"]
# What the chart says itself: where the servers are follows from its values, credentials stand in the Secret.
SECRET = {name for name, variable in VARIABLES.items() if variable.get("secret")}
MANAGED = SECRET | {
    "redis_outbound",
    "database_outbound",
    "blob_outbound",
    "blob_url",
    "s3_endpoint_url",
    "s3_region",
    "s3_path_style",
}
OPERATORS = [name for name in VARIABLES if name not in MANAGED]


def triggered_by(kind):
    """The components with a trigger of this kind, in the order of the file."""
    triggers = SPIN_TOML["trigger"].get(kind, [])
    return list(dict.fromkeys(trigger["component"] for trigger in triggers if "component" in trigger))


# What asks strangers has an app of its own: on Spin a receiver that is slow would hold up whatever else listens in its process.
CALLBACK = ["callback"]
COMPONENTS = {"api": triggered_by("http"), "worker": [id for id in triggered_by("redis") if id not in CALLBACK], "callback": CALLBACK}


def bless():
    path = CHART / "values.schema.json"
    schema = json.loads(path.read_text())
    schema["properties"]["variables"]["properties"] = {name: {"type": ["string", "number", "boolean"]} for name in OPERATORS}
    path.write_text(json.dumps(schema, indent=2) + "\n")
    path = CHART / "values.yaml"
    text = path.read_text()
    before, rest = text.split("\n  components:\n", 1)
    for app, components in COMPONENTS.items():
        rest = re.sub(rf"^    {app}: \[.*\]$", f"    {app}: [{', '.join(components)}]", rest, count=1, flags=re.MULTILINE)
    path.write_text(f"{before}\n  components:\n{rest}")
    path = ROOT / "docs/SPIN.md"
    answering = "".join(f" -c {component}" for component in COMPONENTS["api"])
    others = "|".join(COMPONENTS["worker"] + COMPONENTS["callback"])
    path.write_text(re.sub(rf"( -c (?!(?:{others})\b)[a-z-]+)+$", answering, path.read_text(), flags=re.MULTILINE))


if __name__ == "__main__":
    bless()
