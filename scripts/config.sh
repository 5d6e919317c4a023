# Every version and every name that the scripts of Kubernetes use, in one place. Sourced; each can be set in the environment instead.
# shellcheck shell=bash disable=SC2034

# What the chart is checked with (scripts/check-deploy).
: "${HELM_VERSION:=v3.18.6}"
: "${KUBECONFORM_VERSION:=v0.7.0}"
: "${KUBERNETES_VERSION:=1.34.4}"
: "${KEDA_VERSION:=2.20.2}"
: "${GATEWAY_API_VERSION:=v1.4.0}"
: "${PROMETHEUS_OPERATOR_VERSION:=v0.85.0}"
: "${HADOLINT_VERSION:=2.15.1}"
