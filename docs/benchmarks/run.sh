#!/usr/bin/env bash
# Measures what docs/benchmarks.md records. Build first: cargo build --release -p i9chat-server -p i9chat-conformance
#
#   docs/benchmarks/run.sh                   everything but mixed, about six minutes
#   docs/benchmarks/run.sh direct idle       only those
#   docs/benchmarks/run.sh mixed             ten minutes of everything at once
#
# The server is pinned to core 0 and the load to core 1, both on the loopback interface; everything is kept in a folder of
# its own, which is removed at the end. Needs taskset, cc, python3, curl and wrk (Debian: util-linux, gcc, python3, curl, wrk).
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
SERVER=$PWD/target/release/i9chat-server
SUITE=$PWD/target/release/i9chat-conformance
HERE=$PWD/docs/benchmarks
PORT=${PORT:-8290}
SMTP=${SMTP:-2590}
URL=http://127.0.0.1:$PORT
WORK=$(mktemp -d)
pid=
FOLDER=

stop() {
    [[ -n $pid ]] && kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    pid=
    return 0
}
trap 'stop; rm -rf "$WORK"' EXIT

# start FOLDER [COMMAND…]: starts the server on a data folder, through a command if one is given.
start() {
    local data=$1
    FOLDER=$data
    shift
    taskset -c 0 "$@" "$SERVER" --listen "127.0.0.1:$PORT" --data "$WORK/$data" --smtp-url "smtp://127.0.0.1:$SMTP" --log warn \
        --frames-per-second 1000000 --frames-burst 1000000 --requests-per-second 1000000 --requests-burst 1000000 \
        --max-connections 19000 --max-connections-per-user 200 >"$WORK/server.log" 2>&1 &
    pid=$!
    until python3 -c "import urllib.request as u; u.urlopen('$URL/readyz')" 2>/dev/null; do
        kill -0 "$pid" || { cat "$WORK/server.log"; exit 1; }
        sleep 0.05
    done
}

load() {
    taskset -c 1 "$SUITE" load "$@" --url "$URL" --smtp-listen "127.0.0.1:$SMTP" --users "$WORK/users-$FOLDER.json"
}

direct() {
    for window in 1 16; do
        start direct
        load direct --senders 64 --seconds 10 --window "$window"
        stop
    done
}

slow() {
    cc -O2 -shared -fPIC -o "$WORK/slow-flush.so" "$HERE/slow-flush.c" -ldl
    for window in 1 16; do
        echo "with every flush 5 ms slower:"
        start direct env FLUSH_DELAY_MS=5 LD_PRELOAD="$WORK/slow-flush.so"
        load direct --senders 64 --seconds 10 --window "$window"
        stop
    done
}

idle() {
    # The accounts first, and a new process for the measurement: signing up takes memory of its own.
    start idle
    load idle --connections 5000 >/dev/null
    stop
    start idle
    load idle --connections 5000 --pid "$pid" --hold-seconds 5
    stop
}

resume() {
    start resume
    load resume --connections 1000 --missed 1 >/dev/null
    stop
    start resume
    load resume --connections 1000 --missed 100
    load resume --connections 1000 --missed 100
    stop
}

# Signing up costs the server memory and processor time of its own: the accounts first, and a new process to measure.
group() {
    start group
    load group --members 1000 --seconds 1 >/dev/null
    stop
    for window in 1 4 16; do
        start group
        load group --members 1000 --senders 4 --window "$window" --seconds 10 --pid "$pid"
        stop
    done
    start group
    load group --members 100 --senders 4 --window 16 --seconds 10 --pid "$pid"
    stop
}

chats() {
    start chats
    load chats --chats 10000 --times 1 >/dev/null
    stop
    start chats
    load chats --chats 10000
    stop
}

# Not pinned down by anything but its rate: memory has to stay flat, and nothing may be lost.
mixed() {
    start mixed
    load mixed --duration 1 >/dev/null
    stop
    start mixed
    load mixed --duration "${DURATION:-600}" --pid "$pid"
    stop
}

# The time from the start of the process to its first answer, on a data folder that is there already, ten times.
first() {
    start first
    stop
    taskset -c 0 python3 - "$SERVER" "$WORK/first" "$PORT" <<'PYTHON'
import socket, subprocess, sys, time
server, data, port = sys.argv[1:]
times = []
for _ in range(10):
    began = time.monotonic()
    process = subprocess.Popen([server, "--listen", f"127.0.0.1:{port}", "--data", data, "--log", "warn"], stdout=subprocess.DEVNULL)
    while True:
        try:
            with socket.create_connection(("127.0.0.1", int(port))) as line:
                line.sendall(b"GET /v1/capabilities HTTP/1.1\r\nhost: x\r\n\r\n")
                assert line.recv(12).endswith(b"200")
                break
        except ConnectionRefusedError:
            time.sleep(0.0005)
    times.append((time.monotonic() - began) * 1000)
    process.terminate()
    process.wait()
times.sort()
print(f"start to first answer: median {times[5]:.0f} ms, slowest {times[-1]:.0f} ms")
PYTHON
}

# A page of 50 from the middle of a chat of 100 entries and of a million, one request after the other.
pages() {
    start pages
    taskset -c 1 python3 "$HERE/pages.py" "$URL" "$SUITE" "$SMTP" "$WORK"
    stop
}

# The login and password of the first user that `load` has made.
account() {
    python3 -c "import json, sys; user = json.load(open(sys.argv[1]))[0]; print(user['login'], user['password'])" "$WORK/users-$FOLDER.json"
}

# Searches around places among a million users.
nearby() {
    start nearby
    load direct --senders 2 --seconds 1 >/dev/null
    stop
    python3 "$HERE/nearby.py" fill "$WORK/nearby/i9chat.db"
    start nearby env I9CHAT_NEARBY_PER_MINUTE=1000000
    local login password
    read -r login password < <(account)
    taskset -c 1 python3 "$HERE/nearby.py" search "$URL" "$login" "$password"
    stop
}

# 50 MiB up and down, beside a plain copy.
media() {
    start media
    load direct --senders 2 --seconds 1 >/dev/null
    local login password
    read -r login password < <(account)
    taskset -c 1 python3 "$HERE/media.py" "$URL" "$login" "$password" "$WORK"
    stop
}

if (($# == 0)); then set -- direct slow group chats nearby media idle resume first pages; fi
for part in "$@"; do
    printf '\n== %s\n' "$part"
    "$part"
done
