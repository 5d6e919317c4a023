"""What stands around the pods: who may reach whom, how many there are, where requests come in, what is removed and backed up."""

import re
import unittest

import manifest
import rendering
from rendering import every_case, named, objects, of_kind, pod_templates

COMPONENT = "app.kubernetes.io/component"
# Which server each part asks, by the environment or by what it is.
ASKS = {
    "api": {"postgresql", "redis", "s3"},
    "worker": {"postgresql", "redis", "s3"},
    "callback": {"postgresql", "redis"},
    "tick": {"redis"},
    "backup": {"postgresql", "s3"},
    "restore": {"postgresql", "s3"},
    "bucket": {"s3"},
    "test": {"api"},
    "postgresql": set(),
    "redis": set(),
    "s3": set(),
}


def matches(selector, labels):
    if not selector.get("matchLabels", {}).items() <= labels.items():
        return False
    return all(labels.get(rule["key"]) in rule["values"] for rule in selector.get("matchExpressions", []))


def pods(documents):
    """The labels of all pods, SpinApps' included, by component."""
    found = {labels[COMPONENT]: labels for _, labels, _ in pod_templates(documents)}
    for app in of_kind(documents, "SpinApp"):
        found[app["spec"]["podLabels"][COMPONENT]] = app["spec"]["podLabels"]
    return found


def reaches(documents, source, target, port):
    """Whether policies let one pod open a connection to another."""

    def allowed(direction, at, other, end):
        policies = [p["spec"] for p in of_kind(documents, "NetworkPolicy") if matches(p["spec"]["podSelector"], at)]
        policies = [policy for policy in policies if direction in policy["policyTypes"]]
        if not policies:
            return True
        for policy in policies:
            for rule in policy.get(direction.lower(), []):
                peers = rule.get(end, [{"podSelector": {}}])
                ports = {entry["port"] for entry in rule.get("ports", [])}
                if port in ports and any("podSelector" in peer and matches(peer["podSelector"], other) for peer in peers):
                    return True
        return False

    return allowed("Egress", source, target, "to") and allowed("Ingress", target, source, "from")


class Network(unittest.TestCase):
    def test_each_part_reaches_what_it_needs_and_nothing_else(self):
        for case in ("defaults", "kind", "everything"):
            for host in rendering.HOSTS:
                documents = objects(case, host)
                found = pods(documents)
                ports = {"postgresql": 5432, "redis": 6379, "s3": 8333, "api": 80 if host == "spinkube" else 3000}
                for source, labels in found.items():
                    for target, port in ports.items():
                        # Everybody may ask the API, where nobody said who.
                        if target in found and target != source and not (target == "api" and source not in ("test", "api")):
                            with self.subTest(values=case, host=host, source=source, target=target):
                                self.assertEqual(reaches(documents, labels, found[target], port), target in ASKS[source])

    def test_strangers_are_asked_by_who_tells_receivers_alone(self):
        for host, who in (("runtime", "worker"), ("spinkube", "callback")):
            documents = objects("everything", host)
            policy = named(documents, "NetworkPolicy", "thumbs-callbacks")["spec"]
            self.assertEqual({component for component, labels in pods(documents).items() if matches(policy["podSelector"], labels)}, {who})
            (rule,) = policy["egress"]
            self.assertEqual(rule["ports"], [{"protocol": "TCP", "port": 443}])
            self.assertIn("169.254.0.0/16", rule["to"][0]["ipBlock"]["except"])
            for other in of_kind(objects("defaults", host), "NetworkPolicy"):
                self.assertNotEqual(other["metadata"]["name"], "thumbs-callbacks", "nobody is told by default")

    def test_other_ports_of_the_servers_are_closed(self):
        documents = objects("defaults", "spinkube")
        found = pods(documents)
        for port in (9333, 8888, 23646):
            self.assertFalse(reaches(documents, found["api"], found["s3"], port))

    def test_every_pod_is_denied_what_it_is_not_allowed(self):
        for _, _, documents in every_case():
            for component, labels in pods(documents).items():
                with self.subTest(of=component):
                    denied = [p for p in of_kind(documents, "NetworkPolicy") if matches(p["spec"]["podSelector"], labels)]
                    self.assertTrue(any(p["spec"]["policyTypes"] == ["Ingress", "Egress"] for p in denied))

    def test_servers_elsewhere_are_reached_on_their_ports_alone(self):
        documents = objects("external", "spinkube")
        for server, port in (("postgresql", 6432), ("redis", 6380), ("s3", 9443)):
            (rule,) = named(documents, "NetworkPolicy", f"thumbs-to-{server}")["spec"]["egress"]
            self.assertEqual(rule["ports"], [{"protocol": "TCP", "port": port}])
            self.assertEqual(rule["to"], [{"ipBlock": {"cidr": "10.0.0.0/8"}}])

    def test_who_lends_credentials_is_reached_and_by_whom_it_serves_alone(self):
        for kind, port, cidr in (
            ("web-identity", 443, None),
            ("container", 80, "169.254.170.23/32"),
            ("instance", 80, "169.254.169.254/32"),
        ):
            documents = objects("prod", "runtime", sets=(f"s3.role={kind}",))
            policy = named(documents, "NetworkPolicy", "thumbs-to-lender")["spec"]
            found = {component for component, labels in pods(documents).items() if matches(policy["podSelector"], labels)}
            self.assertEqual(found, {"api", "worker", "backup", "restore"})
            (rule,) = policy["egress"]
            self.assertEqual(rule["ports"], [{"protocol": "TCP", "port": port}])
            if cidr:
                self.assertIn({"ipBlock": {"cidr": cidr}}, rule["to"])
        self.assertNotIn("to-lender", rendering.text("prod", "runtime"), "keys come from the Secret")

    def test_keda_reaches_the_rows(self):
        (rule,) = named(objects("everything", "runtime"), "NetworkPolicy", "thumbs-postgresql")["spec"]["ingress"]
        self.assertIn({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "keda"}}}, rule["from"])

    def test_the_way_in_leads_to_the_service(self):
        documents = objects("everything", "runtime")
        (rule,) = named(documents, "Ingress", "thumbs")["spec"]["rules"]
        self.assertEqual(rule["http"]["paths"][0]["backend"]["service"], {"name": "thumbs", "port": {"name": "http"}})
        (rule,) = named(documents, "HTTPRoute", "thumbs")["spec"]["rules"]
        self.assertEqual(rule["backendRefs"], [{"name": "thumbs", "port": 80}])
        for host in rendering.HOSTS:
            selector = named(objects("everything", host), "Service", "thumbs")["spec"]["selector"]
            self.assertLessEqual(selector.items(), pods(objects("everything", host))["api"].items())


class Health(unittest.TestCase):
    def test_probes_ask_what_there_is(self):
        routes = {trigger["route"] for trigger in manifest.SPIN_TOML["trigger"]["http"]} | {"/.well-known/spin/health"}
        for host in rendering.HOSTS:
            paths = set(re.findall(r"path: (/\S+?)[,}]", rendering.text("external", host)))
            self.assertLessEqual(paths, routes)

    def test_no_lost_server_restarts_a_pod(self):
        for host in rendering.HOSTS:
            for document in of_kind(objects("defaults", host), "SpinApp", "Deployment"):
                for probe in re.findall(r"liveness\w*': {'httpGet': {'path': '([^']+)'", str(document)):
                    self.assertEqual(probe, "/.well-known/spin/health")


class Numbers(unittest.TestCase):
    def test_deployments_are_scaled_and_never_to_none(self):
        for host in rendering.HOSTS:
            documents = objects("everything", host)
            scaled = {}
            for scaler in of_kind(documents, "HorizontalPodAutoscaler", "ScaledObject"):
                target = scaler["spec"]["scaleTargetRef"]
                self.assertEqual((target["apiVersion"], target["kind"]), ("apps/v1", "Deployment"), "a SpinApp has no scale")
                scaled[target["name"]] = scaler["spec"].get("minReplicas", scaler["spec"].get("minReplicaCount"))
            self.assertEqual(set(scaled), {"thumbs-api", "thumbs-worker"})
            self.assertGreaterEqual(min(scaled.values()), 1)
            for document in of_kind(documents, "Deployment", "SpinApp"):
                if document["metadata"]["name"] in scaled:
                    self.assertNotIn("replicas", document["spec"])

    def test_workers_are_counted_by_columns_that_there_are(self):
        migrations = manifest.ROOT / "crates/guest/src/sql/migrations"
        schema = "".join(path.read_text() for path in sorted(migrations.glob("*.postgres.sql")))
        (trigger,) = named(objects("everything", "spinkube"), "ScaledObject", "thumbs-worker")["spec"]["triggers"]
        query = trigger["metadata"]["query"]
        self.assertIn("CREATE TABLE thumbs_jobs", schema)
        for name in re.findall(r"\b[a-z]+_[a-z_]+\b", query):
            self.assertRegex(schema, rf"\b{name}\b")
        authentication = named(objects("everything", "spinkube"), "TriggerAuthentication", trigger["authenticationRef"]["name"])
        (reference,) = authentication["spec"]["secretTargetRef"]
        self.assertEqual(reference, {"parameter": "connection", "name": "thumbs", "key": "database_url"})

    def test_no_budget_keeps_a_node_from_being_drained(self):
        for _, _, documents in every_case():
            found = pods(documents)
            budgets = of_kind(documents, "PodDisruptionBudget")
            self.assertEqual(len(budgets), 2)
            for budget in budgets:
                self.assertEqual(budget["spec"]["maxUnavailable"], 1)
                self.assertTrue(any(matches(budget["spec"]["selector"], labels) for labels in found.values()))


class Upkeep(unittest.TestCase):
    def job(self, name):
        spec = named(objects("everything", "runtime"), "CronJob", f"thumbs-{name}")["spec"]
        pod = spec["jobTemplate"]["spec"]["template"]["spec"]
        return spec, [container["name"] for container in pod["initContainers"] + pod["containers"]]

    def test_a_row_names_no_image_that_is_gone(self):
        self.assertEqual(self.job("backup")[1], ["rows", "images"], "an image is there before its row")
        self.assertEqual(self.job("restore")[1], ["images", "rows"])

    def test_nothing_restores_by_itself(self):
        self.assertTrue(self.job("restore")[0]["suspend"])

    def test_backups_do_not_overlap(self):
        self.assertEqual(self.job("backup")[0]["concurrencyPolicy"], "Forbid")

    def test_nothing_but_the_application_deletes_rows_and_objects_that_rows_name(self):
        for _, _, documents in every_case():
            for document in documents:
                for _, pod in rendering.pod_specs([document]):
                    for container in rendering.containers(pod):
                        script = " ".join(container.get("args", []))
                        self.assertNotRegex(script, r'DELETE FROM thumbs_|(?m:rclone (delete|purge|sync|move)\b.*\$OBJECTS"?$)')

    def test_retention_is_a_setting_of_the_application(self):
        for host in rendering.HOSTS:
            self.assertRegex(rendering.text("everything", host), r'name: (SPIN_VARIABLE_KEEP_JOBS_DAYS|keep_jobs_days), value: "90"')
            self.assertNotRegex(rendering.text("defaults", host), "(?i)keep_jobs_days")
        with self.assertRaisesRegex(rendering.Refused, "not both"):
            rendering.text("everything", "runtime", sets=("variables.keep_jobs_days=30",))

    def test_a_volume_of_ones_own_is_used(self):
        documents = objects("external", "runtime")
        self.assertEqual(of_kind(documents, "PersistentVolumeClaim"), [])
        pod = named(documents, "CronJob", "thumbs-backup")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        claims = [v["persistentVolumeClaim"]["claimName"] for v in pod["volumes"] if "persistentVolumeClaim" in v]
        self.assertEqual(claims, ["mine"])


if __name__ == "__main__":
    unittest.main()
