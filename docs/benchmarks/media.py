"""Uploads a file of 50 MiB, completes it and downloads it again with curl, beside a plain `cp` of the same file."""

import json
import os
import subprocess
import sys
import time
import urllib.parse
import urllib.request

url, login, password, work = sys.argv[1:]
SIZE = 50 * 1024 * 1024
source, copy = f"{work}/source.bin", f"{work}/copy.bin"


def call(method, path, headers, body=None):
    request = urllib.request.Request(urllib.parse.urljoin(url, path), method=method, headers=headers)
    if body is not None:
        request.add_header("content-type", "application/json")
    with urllib.request.urlopen(request, json.dumps(body).encode() if body is not None else None) as answer:
        return answer.headers, answer.read()


def timed(times, name, job):
    began = time.perf_counter()
    result = job()
    times.setdefault(name, []).append((time.perf_counter() - began) * 1000)
    return result


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


with open(source, "wb") as file:
    file.write(os.urandom(SIZE))
token = json.loads(call("POST", "/v1/sessions", {}, {"login": login, "password": password})[1])["token"]
bearer = {"authorization": f"Bearer {token}"}
times = {}
for _ in range(7):
    part = {"part": "original", "content_type": "application/octet-stream", "size": SIZE}
    started = json.loads(call("POST", "/v1/uploads", bearer, {"purpose": "message", "kind": "file", "parts": [part]})[1])
    start = {"x-goog-resumable": "start", "content-type": "application/octet-stream"}
    location = urllib.parse.urljoin(url, call("POST", started["parts"][0]["upload_url"], start)[0]["location"])
    timed(times, "upload", lambda: run("curl", "-sf", "-H", "Expect:", "-T", source, location))
    media = f"/v1/media/{started['media_id']}/original"
    timed(times, "complete", lambda: call("POST", f"/v1/uploads/{started['media_id']}/complete", bearer))
    link = json.loads(call("GET", media, {**bearer, "accept": "application/json"})[1])["url"]
    timed(times, "download", lambda: run("curl", "-sf", "-o", copy, urllib.parse.urljoin(url, link)))
    run("cmp", source, copy)
    timed(times, "cp", lambda: run("cp", source, copy))
    timed(times, "cp and flush", lambda: run("dd", f"if={source}", f"of={copy}", "bs=1M", "conv=fsync", "status=none"))
for name, measured in times.items():
    measured.sort()
    print(f"50 MiB, {name}: median {measured[3]:.0f} ms, from {measured[0]:.0f} to {measured[-1]:.0f} ms")
