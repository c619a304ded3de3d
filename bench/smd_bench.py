#!/usr/bin/env python3
"""SMD's interface at full size, beside the issue's budgets.

usage: smd_bench.py [NODES] [ENDPOINTS]    programs in DROVER_BIN; a master of its own in a temporary folder

Time on the clock, median of some rounds, and processor time of the master. The client keeps one connection, as
SMD's clients do; the endpoints are posted one by one over 16 connections, as magellan's are by 16 of them.
"""
import concurrent.futures
import contextlib
import json
import os
import pathlib
import statistics
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests/e2e"))
os.environ.setdefault("DROVER_BIN", str(HERE.parent / "build/release/bin"))
import cluster as c  # noqa: E402

ROUNDS = 9
BASE = "/hsm/v2"


def cpu_of(pid):
    return time.clock_gettime(~pid << 3 | 2)


def ask(connection, method, path, body=None):
    """Sends one request; the body of a successful answer."""
    connection.request(method, BASE + path, body=None if body is None else json.dumps(body))
    response = connection.getresponse()
    text = response.read()
    if response.status >= 300:
        raise SystemExit(f"{method} {path}: {response.status} {text[:200]}")
    return text


def row(what, action, pid, budget="", rounds=ROUNDS):
    wall, cpu = [], []
    for _ in range(rounds):
        spent, began = cpu_of(pid), time.perf_counter()
        action()
        wall.append((time.perf_counter() - began) * 1000)
        cpu.append((cpu_of(pid) - spent) * 1000)
    print(f"{what:<58}{statistics.median(wall):9.2f} ms{statistics.median(cpu):9.2f} ms cpu  {budget}", flush=True)


def xname(i):
    return f"x{1000 + i // 512}c{i // 64 % 8}s{i % 64}b0n0"


def main(nodes, endpoints):
    with c.Cluster("smdbench", timing=(), master_flags=("--api-rate", "0")) as cluster, \
         contextlib.closing(c.UnixConnection(str(cluster.master.socket), 120)) as connection:
        pid = cluster.master.process.pid
        ids = [xname(i) for i in range(nodes)]
        body = {"Components": [{"ID": one, "State": "On", "NID": i + 1} for i, one in enumerate(ids)]}
        row(f"POST State/Components, {nodes} in one body", lambda: ask(connection, "POST", "/State/Components", body), pid,
            rounds=1)
        row(f"GET State/Components, {nodes}", lambda: ask(connection, "GET", "/State/Components"), pid, "budget 15")
        row("GET State/Components?type=Node&state=!On", lambda: ask(connection, "GET", "/State/Components?type=Node&state=!On"),
            pid)
        row("GET State/Components/{xname}", lambda: ask(connection, "GET", f"/State/Components/{ids[-1]}"), pid)
        row("GET State/Components/ByNID/{nid}", lambda: ask(connection, "GET", f"/State/Components/ByNID/{nodes}"), pid)
        states = iter(["Off", "On"] * ROUNDS)
        row(f"PATCH BulkStateData, {nodes} ids", lambda: ask(
            connection, "PATCH", "/State/Components/BulkStateData", {"ComponentIDs": ids, "State": next(states)}), pid,
            "budget 100")
        row("GET Inventory/EthernetInterfaces", lambda: ask(connection, "GET", "/Inventory/EthernetInterfaces"), pid)
        row("GET memberships/{xname}", lambda: ask(connection, "GET", f"/memberships/{ids[-1]}"), pid)
        post_endpoints(cluster, pid, endpoints)


def post_endpoints(cluster, pid, count):
    """magellan's posts, each of a BMC with one node and two NICs."""
    lanes = 16

    def payload(i):
        address = f"10.{i // 65536}.{i // 256 % 256}.{i % 256}"
        nics = [{"uri": f"/redfish/v1/Systems/1/EthernetInterfaces/{k}", "mac": f"02:{k:02x}:00:{i // 65536:02x}:"
                 f"{i // 256 % 256:02x}:{i % 256:02x}", "ip": ""} for k in (1, 2)]
        return {"ID": f"x{5000 + i // 512}c{i // 64 % 8}s{i % 64}b0", "FQDN": address, "SchemaVersion": 1, "User": "root",
                "Systems": [{"uri": "/redfish/v1/Systems/1", "power": {"state": "On"}, "ethernet_interfaces": nics}],
                "Managers": [{"uri": "/redfish/v1/Managers/1", "type": "BMC"}]}

    def lane(first):
        with contextlib.closing(c.UnixConnection(str(cluster.master.socket), 120)) as connection:
            for i in range(first, count, lanes):
                ask(connection, "POST", "/Inventory/RedfishEndpoints", payload(i))

    def post_all():
        with concurrent.futures.ThreadPoolExecutor(lanes) as pool:
            list(pool.map(lane, range(lanes)))
    row(f"POST Inventory/RedfishEndpoints, {count} BMCs, 16 at once", post_all, pid, "budget 1000", rounds=1)


if __name__ == "__main__":
    main(*(int(a) for a in [*sys.argv[1:], *("10000", "2000")[len(sys.argv) - 1:]]))
