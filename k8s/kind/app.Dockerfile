# The application as an image that the shim reads: /spin.toml, and the components where it says. Built for this machine's own platform:
# containerd does not unpack images of wasi/wasm.
FROM scratch
COPY . /
