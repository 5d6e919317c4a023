"""What SpinKube does not forgive: fields that SpinApps lack, what the operator's webhook refuses, what the shim does at start."""

import functools
import unittest

import manifest
import rendering
from rendering import objects, of_kind

HOOK = "helm.sh/hook"
PROBES = {"httpGet", "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"}


def apps(documents):
    """By what each does."""
    return {app["metadata"]["labels"]["app.kubernetes.io/component"]: app for app in of_kind(documents, "SpinApp")}


def service_links(service):
    """The environment variables that Kubernetes sets in pods for a Service."""
    name = service.upper().replace("-", "_")
    return {f"{name}_SERVICE_HOST", f"{name}_SERVICE_PORT", f"{name}_PORT"}


def for_each_values_file(test):
    @functools.wraps(test)
    def run(self):
        for case in rendering.VALUES:
            with self.subTest(values=case):
                test(self, objects(case, "spinkube"))

    return run


class SpinKube(unittest.TestCase):
    @for_each_values_file
    def test_there_are_two_apps_of_one_image_with_a_tag_of_its_own_and_a_third_where_receivers_are_told(self, documents):
        found = apps(documents)
        variables = {variable["name"] for variable in found["api"]["spec"]["variables"]}
        self.assertEqual(set(found), {"api", "worker"} | ({"callback"} if "callback_hosts" in variables else set()))
        images = {app["spec"]["image"] for app in found.values()}
        self.assertEqual(len(images), 1)
        self.assertRegex(images.pop(), r":(?!latest$)[\w.-]+$")

    @for_each_values_file
    def test_every_triggered_component_of_the_manifest_is_in_one_app(self, documents):
        for name, app in apps(documents).items():
            self.assertEqual(
                sorted(app["spec"]["components"]), sorted(manifest.COMPONENTS[name]), "run `make check-deploy BLESS=1`"
            )

    @for_each_values_file
    def test_the_executor_is_named_and_made_in_this_namespace_before_the_apps(self, documents):
        (executor,) = of_kind(documents, "SpinAppExecutor")
        name = executor["metadata"]["name"]
        self.assertEqual({app["spec"]["executor"] for app in apps(documents).values()}, {name})
        self.assertIn(rendering.NAMESPACE, name, "operator 0.6.1 counts an executor's apps by name, in all namespaces")
        # As a hook of upgrades it would be deleted first, and wait for its finalizer.
        self.assertEqual(executor["metadata"]["annotations"][HOOK], "pre-install")
        deployment = executor["spec"]["deploymentConfig"]
        self.assertEqual(len({"runtimeClassName", "spinImage"} & set(deployment)), 1)

    def test_an_upgrade_makes_the_executor_where_there_is_none(self):
        (executor,) = of_kind(objects("defaults", "spinkube", flags=("--is-upgrade",)), "SpinAppExecutor")
        self.assertEqual(executor["metadata"]["annotations"][HOOK], "pre-install,pre-upgrade", "helm asks no cluster here, so it is not there")

    def test_an_executor_of_ones_own_is_used(self):
        documents = objects("defaults", "spinkube", sets=("spinkube.executor.create=false", "spinkube.executor.name=mine"))
        self.assertEqual(of_kind(documents, "SpinAppExecutor"), [])
        self.assertEqual({app["spec"]["executor"] for app in apps(documents).values()}, {"mine"})

    @for_each_values_file
    def test_replicas_are_given_unless_something_else_scales(self, documents):
        for app in apps(documents).values():
            if app["spec"].get("enableAutoscaling"):
                self.assertNotIn("replicas", app["spec"])
            else:
                self.assertGreaterEqual(app["spec"]["replicas"], 1)

    def test_an_app_without_pods_is_refused(self):
        with self.assertRaisesRegex(rendering.Refused, "one pod at least"):
            objects("defaults", "spinkube", sets=("worker.replicas=0",))

    def test_receivers_need_a_grant(self):
        with self.assertRaisesRegex(rendering.Refused, "callback_outbound is needed"):
            objects("defaults", "spinkube", sets=("variables.callback_hosts=hooks.example",))

    def test_names_are_short_enough_for_the_operators_labels(self):
        for app in apps(objects("defaults", "spinkube", release="r" * 53)).values():
            self.assertLessEqual(len(app["metadata"]["name"]), 52)

    @for_each_values_file
    def test_probes_are_what_the_operator_knows_and_the_worker_has_none(self, documents):
        found = apps(documents)
        for probe in found["api"]["spec"]["checks"].values():
            self.assertLessEqual(set(probe), PROBES)
            self.assertLessEqual(set(probe["httpGet"]), {"path", "httpHeaders"}, "the port is always 80")
            self.assertEqual(probe["httpGet"].get("httpHeaders"), [], "the webhook of operator 0.6.1 makes null of what is not there, and the CRD refuses it")
        self.assertEqual(set(found["api"]["spec"]["checks"]), {"liveness", "readiness"})
        self.assertNotIn("checks", found["worker"]["spec"], "nothing listens in a worker's pod")

    @for_each_values_file
    def test_nobody_ends_a_pod_that_compiles_its_components(self, documents):
        liveness = apps(documents)["api"]["spec"]["checks"]["liveness"]
        self.assertGreaterEqual(liveness["initialDelaySeconds"], 300, "two minutes were too few on a busy node, and each start compiles anew")

    @for_each_values_file
    def test_an_instance_is_capped_below_its_pod(self, documents):
        for app in apps(documents).values():
            cap = rendering.in_bytes(app["spec"]["invocationLimits"]["memory"])
            self.assertLess(cap, rendering.in_bytes(app["spec"]["resources"]["limits"]["memory"]))

    @for_each_values_file
    def test_variables_are_the_manifests_and_secrets_come_from_a_secret(self, documents):
        for app in apps(documents).values():
            variables = {variable["name"]: variable for variable in app["spec"]["variables"]}
            self.assertEqual(len(variables), len(app["spec"]["variables"]), "none twice")
            self.assertLessEqual(set(variables), set(manifest.VARIABLES))
            self.assertLessEqual(manifest.MANAGED, set(variables))
            for name, variable in variables.items():
                self.assertEqual("valueFrom" in variable, name in manifest.SECRET, name)

    @for_each_values_file
    def test_grants_have_the_form_that_spin_takes_and_name_no_credentials(self, documents):
        for variable in apps(documents)["api"]["spec"]["variables"]:
            if variable["name"].endswith("_outbound"):
                self.assertRegex(variable["value"], r"^[a-z]+://(\*\.)?[a-z0-9.-]+:[0-9]+$", variable["name"])

    def test_grants_are_the_addresses_of_the_urls(self):
        (secret,) = [s for s in of_kind(objects("external", "spinkube"), "Secret")]
        self.assertIn("@db.example:6432/", secret["stringData"]["database_url"])
        values = {v["name"]: v.get("value") for v in apps(objects("external", "spinkube"))["api"]["spec"]["variables"]}
        self.assertEqual(values["database_outbound"], "postgres://db.example:6432")
        self.assertEqual(values["redis_outbound"], "rediss://cache.example:6380")
        self.assertEqual(values["blob_outbound"], "https://images.s3.example:9443", "the bucket is in the host")
        self.assertEqual(values["blob_url"], "s3://images/thumbs")
        values = {v["name"]: v.get("value") for v in apps(objects("prod", "spinkube"))["api"]["spec"]["variables"]}
        self.assertEqual(values["blob_outbound"], "https://thumbs-example.s3.eu-central-1.amazonaws.com:443")
        self.assertEqual(values["s3_endpoint_url"], "", "empty is AWS")

    @for_each_values_file
    def test_no_variable_is_overwritten_by_a_service_of_the_release(self, documents):
        injected = {"HOSTNAME", "PATH", "HOME"}
        for service in of_kind(documents, "Service", "SpinApp"):
            injected |= service_links(service["metadata"]["name"])
        self.assertEqual(injected & {name.upper() for name in manifest.VARIABLES}, set())

    @for_each_values_file
    def test_no_service_of_the_chart_has_the_name_of_one_that_the_operator_makes(self, documents):
        services = {service["metadata"]["name"] for service in of_kind(documents, "Service")}
        self.assertEqual(services & {app["metadata"]["name"] for app in apps(documents).values()}, set())

    @for_each_values_file
    def test_the_services_port_is_the_only_one_that_the_operator_knows(self, documents):
        service = rendering.named(documents, "Service", "thumbs")
        self.assertEqual(service["spec"]["ports"][0]["targetPort"], 80)

    def test_pods_start_anew_when_their_settings_change(self):
        def checksums(*sets):
            found = apps(objects("external", "spinkube", sets=sets))
            return {app["spec"]["podAnnotations"]["checksum/config"] for app in found.values()}

        self.assertEqual(len(checksums()), 1)
        self.assertNotEqual(checksums(), checksums("variables.max_side=100"))
        self.assertNotEqual(checksums(), checksums("secrets.values.s3_secret_access_key=another"))

    def test_passwords_that_are_drawn_are_the_same_in_the_secret_and_in_the_checksums(self):
        documents = objects("defaults", "spinkube")
        sums = {app["spec"]["podAnnotations"]["checksum/config"] for app in apps(documents).values()}
        self.assertEqual(len(sums), 1)

    def test_a_runtime_config_comes_from_a_secret(self):
        documents = objects("everything", "spinkube")
        for app in apps(documents).values():
            name = app["spec"]["runtimeConfig"]["loadFromSecret"]
            self.assertIn("runtime-config.toml", rendering.named(documents, "Secret", name)["stringData"])
        for app in apps(objects("defaults", "spinkube")).values():
            self.assertNotIn("runtimeConfig", app["spec"])

    @for_each_values_file
    def test_no_volume_takes_a_name_of_the_operators(self, documents):
        for app in apps(documents).values():
            names = {volume["name"] for volume in app["spec"].get("volumes", [])}
            self.assertEqual(names & {"spin-runtime-config", "spin-ca"}, set())

    @for_each_values_file
    def test_something_ticks_on_the_workers_channel_and_sooner_than_a_lease_ends(self, documents):
        tick = rendering.named(documents, "Deployment", "thumbs-tick")["spec"]["template"]["spec"]["containers"][0]
        self.assertEqual(rendering.environment(tick)["CHANNEL"], manifest.VARIABLES["wake_channel"]["default"])
        (pause,) = [line.split()[1] for line in tick["args"][0].splitlines() if line.strip().startswith("sleep ")]
        self.assertLess(int(pause), int(manifest.VARIABLES["lease_secs"]["default"]))

    def test_the_tick_follows_the_channel(self):
        documents = objects("defaults", "spinkube", sets=("variables.wake_channel=elsewhere",))
        tick = rendering.named(documents, "Deployment", "thumbs-tick")["spec"]["template"]["spec"]["containers"][0]
        self.assertEqual(rendering.environment(tick)["CHANNEL"], "elsewhere")

    def test_nothing_of_spinkube_is_needed_where_the_runtime_is_the_host(self):
        for case in rendering.VALUES:
            with self.subTest(values=case):
                text = rendering.text(case, "runtime")
                self.assertNotIn("spinkube.dev", text)
                self.assertNotIn("thumbs-tick", text, "the runtime ticks by itself")


if __name__ == "__main__":
    unittest.main()
