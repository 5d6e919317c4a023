"""What holds for every pod of the chart but those of SpinApps, whose security the operator leaves no say in."""

import functools
import re
import unittest

import manifest
import rendering
from rendering import containers, environment, every_case, in_bytes, named, objects, pod_specs

LIMITS = set(re.findall(r"^\| `THUMBS_([A-Z_]+)` \|", (manifest.ROOT / "docs/limits.md").read_text(), re.MULTILINE))
CLI = [manifest.ROOT / "runtime/src/cli.rs", *(manifest.ROOT / "runtime/src/cli").rglob("*.rs")]
FLAGS = {flag for path in CLI for flag in re.findall(r'env = "(THUMBS_[A-Z0-9_]+)"', path.read_text())}
# Of OpenTelemetry those that are read.
OTEL = set(re.findall(r'"(OTEL_[A-Z_]+)"', (manifest.ROOT / "runtime/src/traces/settings.rs").read_text()))


def for_each_pod(test):
    @functools.wraps(test)
    def run(self):
        for case, host, documents in every_case():
            for name, pod in pod_specs(documents):
                with self.subTest(values=case, host=host, of=name):
                    test(self, pod)

    return run


class EveryPod(unittest.TestCase):
    @for_each_pod
    def test_runs_without_root_rights_token_and_links(self, pod):
        security = pod["securityContext"]
        self.assertTrue(security["runAsNonRoot"])
        self.assertGreater(security["runAsUser"], 0)
        self.assertEqual(security["seccompProfile"]["type"], "RuntimeDefault")
        self.assertFalse(pod["automountServiceAccountToken"])
        self.assertFalse(pod["enableServiceLinks"])
        self.assertEqual(pod["serviceAccountName"], "thumbs")
        self.assertFalse({"hostNetwork", "hostPID", "hostIPC"} & set(pod))

    @for_each_pod
    def test_writes_only_to_volumes_and_has_no_capabilities(self, pod):
        volumes = {volume["name"] for volume in pod.get("volumes", [])} | {"data"}
        for container in containers(pod):
            security = container["securityContext"]
            self.assertTrue(security["readOnlyRootFilesystem"])
            self.assertFalse(security["allowPrivilegeEscalation"])
            self.assertEqual(security["capabilities"], {"drop": ["ALL"]})
            for mount in container.get("volumeMounts", []):
                self.assertIn(mount["name"], volumes)

    @for_each_pod
    def test_says_what_it_needs_and_what_it_may_take(self, pod):
        for container in containers(pod):
            for kind in ("requests", "limits"):
                self.assertEqual(set(container["resources"][kind]), {"cpu", "memory"}, container["name"])
            self.assertLessEqual(
                in_bytes(container["resources"]["requests"]["memory"]), in_bytes(container["resources"]["limits"]["memory"])
            )

    @for_each_pod
    def test_names_a_version_of_each_image(self, pod):
        for container in containers(pod):
            self.assertRegex(container["image"], r":(?!latest$)[\w.-]+$")

    def test_is_selected_by_no_more_than_it_carries(self):
        for case, host, documents in every_case():
            for document in rendering.of_kind(documents, "Deployment", "StatefulSet"):
                with self.subTest(values=case, host=host, of=document["metadata"]["name"]):
                    selector = document["spec"]["selector"]["matchLabels"]
                    labels = document["spec"]["template"]["metadata"]["labels"]
                    self.assertLessEqual(selector.items(), labels.items())
                    self.assertNotIn("app.kubernetes.io/version", selector, "a selector can't be changed")


class Runtime(unittest.TestCase):
    def pods(self, case="defaults", **more):
        documents = objects(case, "runtime", **more)
        return {name: named(documents, "Deployment", f"thumbs-{name}")["spec"]["template"]["spec"] for name in ("api", "worker")}

    def test_is_told_only_what_it_knows(self):
        for case in rendering.VALUES:
            for name, pod in self.pods(case).items():
                for container in containers(pod):
                    with self.subTest(values=case, of=name, container=container["name"]):
                        for variable, value in environment(container).items():
                            if variable.startswith("SPIN_VARIABLE_"):
                                known = variable.removeprefix("SPIN_VARIABLE_").lower()
                                self.assertIn(known, manifest.VARIABLES)
                                self.assertEqual(isinstance(value, dict), known in manifest.SECRET, known)
                            else:
                                self.assertIn(variable, FLAGS | OTEL | {f"THUMBS_{limit}" for limit in LIMITS})

    def test_may_not_take_more_memory_than_its_pod(self):
        for case in rendering.VALUES:
            for pod in self.pods(case).values():
                (container,) = pod["containers"]
                memory = in_bytes(container["resources"]["limits"]["memory"])
                self.assertLessEqual(int(environment(container)["THUMBS_MAX_TOTAL_MEMORY_BYTES"]), memory * 0.8)

    def test_serves_on_for_a_moment_and_finishes_what_it_has_begun(self):
        for pod in self.pods().values():
            (container,) = pod["containers"]
            lame_duck = container["lifecycle"]["preStop"]["sleep"]["seconds"]
            drain = int(environment(container)["THUMBS_DRAIN_TIMEOUT_MS"]) / 1000
            self.assertGreaterEqual(pod["terminationGracePeriodSeconds"], lame_duck + drain + 5)

    def test_brings_the_database_up_to_date_before_it_serves(self):
        for pod in self.pods().values():
            (migrate,), (serve,) = pod["initContainers"], pod["containers"]
            self.assertEqual((migrate["args"][0], serve["args"]), ("migrate", ["up"]))
            self.assertIn("--wait-secs=300", migrate["args"], "a server that starts at the same time is no failure")
            self.assertEqual((migrate["image"], migrate["env"]), (serve["image"], serve["env"]))

    def test_the_api_leaves_jobs_to_the_workers(self):
        pods = self.pods()
        self.assertEqual(environment(pods["api"]["containers"][0])["THUMBS_WORKERS"], "0")
        self.assertNotIn("THUMBS_WORKERS", environment(pods["worker"]["containers"][0]))

    def test_no_request_is_lost_in_a_roll_out(self):
        for name in ("api", "worker"):
            deployment = named(objects("defaults", "runtime"), "Deployment", f"thumbs-{name}")
            self.assertEqual(deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"], 0)


class Servers(unittest.TestCase):
    def test_the_volume_of_postgresql_is_where_version_18_wants_it(self):
        pod = named(objects("defaults", "runtime"), "StatefulSet", "thumbs-postgresql")["spec"]["template"]["spec"]
        mounts = {mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
        self.assertIn("/var/lib/postgresql", mounts)
        self.assertNotIn("/var/lib/postgresql/data", mounts)

    def test_a_volume_can_be_kept_to_one_pod(self):
        sets = ("postgresql.storage.accessMode=ReadWriteOncePod", "s3.storage.accessMode=ReadWriteOncePod")
        for settings, mode in (((), "ReadWriteOnce"), (sets, "ReadWriteOncePod")):
            for server in ("thumbs-postgresql", "thumbs-s3"):
                (claim,) = named(objects("defaults", "runtime", sets=settings), "StatefulSet", server)["spec"]["volumeClaimTemplates"]
                self.assertEqual(claim["spec"]["accessModes"], [mode], server)

    def test_postgresql_takes_the_connections_of_all_pods_at_their_most(self):
        # A process of Spin's opens up to 64; the default of the server is 100.
        args = named(objects("defaults", "spinkube"), "StatefulSet", "thumbs-postgresql")["spec"]["template"]["spec"]["containers"][0]
        (connections,) = [int(arg.split("=")[1]) for arg in args["args"] if arg.startswith("max_connections=")]
        pods = sum(app["spec"]["replicas"] for app in rendering.of_kind(objects("defaults", "spinkube"), "SpinApp"))
        self.assertGreater(connections, 64 * pods)

    def test_redis_has_patience_with_workers_that_compute(self):
        redis = named(objects("defaults", "spinkube"), "StatefulSet", "thumbs-redis")["spec"]["template"]["spec"]["containers"][0]
        for setting in ("client-output-buffer-limit pubsub ", "tcp-keepalive ", "requirepass "):
            self.assertIn(setting, redis["args"][0])

    def test_s3_lets_nobody_in_without_a_key(self):
        s3 = named(objects("defaults", "spinkube"), "StatefulSet", "thumbs-s3")["spec"]["template"]["spec"]["containers"][0]
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            self.assertNotIn("optional", environment(s3)[name]["secretKeyRef"])
        self.assertEqual(environment(s3)["S3_BUCKET"], "thumbs")

    def test_the_bucket_is_made_for_each_revision(self):
        (job,) = rendering.of_kind(objects("defaults", "runtime"), "Job")
        self.assertTrue(job["metadata"]["name"].endswith("-bucket-1"), "a Job can't be changed")
        self.assertEqual(environment(job["spec"]["template"]["spec"]["containers"][0])["BUCKET"], "s3:thumbs")
        self.assertIn("ttlSecondsAfterFinished", job["spec"], "helm forgets that of a revision that failed")
        self.assertEqual(rendering.of_kind(objects("external", "runtime"), "Job"), [])

    def test_each_can_be_somebody_elses(self):
        for host in rendering.HOSTS:
            self.assertEqual(rendering.of_kind(objects("external", host), "StatefulSet"), [])

    def test_a_role_takes_the_place_of_keys(self):
        for kind in ("web-identity", "container", "instance"):
            documents = objects("prod", "runtime", sets=(f"s3.role={kind}", "serviceAccount.annotations.role=arn"))
            for name in ("api", "worker"):
                for container in containers(named(documents, "Deployment", f"thumbs-{name}")["spec"]["template"]["spec"]):
                    told = environment(container)
                    self.assertEqual(told["THUMBS_S3_ROLE"], kind)
                    self.assertFalse([key for key in told if "KEY" in key and "S3" in key], "the runtime refuses both")
            for name in ("backup", "restore"):
                pod = named(documents, "CronJob", f"thumbs-{name}")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
                (told,) = [environment(container) for container in containers(pod) if container["name"] == "images"]
                self.assertEqual(told["RCLONE_CONFIG_S3_ENV_AUTH"], "true")
                self.assertNotIn("RCLONE_CONFIG_S3_ACCESS_KEY_ID", told)
            self.assertEqual(named(documents, "ServiceAccount", "thumbs")["metadata"]["annotations"], {"role": "arn"})

    def test_a_role_is_refused_where_nobody_could_lend_or_renew(self):
        with self.assertRaisesRegex(rendering.Refused, "on Spin nobody renews"):
            objects("prod", "spinkube", sets=("s3.role=container",))
        with self.assertRaisesRegex(rendering.Refused, "knows keys alone"):
            objects("defaults", "runtime", sets=("s3.role=container",))

    def test_servers_are_called_by_their_whole_name(self):
        (secret,) = [s for s in rendering.of_kind(objects("defaults", "spinkube"), "Secret")]
        for url, server in (("database_url", "postgresql"), ("redis_url", "redis")):
            self.assertIn(f"@thumbs-{server}.{rendering.NAMESPACE}.svc:", secret["stringData"][url])

    def test_secrets_outlive_the_release_as_volumes_do(self):
        (secret,) = [s for s in rendering.of_kind(objects("defaults", "spinkube"), "Secret")]
        self.assertEqual(secret["metadata"]["annotations"]["helm.sh/resource-policy"], "keep")
        claim = named(objects("everything", "spinkube"), "PersistentVolumeClaim", "thumbs-backup")
        self.assertEqual(claim["metadata"]["annotations"]["helm.sh/resource-policy"], "keep")

    def test_a_secret_that_lacks_something_is_refused(self):
        with self.assertRaisesRegex(rendering.Refused, "nobody says what database_url is"):
            objects("defaults", "runtime", sets=("postgresql.enabled=false", "postgresql.external.host=db"))


if __name__ == "__main__":
    unittest.main()
