# A node of kind that has the Spin shim: nothing privileged installs it, and containerd is not started anew.
ARG KIND_NODE_IMAGE
FROM ${KIND_NODE_IMAGE}
COPY containerd-shim-spin-v2 /usr/local/bin/
