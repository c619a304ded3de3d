#!/usr/bin/env python3
"""The model, its API and the command line at full size, beside their floors.

usage: model_bench.py [NODES] [APPLIED]    programs in DROVER_BIN; a master of its own in a temporary folder

Every figure is there twice: the time on the clock, median of some rounds, floor and Drover in turns; and the
processor time of the server (of drover too, for commands), which other work on the machine does not change. The
ratio is that of the processor times. The floors: the same answer sent from memory by a bare server over the
same kind of socket to the same client; the same rows in plain SQLite; a start of the program that does nothing.
"""
import itertools
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


class Figure:
    """Milliseconds on the clock and of processor time, per round."""

    def __init__(self):
        self.wall, self.cpu = [], []

    def add(self, wall, cpu):
        self.wall.append(wall * 1000)
        self.cpu.append(cpu * 1000)


def cpu_of(pid):
    """Processor seconds of a process, all its threads (the clock of clock_getcpuclockid(3))."""
    return time.clock_gettime(~pid << 3 | 2)


def of_server(pid, action):
    def measure():
        cpu, began = cpu_of(pid), time.perf_counter()
        action()
        return time.perf_counter() - began, cpu_of(pid) - cpu
    return measure


def of_this_process(action):
    def measure():
        cpu, began = time.process_time(), time.perf_counter()
        action()
        return time.perf_counter() - began, time.process_time() - cpu
    return measure


def of_command(command, environment, server):
    """The program's own time and the server's."""
    def measure():
        cpu, began = cpu_of(server), time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, 1):  # 1: health finds daemons that do not run here
            raise SystemExit(f"{command}: {process.returncode}")
        return time.perf_counter() - began, usage.ru_utime + usage.ru_stime + cpu_of(server) - cpu
    return measure


def row(what, ours, floor=None, budget="", rounds=ROUNDS):
    """Measures in turns and prints one line of the table."""
    figures = [Figure(), Figure()]
    for _ in range(rounds):
        for figure, measure in zip(figures, (floor, ours)):
            if measure:
                figure.add(*measure())
    middle = statistics.median
    mine, base = figures[1], figures[0]
    line = f"{what:<46} {middle(mine.wall):9.1f} {middle(mine.cpu):9.1f}"
    if floor:
        line += f" {middle(base.wall):9.1f} {middle(base.cpu):9.1f} {middle(mine.cpu) / max(middle(base.cpu), 0.01):8.2f} x"
    else:
        line += " " * 30
    print(f"{line}   {budget}".rstrip(), flush=True)


def exchange(path, method, target, body=b"", headers=None):
    """One request on a fresh connection to a Unix socket; the body of its answer, unparsed."""
    link = c.UnixConnection(path, timeout=120)
    link.request(method, target, body, headers or {})
    response = link.getresponse()
    out = response.read()
    link.close()
    if response.status >= 300:
        raise SystemExit(f"{method} {target}: {response.status} {out[:500]!r}")
    return out


class BareServer:
    """A process that only sends bytes: one answer to each request, or what watchers get to each of them."""

    def __init__(self, path):
        self.path = str(path)
        self.door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.door.bind(self.path)
        self.door.listen(256)

    def serve(self, work):
        self.pid = os.fork()
        if self.pid == 0:
            try:
                work()
            finally:
                os._exit(0)
        return self

    def answers(self, body):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" \
               b"Connection: close\r\n\r\n" % len(body)

        def work():
            while True:
                peer, _ = self.door.accept()
                with peer:
                    while b"\r\n\r\n" not in peer.recv(65536):
                        pass
                    peer.sendall(head + body)
        return self.serve(work)

    def streams(self, events, watchers):
        """Each event to each watcher in a write of its own, once the last of them is there."""
        def work():
            peers = [self.door.accept()[0] for _ in range(watchers)]
            for peer in peers:
                while b"\r\n\r\n" not in peer.recv(65536):
                    pass
                peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            self.door.accept()  # the start
            for event in events:
                for peer in peers:
                    peer.sendall(event)
            time.sleep(600)  # until it has been measured
        return self.serve(work)

    def close(self):
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        self.door.close()
        os.unlink(self.path)


class Watcher(threading.Thread):
    """Follows the changes until the last awaited one has come."""

    def __init__(self, path, wanted):
        super().__init__(daemon=True)
        self.wanted, self.text = wanted, []
        self.link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.link.settimeout(120)
        self.link.connect(path)
        self.link.sendall(b"GET /api/v1/watch?kind=node HTTP/1.1\r\nHost: bench\r\n\r\n")

    def begin(self):
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.link.recv(1)
        self.start()

    def run(self):
        seen, tail = 0, b""
        while seen < self.wanted:
            data = self.link.recv(1 << 20)
            if not data:
                break
            self.text.append(data)
            seen += (tail + data).count(b"event: change\n")
            tail = (tail + data)[-13:]  # a byte less than the mark
        self.seen = seen


def document(count, tag):
    """A cluster.yaml of `count` nodes, each written out, as JSON."""
    nodes = {f"{tag}{i:05d}": {
        "nid": i, "interfaces": [{"name": "eth0", "mac": f"02:00:00:{i >> 16:02x}:{i >> 8 & 255:02x}:{i & 255:02x}",
                                  "addresses": [f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}"], "network": "mgmt"}],
        "attributes": {"rack": f"r{i // 40}", "slot": str(i % 40)}} for i in range(1, count + 1)}
    return {"kind": "drover-cluster", "version": 1, "nodes": nodes}


def apply_body(doc):
    return json.dumps({"document": doc, "why": "bench"}).encode()


def apply(path, body):
    exchange(path, "POST", "/api/v1/apply", body, {"Content-Type": "application/json"})


class Rows:
    """The same objects in plain SQLite, durable."""

    def __init__(self, folder):
        self.db = sqlite3.connect(folder / "floor.db", isolation_level=None)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=FULL")
        self.db.execute("CREATE TABLE o(kind TEXT, key TEXT, body TEXT, PRIMARY KEY(kind, key)) WITHOUT ROWID")

    def write(self, rows):
        self.db.execute("BEGIN IMMEDIATE")
        self.db.execute("DELETE FROM o")
        self.db.executemany("INSERT INTO o VALUES('node', ?, ?)", rows)
        self.db.execute("COMMIT")

    def read(self, where="", values=()):
        return self.db.execute(f"SELECT body FROM o WHERE kind='node' {where} ORDER BY key", values).fetchall()


def bench_apply(cluster, rows, applied):
    path, pid = cluster.api.path, cluster.master.process.pid
    body = apply_body(document(applied, "a"))
    decoded = json.loads(body)["document"]["nodes"]

    def floor():
        json.loads(body)
        rows.write([(name, json.dumps(node)) for name, node in decoded.items()])

    row(f"apply of {applied} new nodes", of_server(pid, lambda: apply(path, body)), of_this_process(floor),
        "2000 ms; floor: decode, SQLite", rounds=1)
    files = [cluster.master.state / name for name in ("drover.db", "drover.db-wal")]
    before = [(f.stat().st_size, f.stat().st_mtime_ns) for f in files if f.exists()]
    row("the same again: nothing is written", of_server(pid, lambda: apply(path, body)),
        of_this_process(lambda: json.loads(body)), "floor: decode", rounds=5)
    assert [(f.stat().st_size, f.stat().st_mtime_ns) for f in files if f.exists()] == before, "it did write"


def bench_lists(cluster, rows, folder, count):
    path, pid = cluster.api.path, cluster.master.process.pid
    items = json.loads(exchange(path, "GET", "/api/v1/nodes"))["items"]
    assert len(items) == count, len(items)
    rows.write([(item["name"], json.dumps(item)) for item in items])
    filters = [(f"list of {count} nodes", "", "", ()),
               ("  two fields of each", "?fields=name,phase.state", None, ()),
               ("  a rack of 40 by attribute", "?nodes=rack=r7",
                "AND json_extract(body, '$.spec.attributes.rack') = ?", ("r7",)),
               ("  a range of 100 names", "?nodes=n[00101-00200]", "AND key BETWEEN ? AND ?", ("n00101", "n00200")),
               ("  by state: none is up", "?nodes=phase=up", "AND json_extract(body, '$.phase.state') = ?", ("up",))]
    for what, query, where, values in filters:
        target = "/api/v1/nodes" + query
        body = exchange(path, "GET", target)
        ours = of_server(pid, lambda: exchange(path, "GET", target))
        bare = BareServer(folder / "bare").answers(body)
        row(f"{what} ({len(body) / 1e6:.2f} MB)", ours,
            of_server(bare.pid, lambda: exchange(bare.path, "GET", "/")), "floor: the same bytes from memory")
        bare.close()
        if where is None:
            continue
        assert len(rows.read(where, values)) == len(json.loads(body)["items"])
        row("    beside plain SQLite", ours, of_this_process(lambda: rows.read(where, values)),
            "floor: SELECT of the rows")


def bench_watchers(cluster, folder, changes=1000, count=100):
    path, pid = cluster.api.path, cluster.master.process.pid
    flags = iter(["warning", "ok"] * 2)
    kept = {}

    def change():
        exchange(path, "PATCH", f"/api/v1/nodes?nodes=n[00001-{changes:05d}]",
                 json.dumps({"flag": next(flags), "why": "bench"}).encode(),
                 {"Content-Type": "application/merge-patch+json"})

    def follow(server, door, start):
        watchers = [Watcher(door, changes) for _ in range(count)]
        for watcher in watchers:
            watcher.begin()
        figure = of_server(server, lambda: (start(), [watcher.join(120) for watcher in watchers]))()
        assert all(watcher.seen == changes for watcher in watchers), {watcher.seen for watcher in watchers}
        kept["text"] = b"".join(watchers[0].text)
        for watcher in watchers:
            watcher.link.close()
        return figure

    follow(pid, path, change)
    events = [event + b"\n\n" for event in kept["text"].split(b"\n\n") if b"event: change" in event]

    def floor():
        bare = BareServer(folder / "bare").streams(events, count)
        door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            return follow(bare.pid, bare.path, lambda: door.connect(bare.path))
        finally:
            door.close()
            bare.close()

    row(f"{count} watchers of {changes} changes, to the last", lambda: follow(pid, path, change), floor,
        "with the writing; floor: the same writes", rounds=3)
    row("  the writing alone", of_server(pid, lambda: exchange(
        path, "PATCH", f"/api/v1/nodes?nodes=n[00001-{changes:05d}]", json.dumps({"flag": "warning", "why": "x"}).encode(),
        {"Content-Type": "application/merge-patch+json"})), rounds=1)


def bench_commands(cluster):
    environment = {**os.environ, "DROVER_SOCKET": str(cluster.master.socket)}
    pid = cluster.master.process.pid

    def measure(*arguments):
        return of_command([str(c.BIN / "drover"), *arguments], environment, pid)

    lists = [["node", "list", "-o", form] for form in ("table", "wide", "json", "jsonl", "yaml", "csv", "name")]
    others = [["node", "list", "rack=r7"], ["node", "list", "--filter", "spec.attributes.rack=r7"],
              ["node", "list", "--sort=-spec.nid"], ["node", "list", "--view", "csm"],
              ["node", "show", "n00077"], ["node", "attributes", "n00077"], ["node", "attributes", "*"],
              ["nodes", "expand", "*"], ["nodes", "count", "*"], ["nodes", "fold", "@compute"],
              ["group", "list"], ["group", "show", "everyone"], ["group", "members", "everyone"],
              ["health"], ["history"], ["audit"], ["operation", "list"],
              ["export"], ["export", "-o", "json"]]
    for arguments in lists + others:
        row("drover " + " ".join(arguments), measure(*arguments), measure("--version"), "100 ms; floor: --version")
    flags = itertools.cycle(["warning", "ok"])

    def change():
        return measure("node", "set", "*", f"flag={next(flags)}", "--yes", "--why", "bench")()

    row("drover node set '*' flag=..", change, measure("--version"), "100 ms; 10,000 durable writes")
    row("  what is so already", measure("node", "set", "*", "enabled=true", "--yes"), measure("--version"),
        "100 ms")
    row("completion of a node's name", measure("__complete", "--", "node", "show", "n000"), measure("--version"), "50 ms")


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    applied = int(sys.argv[2]) if len(sys.argv) > 2 else 5_000
    print(f"{'':<46} {'Drover':>19} {'floor':>19}\n{'milliseconds':<46} {'clock':>9} {'CPU':>9} {'clock':>9} {'CPU':>9}",
          flush=True)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        rows = Rows(folder)
        with c.Cluster("bench") as cluster:
            bench_apply(cluster, rows, applied)
        with c.Cluster("bench") as cluster:
            apply(cluster.api.path, apply_body({**document(count, "n"),
                                                "groups": {"everyone": {"nodes": f"n[00001-{count:05d}]"}}}))
            bench_lists(cluster, rows, folder, count)
            bench_watchers(cluster, folder)
            bench_commands(cluster)


if __name__ == "__main__":
    main()
