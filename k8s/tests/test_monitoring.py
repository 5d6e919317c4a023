"""The alerts and the dashboard: they watch what the chart makes, by metrics that a cluster has."""

import json
import re
import unittest

import rendering
from rendering import named, objects, of_kind

# Of kube-state-metrics, the kubelet (cAdvisor included) and KEDA.
METRICS = {
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
                self.assertLessEqual(set(re.findall(r"([a-z_]+)\{", expression)), METRICS)

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

    def test_what_is_not_there_is_not_watched(self):
        text = rendering.text("defaults", "runtime", sets=("monitoring.rules=true",))
        for alert in ("ThumbsJobsPileUp", "ThumbsApiAtItsMost", "ThumbsBackupIsOld"):
            self.assertNotIn(alert, text)


if __name__ == "__main__":
    unittest.main()
