"""The Dockerfile, the compose files and the systemd unit: what each says of the application, held to the application."""

import re
import subprocess
import unittest

import yaml

import manifest
from manifest import ROOT
from test_pods import FLAGS, LIMITS

DOCKERFILE = (ROOT / "Dockerfile").read_text()
UNIT = (ROOT / "deploy/systemd/thumbs.service").read_text()
COMPOSE = {name: yaml.safe_load((ROOT / "deploy" / name).read_text()) for name in ("compose.yaml", "compose.single.yaml")}
VALUES = yaml.safe_load((manifest.CHART / "values.yaml").read_text())
KNOWN = FLAGS | {f"THUMBS_{limit}" for limit in LIMITS} | {f"SPIN_VARIABLE_{name.upper()}" for name in manifest.VARIABLES}


def wasm_files():
    """All that the application is made of."""
    for component in manifest.SPIN_TOML["component"].values():
        yield component["source"]
        yield from (dependency["path"] for dependency in component.get("dependencies", {}).values())


class Images(unittest.TestCase):
    def test_every_wasm_file_of_the_manifest_is_put_into_them(self):
        for place in ("Dockerfile", "scripts/k8s"):
            with self.subTest(place):
                (pipeline,) = re.findall(r"sed -nE '[^']*' spin\.toml \| grep -v spin_test \| sort -u", (ROOT / place).read_text())
                found = subprocess.run(pipeline, shell=True, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
                self.assertEqual(found, sorted(set(wasm_files())))

    def test_the_user_is_a_number_that_kubernetes_can_tell_from_root(self):
        self.assertRegex(DOCKERFILE, r"\nUSER 65532:65532\n")

    def test_the_environment_is_what_thumbs_reads(self):
        names = set(re.findall(r"\b(THUMBS_[A-Z_]+)=", DOCKERFILE + UNIT)) | set(re.findall(r"\b(THUMBS_[A-Z_]+)\b", DOCKERFILE))
        self.assertEqual(names - KNOWN, set())

    def test_the_runtime_is_under_nothing_but_itself(self):
        self.assertEqual(re.findall(r"^FROM (\S+) AS (app|runtime)$", DOCKERFILE, re.MULTILINE), [("scratch", "app"), ("scratch", "runtime")])


class Compose(unittest.TestCase):
    def services(self):
        for file, compose in COMPOSE.items():
            for name, service in compose["services"].items():
                with self.subTest(file=file, service=name):
                    yield service

    def test_every_service_is_hardened(self):
        for service in self.services():
            self.assertTrue(service["read_only"])
            self.assertEqual(service["cap_drop"], ["ALL"])
            self.assertIn("no-new-privileges:true", service["security_opt"])

    def test_no_port_is_open_to_others(self):
        for service in self.services():
            for port in service.get("ports", []):
                self.assertTrue(port.startswith("127.0.0.1:"))

    def test_the_variables_are_the_applications(self):
        for compose in COMPOSE.values():
            self.assertEqual(set(compose["services"]["thumbs"].get("environment", {})) - KNOWN, set())

    def test_the_servers_are_those_of_the_chart(self):
        servers = COMPOSE["compose.yaml"]["services"]
        self.assertEqual({name: servers[name]["image"] for name in ("postgresql", "redis", "s3")}, {
            name: VALUES[name]["image"] for name in ("postgresql", "redis", "s3")
        })
        self.assertEqual(servers["bucket"]["image"], VALUES["backup"]["image"])

    def test_passwords_are_asked_for(self):
        text = (ROOT / "deploy/compose.yaml").read_text()
        asked = set(re.findall(r"\$\{([A-Z0-9_]+):\?", text))
        self.assertEqual(asked, set(re.findall(r"\$\{([A-Z0-9_]+)", text)), "none has a default")
        self.assertEqual(asked, set(re.findall(r"^([A-Z0-9_]+)=$", (ROOT / "deploy/.env.example").read_text(), re.MULTILINE)))


class Unit(unittest.TestCase):
    def test_may_make_memory_executable(self):
        self.assertNotRegex(UNIT, r"(?m)^MemoryDenyWriteExecute=")

    def test_waits_for_what_is_in_work(self):
        default = re.search(r"\| `THUMBS_DRAIN_TIMEOUT_MS` \| (\d+) \|", (ROOT / "docs/limits.md").read_text()).group(1)
        self.assertGreater(int(re.search(r"^TimeoutStopSec=(\d+)$", UNIT, re.MULTILINE).group(1)), int(default) / 1000)


if __name__ == "__main__":
    unittest.main()
