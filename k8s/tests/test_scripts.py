"""scripts/k8s and scripts/run-spin with stand-ins for docker, kind, kubectl, helm, curl and spin: what they ask of them, in which order, and what
they say where one fails."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import manifest
from manifest import ROOT

STAND_IN = """#!/bin/bash
line="$(basename "$0") $*"
out=${line#* -o }
out=${out%% *}
echo "$line" >>"$CALLS"
[[ -z "$FAIL" || "$line" != *"$FAIL"* ]] || { echo "the driver's own words"; exit 1; }
case "$line" in *"exec -i"* | *"-f -"*) cat >/dev/null ;; esac
case "$line" in
  "kind get clusters") cat "$CLUSTERS" ;;
  "kind create"*) echo thumbs >"$CLUSTERS" ;;
  "docker version"*) echo amd64 ;;
  "docker image inspect --format"*) echo sha256:0123456789abcdef ;;
  "docker image inspect"*) exit 1 ;;
  "docker inspect"*) echo true ;;
  *journalctl*)
    echo 'run_wasi ERROR: no such component'
    for _ in {1..20}; do echo 'failed to load runtime info: failed to run [containerd-shim-spin-v2 -info]: panicked'; done ;;
  "curl -fsSL"*) tar -czf "$out" -C "$(dirname "$0")" containerd-shim-spin-v2 ;;
  "curl"*/thumbnails/*) printf '\\x89PNG' >"$out"; echo -n image/png ;;
  "curl"*) echo '{"job_id": "7", "status": "succeeded"}' ;;
esac
"""
PROGRAMS = ("docker", "kind", "kubectl", "helm", "curl", "spin", "make", "cargo", "containerd-shim-spin-v2")


class Scripts(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        # A tree of its own: the script writes to target/.
        for name in ("scripts", "k8s/kind", "docs/pictures"):
            shutil.copytree(ROOT / name, self.folder / name)
        shutil.copy(ROOT / "spin.toml", self.folder)
        for line in (ROOT / "spin.toml").read_text().splitlines():
            for path in [word for word in line.split('"') if word.endswith(".wasm")]:
                (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
                (self.folder / path).write_bytes(b"wasm")
        (self.folder / "bin").mkdir()
        for name in PROGRAMS:
            (self.folder / "bin" / name).write_text(STAND_IN)
            (self.folder / "bin" / name).chmod(0o755)
        (self.folder / "clusters").touch()

    def run_k8s(self, *arguments, fail="", **settings):
        calls = self.folder / "calls"
        calls.write_text("")
        environment = {
            "PATH": f"{self.folder}/bin:/usr/bin:/bin",
            "HOME": str(self.folder),
            "CALLS": str(calls),
            "CLUSTERS": str(self.folder / "clusters"),
            "FAIL": fail,
            **settings,
        }
        script = [self.folder / "scripts/k8s", *arguments]
        done = subprocess.run(script, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        return done, calls.read_text().splitlines()

    def in_order(self, calls, *wanted):
        remaining = iter(calls)
        for words in wanted:
            self.assertTrue(any(words in call for call in remaining), f"{words!r} is missing, or comes too early, in {calls}")

    def test_all_goes_from_nothing_to_a_thumbnail_on_spinkube(self):
        done, calls = self.run_k8s("all", PACKAGING="image")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.in_order(
            calls,
            "docker build --quiet --tag thumbs-kind-node",
            "kind create cluster --name thumbs",
            "cert-manager.yaml",
            "wait --for=condition=Available",
            "spin-operator.crds.yaml",
            "helm --kube-context kind-thumbs upgrade --install spin-operator",
            "make components",
            "kind load docker-image thumbs-app:0123456789ab",
            "apply -n thumbs -f target/k8s/executor.yaml",
            "--set image.app.repository=docker.io/library/thumbs-app --set-string image.app.tag=0123456789ab",
            "wait --for=condition=Available --timeout=360s spinapp",
            "http://localhost:30000/thumbnails/7",
        )
        self.assertIn("1 passed, 0 failed", done.stdout)

    def test_spin_pushes_to_a_registry_where_it_is_on_the_path(self):
        done, calls = self.run_k8s("all")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.in_order(calls, "docker exec -i thumbs-control-plane cp", "spin registry push -k localhost:5001/thumbs/app:", "image.app.repository=localhost:5001/thumbs/app")
        self.assertFalse([call for call in calls if "kind load" in call])

    def test_the_runtime_needs_nothing_of_spinkube(self):
        done, calls = self.run_k8s("all", HOST="runtime")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.in_order(calls, "kind create", "docker build --target runtime", "kind load docker-image thumbs:0123456789ab", "pod-security.kubernetes.io/enforce=restricted", "host=runtime")
        self.assertFalse([call for call in calls if "spin" in call or "cert-manager" in call], calls)

    def test_a_second_time_makes_no_second_cluster(self):
        self.run_k8s("setup", PACKAGING="image")
        done, calls = self.run_k8s("setup", PACKAGING="image")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse([call for call in calls if "kind create" in call or "docker build" in call])

    def test_a_failure_says_what_to_do_and_shows_the_shims_words(self):
        self.run_k8s("setup", PACKAGING="image")
        self.run_k8s("build", PACKAGING="image")
        done, _ = self.run_k8s("deploy", fail="spinapp --all")
        self.assertEqual(done.returncode, 1)
        for words in ("the driver's own words", "run_wasi ERROR", "failed: waiting for the SpinApps. `make k8s-logs`"):
            self.assertIn(words, done.stderr)
        self.assertNotIn("runtime info", done.stderr, "every start of a pod says that, and nothing is wrong")

    def test_a_port_that_is_taken_is_thought_of(self):
        done, _ = self.run_k8s("setup", fail="kind create")
        self.assertIn("Is port 30000 taken", done.stderr)

    def test_steps_that_come_too_early_name_the_one_before(self):
        done, _ = self.run_k8s("deploy")
        self.assertIn("`make k8s-build` first", done.stderr)
        done, _ = self.run_k8s("load")
        self.assertIn("`make k8s-setup` first", done.stderr)

    def test_a_cluster_without_the_shim_is_told_apart(self):
        (self.folder / "clusters").write_text("thumbs\n")
        done, _ = self.run_k8s("setup", fail="test -x")
        self.assertIn("was made for HOST=runtime", done.stderr)

    def test_a_program_that_is_missing_is_named(self):
        (self.folder / "bin/kind").unlink()
        done, _ = self.run_k8s("setup")
        self.assertIn("kind is not on PATH: https://", done.stderr)

    def test_a_restore_asks_first(self):
        done, calls = self.run_k8s("restore")
        self.assertNotEqual(done.returncode, 0)
        self.assertFalse([call for call in calls if "create job" in call])

    def test_cleaning_twice_does_no_harm(self):
        self.run_k8s("setup", PACKAGING="image")
        self.assertEqual(self.run_k8s("clean")[0].returncode, 0)
        (self.folder / "clusters").write_text("")
        self.assertEqual(self.run_k8s("clean")[0].returncode, 0)


SPIN = """#!/bin/bash
line="$(basename "$0") $*"
echo "$line" >>"$CALLS"
case "$line" in *resize*) exit 1 ;; "spin up"*) sleep 3 ;; *ping) echo PONG ;; esac
"""


class RunSpin(unittest.TestCase):
    """scripts/run-spin with stand-ins for spin, whose worker ends at once, and redis-cli."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        for name in ("spin", "redis-cli"):
            (self.folder / name).write_text(SPIN)
            (self.folder / name).chmod(0o755)

    def run_spin(self, **settings):
        calls = self.folder / "calls"
        calls.touch()
        environment = {"PATH": f"{self.folder}:/usr/bin:/bin", "CALLS": str(calls), "STATE_DIR": str(self.folder), "TICK_SECS": "1", **settings}
        done = subprocess.run([ROOT / "scripts/run-spin"], env=environment, capture_output=True, text=True, timeout=60, check=False)
        return done, calls.read_text().splitlines()

    def test_requests_go_on_while_the_worker_is_started_anew_and_something_ticks(self):
        done, calls = self.run_spin()
        starts = [call for call in calls if call.startswith("spin up")]
        answers = [call for call in starts if "--listen" in call]
        self.assertEqual(len(answers), 1, done.stderr)
        for id in manifest.COMPONENTS["api"]:
            self.assertIn(f"-c {id}", answers[0])
        self.assertGreaterEqual(len([call for call in starts if "-c resize" in call]), 2)
        self.assertTrue([call for call in starts if call.endswith("-c callback")], "in a process of its own")
        for channel in ("thumbs-wake", "thumbs-wake-callbacks"):
            self.assertTrue([call for call in calls if f"publish {channel} {{}}" in call])

    def test_a_grant_that_is_missing_is_named(self):
        done, calls = self.run_spin(SPIN_VARIABLE_REDIS_URL="redis://elsewhere:6379")
        self.assertIn("SPIN_VARIABLE_REDIS_OUTBOUND", done.stderr)
        self.assertEqual(calls, [])


if __name__ == "__main__":
    unittest.main()
