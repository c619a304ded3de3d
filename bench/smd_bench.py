#!/usr/bin/env python3
"""SMD's interface at full size, beside the issue's budgets.

usage: smd_bench.py [NODES] [ENDPOINTS]    programs in DROVER_BIN; a master of its own in a temporary folder

Time on the clock, median of some rounds (and the shortest), and processor time of the master. The client keeps one
connection, as SMD's clients do; the endpoints are posted one by one over 16 connections, as magellan's are by 16 of
them. Bodies are written before the clock starts, and answers read after it has stopped: the client has a processor's
share of the machine as it is.
"""
import concurrent.futures
import contextlib
import json
import os
import pathlib
import socket
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
    """Sends one request; the body of a successful answer. `body` may be text already."""
    connection.request(method, BASE + path, body=json.dumps(body) if isinstance(body, (dict, list)) else body)
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
    least = f" (least {min(wall):.2f})" if rounds > 1 else ""
    print(f"{what:<58}{statistics.median(wall):9.2f} ms{statistics.median(cpu):9.2f} ms cpu  {budget}{least}", flush=True)


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
        states = iter([json.dumps({"ComponentIDs": ids, "State": state}) for state in ("Off", "On")] * ROUNDS)
        row(f"PATCH BulkStateData, {nodes} ids",
            lambda: ask(connection, "PATCH", "/State/Components/BulkStateData", next(states)), pid, "budget 100")
        row("GET Inventory/EthernetInterfaces", lambda: ask(connection, "GET", "/Inventory/EthernetInterfaces"), pid)
        row("GET memberships/{xname}", lambda: ask(connection, "GET", f"/memberships/{ids[-1]}"), pid)
        post_endpoints(cluster, pid, endpoints)
        row(f"GET Inventory/Hardware, {endpoints} BMCs", lambda: ask(connection, "GET", "/Inventory/Hardware"), pid)
        row("GET Inventory/Hardware/{xname}", lambda: ask(connection, "GET", "/Inventory/Hardware/x5000c0s0b0n0"), pid)
        row(f"GET Inventory/Hardware/History, {endpoints} BMCs",
            lambda: ask(connection, "GET", "/Inventory/Hardware/History"), pid)


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

    bodies = [json.dumps(payload(i)).encode() for i in range(count)]
    requests = [b"POST /hsm/v2/Inventory/RedfishEndpoints HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
                for body in bodies]

    def lane(first):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(cluster.master.socket))
            for request in requests[first::lanes]:
                connection.sendall(request)
                answer = connection.recv(65536)  # short enough to come at once
                if not answer.startswith(b"HTTP/1.1 201") or not answer.endswith(b"]\n"):
                    raise SystemExit(answer)

    def post_all():
        with concurrent.futures.ThreadPoolExecutor(lanes) as pool:
            list(pool.map(lane, range(lanes)))
    row(f"POST Inventory/RedfishEndpoints, {count} BMCs, 16 at once", post_all, pid, "budget 1000", rounds=1)


if __name__ == "__main__":
    main(*(int(a) for a in [*sys.argv[1:], *("10000", "2000")[len(sys.argv) - 1:]]))
