"""Fills a chat of 100 entries and one of a million, and reads pages of 50 from the middle of each with wrk."""

import json
import subprocess
import sys
import urllib.request

url, suite, smtp, work = sys.argv[1:]
users_file = f"{work}/pages-users.json"


def load(*arguments):
    command = [suite, "load", "direct", "--url", url, "--smtp-listen", f"127.0.0.1:{smtp}", "--users", users_file]
    subprocess.run([*command, *arguments], check=True, stdout=subprocess.DEVNULL)


def call(method, path, token=None, body=None):
    request = urllib.request.Request(url + path, method=method)
    request.add_header("content-type", "application/json")
    if token:
        request.add_header("authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, json.dumps(body).encode() if body else None) as answer:
        return json.load(answer)


def sign_in(user):
    return call("POST", "/v1/sessions", body={"login": user["login"], "password": user["password"]})


def longest_chat(token):
    chats = call("GET", "/v1/chats?limit=200", token)["items"]
    return max(chats, key=lambda chat: chat.get("last_entry", {}).get("seq", 0))


def measure(name, token, chat_id, before):
    target = f"{url}/v1/chats/{chat_id}/entries?limit=50&before={before}"
    command = ["wrk", "-t1", "-c1", "-d5s", "--latency", "-H", f"authorization: Bearer {token}", target]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    shown = [line.strip() for line in lines if line.strip().startswith(("50%", "99%", "Requests/sec", "Non-2xx"))]
    print(f"{name}, a page of 50 before {before}: {'  '.join(shown)}")


load("--senders", "2", "--window", "512", "--seconds", "1")
token = sign_in(json.load(open(users_file))[0])["token"]

# A short chat: with oneself's partner there is only one, so a third user is needed.
load("--senders", "4", "--window", "1", "--seconds", "1")
users = json.load(open(users_file))
third = sign_in(users[2])
short = call("PUT", f"/v1/direct/{third['user']['username']}", token)["chat"]["chat_id"]
for number in range(100):
    client_id = f"00000000-0000-4000-8000-{number:012x}"
    call("POST", f"/v1/chats/{short}/messages", token, {"client_id": client_id, "content": {"kind": "text", "text": "x" * 100}})

while longest_chat(token)["last_entry"]["seq"] < 1_000_000:
    load("--senders", "2", "--window", "1024", "--seconds", "10")
long = longest_chat(token)
token = sign_in(users[0])["token"]
measure("a chat of 100 entries", token, short, 76)
measure(f"a chat of {long['last_entry']['seq']} entries", token, long["chat_id"], 500_000)
