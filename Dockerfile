# The server in a small image:
#
#   docker build --tag i9chat .
#   docker run --publish 127.0.0.1:8080:8080 --volume i9chat:/data i9chat
#
# All options of the server are environment variables too (`docker run --rm i9chat --help`). compose.yaml makes a cluster of it.

FROM rust:1.95-slim-bookworm AS build
ARG PROFILE=release
WORKDIR /i9chat
COPY . .
RUN CARGO_PROFILE_RELEASE_STRIP=symbols \
    cargo install --locked --profile "$PROFILE" --path server --root /built --no-track

FROM debian:bookworm-slim
# The authorities that mail servers and buckets are trusted by.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /built/bin/i9chat-server /usr/local/bin/i9chat-server
RUN useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin i9chat \
    && install --directory --owner i9chat --group i9chat --mode 0700 /data
ENV I9CHAT_LISTEN=0.0.0.0:8080 \
    I9CHAT_DATA=/data
# By its number, so that whoever runs it can see that it is not root.
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=3 CMD ["i9chat-server", "healthcheck"]
ENTRYPOINT ["i9chat-server"]
