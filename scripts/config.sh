# Every version and every name that the scripts of deployment use, in one place. Sourced; each can be set in the environment instead.
# shellcheck shell=bash disable=SC2034

# What is deployed, and where. HOST is `spinkube` or `runtime`.
: "${HOST:=spinkube}"
: "${CLUSTER:=thumbs}"
# kubectl's context: the cluster of kind, unless another is meant (logs and restore work on any).
: "${KUBE_CONTEXT:=kind-$CLUSTER}"
: "${NAMESPACE:=thumbs}"
: "${RELEASE:=thumbs}"
# The port of this machine that leads to the service. The cluster's own is 30000 (k8s/kind).
: "${NODE_PORT:=30000}"

# How the components come to a SpinApp: `registry` (spin registry push, compiled before a pod starts), `image` (an image with spin.toml and the
# .wasm files, compiled in each pod's start), or `auto`: registry where spin is on PATH.
: "${PACKAGING:=auto}"
: "${REGISTRY_NAME:=thumbs-registry}"
: "${REGISTRY_PORT:=5001}"
: "${REGISTRY_IMAGE:=registry:3}"

# The nodes. containerd 2.2, which the shim is tested with: newer images of kind have a newer one.
: "${KIND_NODE_IMAGE:=kindest/node:v1.35.0@sha256:452d707d4862f52530247495d180205e029056831160e22870e37e3f6c1ac31f}"
# The shim put into it: v0.24.0 is Spin 3.6.3, on which Thumbs was tried.
: "${SHIM_VERSION:=v0.24.0}"
# A node image that has a shim already, in the place of both.
: "${NODE_IMAGE:=}"

# What runs in the cluster beside it.
: "${CERT_MANAGER_VERSION:=v1.20.0}"
: "${SPIN_OPERATOR_VERSION:=0.6.1}"
: "${METRICS_SERVER_VERSION:=v0.8.0}"

# What the chart is checked with (scripts/check-deploy).
: "${HELM_VERSION:=v3.18.6}"
: "${KUBECONFORM_VERSION:=v0.7.0}"
: "${KUBERNETES_VERSION:=1.34.4}"
: "${KEDA_VERSION:=2.20.2}"
: "${GATEWAY_API_VERSION:=v1.4.0}"
: "${PROMETHEUS_OPERATOR_VERSION:=v0.85.0}"
: "${HADOLINT_VERSION:=2.15.1}"
