"""Searches around places among a million users.

  nearby.py fill DATABASE             puts a million users into the database of a server that does not run
  nearby.py search URL LOGIN PASSWORD measures searches over HTTP, one after the other
"""

import http.client
import json
import math
import random
import sqlite3
import sys
import time
import urllib.parse

USERS = 1_000_000
RADIUS_CM = 637_100_880
cities = random.Random(1)
CITIES = [(cities.uniform(-60, 60), cities.uniform(-180, 180)) for _ in range(200)]


def wrapped(lon):
    return (lon + 180) % 360 - 180


def cell_of(lat, lon):
    """The point of the grid (USR-9) as the database numbers it."""
    row = math.floor((lat + 90) / 0.0045 + 0.5)
    points = points_of(row)
    return row << 17 | math.floor((lon + 180) / 360 * points) % points


def points_of(row):
    return max(1, math.floor(80_000 * math.cos(math.radians(0.0045 * row - 90)) + 0.5))


def space_of(cell):
    row, column = cell >> 17, cell & (1 << 17) - 1
    lat, lon = math.radians(0.0045 * row - 90), math.radians(360 * (column + 0.5) / points_of(row) - 180)
    return [round(RADIUS_CM * part) for part in (math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat))]


def fill(database):
    """Four of five users live in one of 200 cities, the others anywhere."""
    rng = random.Random(2)
    store = sqlite3.connect(database)
    cells, rows = set(), []
    for number in range(USERS):
        if number % 5 == 0:
            lat, lon = rng.uniform(-70, 70), rng.uniform(-180, 180)
        else:
            city = CITIES[number * 7919 % 200]
            lat, lon = city[0] + rng.gauss(0, 0.1), wrapped(city[1] + rng.gauss(0, 0.12))
        cell = cell_of(lat, lon)
        cells.add(cell)
        name = f"near-{number}"
        rows.append((number.to_bytes(16, "big"), name, name, f"{name}@example.com", f"{name}@example.com", lat, lon, cell))
    store.executemany(
        "INSERT INTO users (user_id, username, username_key, email, email_key, password_hash, bio, created_at, lat, lon, cell)"
        " VALUES (?, ?, ?, ?, ?, '', '', 0, ?, ?, ?)",
        rows,
    )
    points = ((cell, *space_of(cell)) for cell in cells)
    store.executemany("INSERT OR IGNORE INTO cells VALUES (?1, ?2, ?2, ?3, ?3, ?4, ?4)", points)
    store.commit()
    print(f"{USERS} users at {len(cells)} points of the grid")


def search(url, login, password):
    line = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc)

    def call(method, path, headers, body=None):
        line.request(method, path, body, headers)
        answer = line.getresponse()
        read = json.loads(answer.read())
        assert answer.status < 300, read
        return read

    signed_in = call("POST", "/v1/sessions", {"content-type": "application/json"}, json.dumps({"login": login, "password": password}))
    headers = {"authorization": f"Bearer {signed_in['token']}"}
    rng = random.Random(3)
    for what, place in [("in a city", "city"), ("60 km outside of one", "edge"), ("anywhere", "anywhere")]:
        for radius, limit in [(1_000, 50), (10_000, 50), (200_000, 50), (200_000, 100)]:
            times, found = [], 0
            for number in range(400):
                city = CITIES[number * 13 % 200]
                lat, lon = {
                    "city": (city[0] + rng.gauss(0, 0.05), city[1] + rng.gauss(0, 0.05)),
                    "edge": (city[0] + 0.55, city[1]),
                    "anywhere": (rng.uniform(-60, 60), rng.uniform(-180, 180)),
                }[place]
                path = f"/v1/users?near={lat:.6f},{wrapped(lon):.6f}&radius_m={radius}&limit={limit}"
                began = time.perf_counter()
                found += len(call("GET", path, headers)["items"])
                times.append((time.perf_counter() - began) * 1000)
            times.sort()
            print(f"{what}, radius {radius} m, limit {limit}: {found / 400:.1f} found, p50 {times[200]:.2f} ms, p99 {times[395]:.2f} ms")


command, *arguments = sys.argv[1:]
{"fill": fill, "search": search}[command](*arguments)
