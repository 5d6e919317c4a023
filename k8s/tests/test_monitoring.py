"""The alerts and the dashboard: they watch what the chart makes, by metrics that a cluster has."""

import json
import re
import unittest

import yaml

import rendering
from manifest import ROOT
from rendering import environment, named, objects, of_kind

# Of kube-state-metrics, the kubelet (cAdvisor included), KEDA and Prometheus itself.
METRICS = {
    "up",
    "kube_statefulset_status_replicas_ready",
    "kube_deployment_status_replicas_available",
    "kube_pod_container_status_restarts_total",
    "kube_horizontalpodautoscaler_status_current_replicas",
    "kube_horizontalpodautoscaler_spec_max_replicas",
    "kube_cronjob_status_last_successful_time",
    "kubelet_volume_stats_available_bytes",
    "kubelet_volume_stats_capacity_bytes",
    "container_cpu_usage_seconds_total",
    "container_cpu_cfs_throttled_seconds_total",
    "container_memory_working_set_bytes",
    "container_network_receive_bytes_total",
    "container_network_transmit_bytes_total",
    "keda_scaler_metrics_value",
}
# Of the service, and what a histogram is made of.
TABLE = re.findall(r"^\| `(thumbs_\w+)` \| (\w+) \|", (ROOT / "docs/METRICS.md").read_text(), re.MULTILINE)
OWN = {name for name, _ in TABLE} | {f"{name}_bucket" for name, kind in TABLE if kind == "histogram"}
CODES = set(re.findall(r"^\| `([a-z-]+)` \| (?:once|until)", (ROOT / "docs/api.md").read_text(), re.MULTILINE))


def expressions(documents):
    (rules,) = of_kind(documents, "PrometheusRule")
    for group in rules["spec"]["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    dashboard = named(documents, "ConfigMap", "thumbs-dashboard")["data"]["thumbs.json"]
    for panel in json.loads(dashboard)["panels"]:
        yield from (target["expr"] for target in panel["targets"])


class Monitoring(unittest.TestCase):
    def test_asks_for_metrics_that_a_cluster_has(self):
        for host in rendering.HOSTS:
            for expression in expressions(objects("everything", host)):
                self.assertLessEqual(set(re.findall(r"([a-z_]+)\{", expression)), METRICS | OWN)

    def test_asks_for_job_codes_that_there_are(self):
        asked = [code for e in expressions(objects("everything", "runtime")) for code in re.findall(r'code=~"([^"]+)"', e)]
        self.assertEqual(len(asked), 1)
        self.assertLessEqual(set(asked[0].split("|")), CODES)

    def test_the_service_monitor_finds_the_service_and_no_other(self):
        for host in rendering.HOSTS:
            documents = objects("everything", host)
            (monitor,) = of_kind(documents, "ServiceMonitor")
            wanted = monitor["spec"]["selector"]["matchLabels"].items()
            found = [s for s in of_kind(documents, "Service") if wanted <= s["metadata"]["labels"].items()]
            self.assertEqual([service["metadata"]["name"] for service in found], ["thumbs"])
            (endpoint,) = monitor["spec"]["endpoints"]
            self.assertIn(endpoint["port"], [port["name"] for port in found[0]["spec"]["ports"]])
            self.assertIn(endpoint["path"], (ROOT / "spin.toml").read_text())
            self.assertEqual(endpoint["authorization"]["credentials"], {"name": "thumbs", "key": "metrics_api_key"})
            (open_to_all,) = of_kind(objects("prod", host), "ServiceMonitor")
            self.assertNotIn("authorization", open_to_all["spec"]["endpoints"][0])

    def test_the_pod_monitor_finds_the_port_that_pods_listen_on_and_prometheus_may_reach_it(self):
        for case, sources in (("everything", None), ("external", [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}])):
            documents = objects(case, "runtime")
            (monitor,) = of_kind(documents, "PodMonitor")
            (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
            self.assertEqual(endpoint["path"], "/metrics")
            self.assertNotIn(endpoint["path"], {"/livez", "/readyz"})
            policy = named(documents, "NetworkPolicy", "thumbs-admin")["spec"]
            for selected in (monitor["spec"]["selector"], policy["podSelector"]):
                self.assertEqual(selected["matchExpressions"][0]["values"], ["api", "worker"])
            (ingress,) = policy["ingress"]
            self.assertEqual(ingress.get("from"), sources)
            for name in ("api", "worker"):
                template = named(documents, "Deployment", f"thumbs-{name}")["spec"]["template"]
                self.assertLessEqual(monitor["spec"]["selector"]["matchLabels"].items(), template["metadata"]["labels"].items())
                (container,) = template["spec"]["containers"]
                (port,) = [port["containerPort"] for port in container["ports"] if port["name"] == endpoint["port"]]
                self.assertEqual(environment(container)["THUMBS_ADMIN"], f"0.0.0.0:{port}")
                self.assertEqual([each["port"] for each in ingress["ports"]], [port])

    def test_where_nobody_reads_them_no_pod_tells_its_numbers(self):
        for case, host in (("defaults", "runtime"), ("everything", "spinkube")):
            documents = objects(case, host)
            self.assertEqual(of_kind(documents, "PodMonitor"), [])
            self.assertNotIn("THUMBS_ADMIN", rendering.text(case, host))
            self.assertNotIn("thumbs-admin", {document["metadata"]["name"] for document in documents})

    def test_a_collector_that_is_named_is_told_to_pods_and_may_be_reached(self):
        documents = objects("everything", "runtime")
        for name in ("api", "worker"):
            template = named(documents, "Deployment", f"thumbs-{name}")["spec"]["template"]
            (container,) = template["spec"]["containers"]
            self.assertEqual(environment(container)["OTEL_EXPORTER_OTLP_ENDPOINT"], "http://collector.monitoring:4318")
        policy = named(documents, "NetworkPolicy", "thumbs-telemetry")["spec"]
        self.assertIn(4318, [port["port"] for port in policy["egress"][0]["ports"]])
        for host in rendering.HOSTS:
            self.assertNotIn("thumbs-telemetry", {document["metadata"]["name"] for document in objects("defaults", host)})

    def test_watches_what_the_chart_makes(self):
        for host in rendering.HOSTS:
            documents = objects("everything", host)
            made = {document["metadata"]["name"] for document in documents}
            for expression in expressions(documents):
                # KEDA's own label of that name is renamed where Prometheus does not honour it.
                self.assertRegex(expression, rf'namespace="{rendering.NAMESPACE}"|exported_namespace=~"{rendering.NAMESPACE}\|"')
                for name in re.findall(r'(?:deployment|cronjob|horizontalpodautoscaler|scaledObject)="([^"]+)"', expression):
                    self.assertIn(name, made)

    def test_every_alert_says_what_to_do(self):
        (rules,) = of_kind(objects("everything", "runtime"), "PrometheusRule")
        for rule in rules["spec"]["groups"][0]["rules"]:
            self.assertTrue(rule["annotations"]["summary"] and rule["annotations"]["description"], rule["alert"])
            self.assertIn(rule["labels"]["severity"], ("critical", "warning"))

    def test_every_alert_fires_in_a_test(self):
        (rules,) = of_kind(objects("everything", "runtime"), "PrometheusRule")
        alerts = {rule["alert"] for rule in rules["spec"]["groups"][0]["rules"]}
        asked = [case for test in yaml.safe_load((rendering.HERE / "alerts.yaml").read_text())["tests"] for case in test["alert_rule_test"]]
        self.assertEqual({case["alertname"] for case in asked if case.get("exp_alerts")}, alerts)
        self.assertLessEqual({case["alertname"] for case in asked}, alerts)

    def test_what_is_not_there_is_not_watched(self):
        text = rendering.text("defaults", "runtime", sets=("monitoring.rules=true",))
        for alert in ("ThumbsJobsPileUp", "ThumbsApiAtItsMost", "ThumbsBackupIsOld", "ThumbsQueueIsOld", "ThumbsMemoryIsShort"):
            self.assertNotIn(alert, text)
        self.assertNotIn("ThumbsServerIsDown", rendering.text("external", "runtime", sets=("monitoring.rules=true",)))


if __name__ == "__main__":
    unittest.main()
