# syntax=docker/dockerfile:1
# Two images: `runtime` is thumbs with the application, `app` the application alone, as the Spin shim reads it. docs/DOCKER.md.
#   docker build --target runtime -t thumbs .
ARG RUST_IMAGE=rust:1.95-bookworm

FROM ${RUST_IMAGE} AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /src
COPY . .
# What was compiled is kept between builds and lies in no layer; so what is wanted of it is copied out at once.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    make build \
 && mkdir -p /app /image/usr/bin \
 && cp spin.toml /app/ \
 && sed -nE 's/^(source|.* = \{ path) = "([^"]*\.wasm)".*/\2/p' spin.toml | grep -v spin_test | sort -u | xargs -I{} install -D -m 644 {} /app/{} \
 && install -m 755 -s target/release/thumbs /image/usr/bin/thumbs
# A root with nothing but thumbs, the libraries that it is linked with, certificate authorities and a user.
RUN ldd /image/usr/bin/thumbs | grep -o '/[^ ]*' | xargs -I{} cp -L --parents {} /image \
 && cp -L --parents /etc/ssl/certs/ca-certificates.crt /image \
 && mkdir -p /image/etc /image/tmp /image/var/lib/thumbs \
 && echo 'thumbs:x:65532:65532::/var/lib/thumbs:/sbin/nologin' >/image/etc/passwd \
 && echo 'hosts: files dns' >/image/etc/nsswitch.conf \
 && chmod 1777 /image/tmp && chown 65532:65532 /image/var/lib/thumbs \
 && cp -r /app /image/app
# Compiles the components by starting once. The code is for processors with what this one has; on others it is compiled anew, at each start.
RUN THUMBS_CACHE_DIR=/image/app/compiled THUMBS_STATE_DIR=/tmp/state THUMBS_LISTEN=127.0.0.1:3000 \
    timeout 300 sh -c '/image/usr/bin/thumbs up -f /image/app/spin.toml & \
      until curl -fs http://127.0.0.1:3000/.well-known/spin/health; do kill -0 $! && sleep 1 || exit 1; done; kill $!; wait $!' \
 && rm -f /image/app/compiled/.cleanup* \
 # Folders of compiled code are made for their maker alone; here another user reads them.
 && chmod -R a+rX,go-w /image/app

FROM scratch AS app
COPY --from=build /app /

FROM scratch AS runtime
COPY --from=build /image /
ENV THUMBS_MANIFEST=/app/spin.toml \
    THUMBS_STATE_DIR=/var/lib/thumbs \
    THUMBS_CACHE_DIR=/app/compiled \
    THUMBS_LISTEN=0.0.0.0:3000 \
    THUMBS_LOG=json
WORKDIR /app
USER 65532:65532
EXPOSE 3000
ENTRYPOINT ["/usr/bin/thumbs"]
CMD ["up"]
