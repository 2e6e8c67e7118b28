#!/usr/bin/env bash
# Measures what docs/benchmarks.md records of the server on Neo4j and Redis. Build first:
# cargo build --release -p i9chat-server -p i9chat-conformance
#
#   docs/benchmarks/scale-out.sh                 everything, about four minutes
#   docs/benchmarks/scale-out.sh direct          only that
#
# Needs a Neo4j and a Redis with nothing in them, on this machine, for itself alone: I9CHAT_TEST_NEO4J_URL and
# I9CHAT_TEST_REDIS_URL name them. Everything shares all cores: the nodes, both databases and the load. What is there
# at the end is left in them. Needs python3 and curl.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
SERVER=$PWD/target/release/i9chat-server
SUITE=$PWD/target/release/i9chat-conformance
NEO4J=${I9CHAT_TEST_NEO4J_URL:?names the Neo4j to use}
REDIS=${I9CHAT_TEST_REDIS_URL:?names the Redis to use}
PORT=${PORT:-8390}
SMTP=${SMTP:-2591}
WORK=$(mktemp -d)
pids=()
urls=()

stop() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    pids=()
    urls=()
}
trap 'stop; rm -rf "$WORK"' EXIT

# start N: starts that many nodes.
start() {
    local node port
    for ((node = 0; node < $1; node++)); do
        port=$((PORT + node))
        "$SERVER" --listen "127.0.0.1:$port" --data "$WORK/data" --store "$NEO4J" --bus "$REDIS" --bus-prefix "bench-$$" \
            --smtp-url "smtp://127.0.0.1:$SMTP" --log warn --frames-per-second 1000000 --frames-burst 1000000 \
            --requests-per-second 1000000 --requests-burst 1000000 --max-connections 19000 \
            --max-connections-per-user 200 >"$WORK/node-$node.log" 2>&1 &
        pids+=($!)
        urls+=(--url "http://127.0.0.1:$port")
        until curl -fs "http://127.0.0.1:$port/readyz" >/dev/null; do
            kill -0 "${pids[-1]}" || { cat "$WORK/node-$node.log"; exit 1; }
            sleep 0.2
        done
    done
}

load() {
    "$SUITE" load "$@" "${urls[@]}" --smtp-listen "127.0.0.1:$SMTP" --users "$WORK/users-$1.json"
}

# What a node counted of its commits: batches, commands, seconds; and the processor time of all that took part.
commits() {
    local node
    for ((node = 0; node < ${#pids[@]}; node++)); do
        curl -s "http://127.0.0.1:$((PORT + node))/metrics" |
            awk -v node="$node" '/^i9chat_commit_batch_commands_(sum|count)/ || /^i9chat_commit_seconds_sum/ {v[$1] = $2}
                END {b = v["i9chat_commit_batch_commands_count"]; c = v["i9chat_commit_batch_commands_sum"]
                     if (b) printf "node %s: %d batches of %.1f commands, %.1f ms each\n", node, b, c / b, v["i9chat_commit_seconds_sum"] * 1000 / b}'
    done
}

direct() {
    for nodes in 1 2; do
        for window in 1 16; do
            start "$nodes"
            load direct --senders 64 --seconds 2 --window 16 >/dev/null
            echo "$nodes node(s), window $window:"
            load direct --senders 64 --seconds 20 --window "$window"
            commits
            stop
        done
    done
}

# From a message's sending on one node to its arrival on the other, at 100 messages a second.
cross() {
    start 2
    load direct --senders 16 --seconds 2 --rate 100 >/dev/null
    load direct --senders 16 --seconds 20 --rate 100
    stop
}

idle() {
    start 1
    load idle --connections 5000 >/dev/null
    stop
    start 1
    load idle --connections 5000 --pid "${pids[0]}" --hold-seconds 5
    stop
}

resume() {
    for nodes in 1 2; do
        start "$nodes"
        echo "$nodes node(s):"
        load resume --connections 1000 --missed 1 >/dev/null
        load resume --connections 1000 --missed 100
        stop
    done
}

if (($# == 0)); then set -- direct cross idle resume; fi
for part in "$@"; do
    printf '\n== %s\n' "$part"
    "$part"
done
