#!/usr/bin/env python3
"""The model and its API at full size, beside the floors: plain SQLite and a raw dump of the same bytes.

usage: model_bench.py [NODES] [APPLIED]    programs in DROVER_BIN; a master of its own in a temporary folder

One client in this process, one drover-master: they share the machine's cores, so take the ratios. The floor of
a read is the very same answer sent from memory by a bare server over the same kind of socket to the same client;
the floor of a write is the same number of rows put into SQLite in one durable transaction, and of the request
itself: the bytes have to be read and decoded once.
"""
import json
import os
import pathlib
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests/e2e"))
os.environ.setdefault("DROVER_BIN", str(HERE.parent / "build/release/bin"))
import cluster as c  # noqa: E402  (the processes are started and ended as the tests do it)

ROUNDS = 9


def exchange(path, method, target, body=b"", headers=()):
    """One request on a fresh connection to a Unix socket; the body of its answer, unparsed."""
    link = c.UnixConnection(path, timeout=120)
    link.request(method, target, body, dict(headers))
    response = link.getresponse()
    out = response.read()
    link.close()
    if response.status >= 300:
        raise SystemExit(f"{method} {target}: {response.status} {out[:500]!r}")
    return out


def median_ms(action, rounds=ROUNDS):
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        action()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


class Dump:
    """A bare server that sends the same bytes again and again: the floor of every read."""

    def __init__(self, path, body):
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" \
                      b"Connection: close\r\n\r\n" % len(body) + body
        self.door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.door.bind(path)
        self.door.listen(16)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.door.accept()
            except OSError:
                return
            with peer:
                while b"\r\n\r\n" not in peer.recv(65536):
                    pass
                peer.sendall(self.answer)

    def close(self):
        self.door.close()


def row(what, ours, floor, unit, budget=""):
    ratio = f"{ours / floor:7.2f} x" if floor else " " * 9
    print(f"{what:<52} {ours:10.2f} {floor or 0:10.2f} {unit:<6} {ratio}   {budget}", flush=True)


def document(count, tag):
    """A cluster.yaml of `count` nodes, each written out, as JSON."""
    nodes = {f"{tag}{i:05d}": {
        "nid": i, "interfaces": [{"name": "eth0", "mac": f"02:00:00:{i >> 16:02x}:{i >> 8 & 255:02x}:{i & 255:02x}",
                                  "addresses": [f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}"], "network": "mgmt"}],
        "attributes": {"rack": f"r{i // 40}", "slot": str(i % 40)}} for i in range(1, count + 1)}
    return {"kind": "drover-cluster", "version": 1, "nodes": nodes}


def apply(path, doc, dry=False):
    body = json.dumps({"document": doc, "why": "bench"}).encode()
    query = "?dry_run=true" if dry else ""
    return exchange(path, "POST", "/api/v1/apply" + query, body, {"Content-Type": "application/json"}.items())


def sqlite_rows(folder, rows):
    """The same rows, durable, in one transaction of plain SQLite."""
    db = sqlite3.connect(folder / "floor.db", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE IF NOT EXISTS o(kind TEXT, key TEXT, body TEXT, PRIMARY KEY(kind, key)) WITHOUT ROWID")
    db.execute("DELETE FROM o")
    began = time.perf_counter()
    db.execute("BEGIN IMMEDIATE")
    db.executemany("INSERT INTO o VALUES('node', ?, ?)", rows)
    db.execute("COMMIT")
    took = (time.perf_counter() - began) * 1000
    read = median_ms(lambda: db.execute("SELECT body FROM o WHERE kind='node' ORDER BY key").fetchall())
    db.close()
    return took, read


class Watcher(threading.Thread):
    """Follows the changes, and notes when the last awaited one has come."""

    def __init__(self, path, wanted):
        super().__init__(daemon=True)
        self.path, self.wanted, self.seen, self.last = path, wanted, 0, 0.0
        self.link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.link.settimeout(120)
        self.link.connect(path)
        self.link.sendall(b"GET /api/v1/watch?kind=node HTTP/1.1\r\nHost: bench\r\n\r\n")
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.link.recv(65536)
        self.start()

    def run(self):
        tail = b""
        while self.seen < self.wanted:
            data = self.link.recv(1 << 20)
            if not data:
                break
            text = tail + data
            self.seen += text.count(b"event: change\n")
            tail = text[-13:] if not text.endswith(b"event: change\n") else b""
        self.last = time.perf_counter()
        self.link.close()


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    applied = int(sys.argv[2]) if len(sys.argv) > 2 else 5_000
    with tempfile.TemporaryDirectory() as folder, c.Cluster("bench") as cluster:
        folder = pathlib.Path(folder)
        path = cluster.api.path
        print(f"{'':<52} {'Drover':>10} {'floor':>10}")

        small = document(applied, "a")
        decode = median_ms(lambda: json.loads(json.dumps(small)), 3)
        began = time.perf_counter()
        apply(path, small)
        took = (time.perf_counter() - began) * 1000
        listed = json.loads(exchange(path, "GET", f"/api/v1/nodes?limit=10000"))["items"]
        floor, _ = sqlite_rows(folder, [(n["name"], json.dumps(n)) for n in listed])
        row(f"apply of {applied} new nodes", took, floor + decode, "ms", "2000 ms; floor: decode, then one SQLite transaction")
        before = cluster.api.get("/changes?limit=1")
        row(f"the same apply again: nothing changes", median_ms(lambda: apply(path, small), 3), decode, "ms", "floor: decode")
        assert cluster.api.get("/changes?limit=1") == before

        apply(path, document(count, "n"))
        target = "/api/v1/nodes?limit=100000"
        # Pages are of 10,000 nodes at most; the first page is what is measured.
        target = f"/api/v1/nodes?nodes=~n.*&limit={min(count, 10_000)}"
        body = exchange(path, "GET", target)
        items = json.loads(body)["items"]
        assert len(items) == min(count, 10_000), len(items)
        dump = Dump(str(folder / "dump"), body)
        raw = median_ms(lambda: exchange(str(folder / "dump"), "GET", "/"))
        _, read = sqlite_rows(folder, [(n["name"], json.dumps(n)) for n in items])
        ours = median_ms(lambda: exchange(path, "GET", target))
        row(f"list of {len(items)} nodes ({len(body) / 1e6:.1f} MB)", ours, raw, "ms", "floor: a raw dump of the same bytes")
        row("  beside plain SQLite reading the rows", ours, read, "ms")
        dump.close()
        for what, query in (("one rack of 40 by attribute", "nodes=rack=r7"), ("a name range of 100", "nodes=n[00101-00200]"),
                            ("one node in state up of all: none", "nodes=phase=up")):
            row(f"filtered list: {what}", median_ms(lambda: exchange(path, "GET", f"/api/v1/nodes?{query}")), None, "ms")
        few = exchange(path, "GET", target + "&fields=name,phase.state")
        row(f"list of {len(items)}, two fields ({len(few) / 1e6:.1f} MB)",
            median_ms(lambda: exchange(path, "GET", target + "&fields=name,phase.state")), raw, "ms")

        changes = 1000
        watchers = [Watcher(path, changes) for _ in range(100)]
        began = time.perf_counter()
        names = f"n[00001-{changes:05d}]"
        exchange(path, "PATCH", f"/api/v1/nodes?nodes={names}", json.dumps({"flag": "warning", "why": "bench"}).encode(),
                 {"Content-Type": "application/json"}.items())
        answered = (time.perf_counter() - began) * 1000
        for w in watchers:
            w.join(120)
        assert all(w.seen == changes for w in watchers), sorted({w.seen for w in watchers})
        took = (max(w.last for w in watchers) - began) * 1000
        row(f"100 watchers see {changes} changes, the last one", took, None, "ms",
            f"{100 * changes / took * 1000:,.0f} events/s; the write was answered after {answered:.0f} ms")

        for what, command in (("drover node list", ["node", "list"]), ("drover node list -o json", ["node", "list", "-o", "json"]),
                              ("drover node show of one", ["node", "show", "n00077"]), ("drover health", ["health"]),
                              ("drover nodes count '*'", ["nodes", "count", "*"])):
            run = lambda: subprocess.run([c.BIN / "drover", *command], check=True, stdout=subprocess.DEVNULL,
                                         env={**os.environ, "DROVER_SOCKET": path})
            bare = median_ms(lambda: subprocess.run([c.BIN / "drover", "--version"], check=True, stdout=subprocess.DEVNULL))
            row(f"{what}, {count + applied} nodes", median_ms(run), bare, "ms", "100 ms; floor: drover --version")


if __name__ == "__main__":
    main()
