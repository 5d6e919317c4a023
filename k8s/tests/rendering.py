"""The chart, rendered by helm for each values file on each host, as objects to look at."""

import functools
import os
import pathlib
import subprocess

import yaml

from manifest import CHART, ROOT

HELM = os.environ.get("HELM", "helm")
# Helm itself says so much of a cluster that it does not see.
KUBERNETES = os.environ.get("KUBERNETES_VERSION", "1.34.0")
NAMESPACE = "images"
HOSTS = ("spinkube", "runtime")
HERE = pathlib.Path(__file__).parent
VALUES = {
    "defaults": [],
    "prod": [CHART / "values-prod.yaml"],
    "kind": [ROOT / "k8s/kind/values.yaml"],
    "everything": [HERE / "values/everything.yaml"],
    "external": [HERE / "values/external.yaml"],
}


class Refused(Exception):
    """Helm did not render it; the text says why."""


@functools.cache
def text(case, host, release="thumbs", sets=(), flags=()):
    command = [HELM, "template", release, str(CHART), "-n", NAMESPACE, "--kube-version", KUBERNETES, "--set", f"host={host}", *flags]
    for path in VALUES[case]:
        command += ["-f", str(path)]
    for value in sets:
        command += ["--set", value]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(done.stderr)
    return done.stdout


def objects(case, host, **more):
    return [document for document in yaml.safe_load_all(text(case, host, **more)) if document]


def of_kind(documents, *kinds):
    return [document for document in documents if document["kind"] in kinds]


def named(documents, kind, name):
    (found,) = [document for document in of_kind(documents, kind) if document["metadata"]["name"] == name]
    return found


def pod_templates(documents):
    """Name, labels and pod spec of whatever makes pods but SpinApps, which have none."""
    for document in documents:
        name, spec = f"{document['kind']} {document['metadata']['name']}", document.get("spec", {})
        if document["kind"] in ("Deployment", "StatefulSet", "Job"):
            yield name, spec["template"]["metadata"]["labels"], spec["template"]["spec"]
        elif document["kind"] == "CronJob":
            template = spec["jobTemplate"]["spec"]["template"]
            yield name, template["metadata"]["labels"], template["spec"]
        elif document["kind"] == "Pod":
            yield name, document["metadata"]["labels"], spec


def pod_specs(documents):
    for name, _, pod in pod_templates(documents):
        yield name, pod


def containers(pod):
    return pod.get("initContainers", []) + pod["containers"]


def environment(container):
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container.get("env", [])}


def in_bytes(quantity):
    """A quantity of memory."""
    for suffix, factor in (("Ki", 2**10), ("Mi", 2**20), ("Gi", 2**30)):
        if str(quantity).endswith(suffix):
            return int(str(quantity)[: -len(suffix)]) * factor
    return int(quantity)


def every_case():
    """Each values file on each host, and what is rendered of it."""
    for case in VALUES:
        for host in HOSTS:
            yield case, host, objects(case, host)
