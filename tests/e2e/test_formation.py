"""A cluster forms: every kind of daemon, IPv4 and IPv6, and what the command line says about it."""
import json
import os
import re

import pytest

import cluster as c

COMPUTES = 4


@pytest.fixture(scope="module")
def cluster():
    with c.Cluster("form") as made:
        yield made.form(COMPUTES, utilities=["login1"])


def test_every_daemon_is_up_with_its_links(cluster):
    health = cluster.cli_json("health")
    assert health["status"] == "ok", health["problems"]
    assert health["cluster"].startswith("form-")
    assert health["answered_by"] == {"role": "master", "name": "master"}
    daemons = {d["name"]: d for d in health["daemons"]}
    assert {n: (d["role"], d["state"]) for n, d in daemons.items() if d["role"] != "compute"} == {
        "master": ("master", "up"), "agg1": ("aggregator", "up"), "agg2": ("aggregator", "up"),
        "login1": ("utility", "up")}
    assert health["totals"]["nodes"]["up"] == COMPUTES + 1
    for i in range(1, COMPUTES + 1):
        links = cluster[f"n{i}"].local_links()
        assert links["primary"]["state"] == links["secondary"]["state"] == "up"
        assert {links["primary"]["peer"], links["secondary"]["peer"]} == {"agg1", "agg2"}
    assert cluster["login1"].local_links()["uplink"]["peer"] == "master"


def test_ipv4_and_ipv6_are_both_used(cluster):
    nodes = cluster.api.nodes()
    addresses = {nodes[f"n{i}"]["agent"]["address"] for i in range(1, COMPUTES + 1)}
    assert addresses, "computes have addresses"
    # agg1 listens on IPv4 alone and agg2 on IPv6 alone, and every node is linked to both.
    for port, table in ((cluster["agg1"].port, "tcp"), (cluster["agg2"].port, "tcp6")):
        with open(f"/proc/net/{table}", encoding="ascii") as lines:
            rows = [line.split() for line in lines][1:]
        established = [r for r in rows if r[3] == "01" and int(r[1].rsplit(":", 1)[1], 16) == port]
        assert len(established) == COMPUTES, (table, port)


def test_node_list_for_people_and_for_programs(cluster):
    folded = cluster.cli("node", "list", "--columns", "name,role,phase.state", check=0).stdout
    assert re.search(r"^n\[1-4\] +4 +compute +up$", folded, re.MULTILINE), folded
    table = cluster.cli("node", "list", "-o", "wide", check=0).stdout.splitlines()
    assert table[0].split()[:3] == ["NODE", "ROLE", "PHASE"]
    rows = {line.split()[0]: line.split()[1:] for line in table[1:]}
    assert set(rows) == {"n1", "n2", "n3", "n4", "login1"}
    assert rows["n1"][:2] == ["compute", "up"] and rows["login1"][:2] == ["utility", "up"]

    items = cluster.cli_json("node", "list", "n[1-3],-n2")["items"]
    assert [node["name"] for node in items] == ["n1", "n3"]
    yaml = cluster.cli("node", "list", "n1", "-o", "yaml", check=0).stdout
    assert re.search(r"^items:\n  - name: n1$", yaml, re.MULTILINE), yaml
    lines = cluster.cli("node", "list", "@compute", "-o", "jsonl", check=0).stdout.splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["n1", "n2", "n3", "n4"]
    assert cluster.cli("nodes", "fold", "n3,n1,n2", check=0).stdout.strip() == "n[1-3]"
    assert cluster.cli("nodes", "count", "@compute@phase=up", check=0).stdout.strip() == str(COMPUTES)


def test_ping_is_folded_into_one_line(cluster):
    done = cluster.cli("call", "ping", "@compute", check=0)
    assert re.search(r"n\[1-4\]: pong", done.stdout), done.stdout
    report = cluster.api.call("n[1-4],login1")
    assert report["totals"]["done"] == COMPUTES + 1
    assert [group["count"] for group in report["groups"]] == [COMPUTES + 1], report["groups"]


def test_every_daemons_socket_answers_the_same(cluster):
    expected = {name: node["id"] for name, node in cluster.api.nodes().items()}
    for name in ("agg1", "agg2", "login1", "n1"):
        got = {n: node["id"] for n, node in cluster[name].api.nodes().items()}
        assert got == expected, name
    assert cluster["n2"].local()["role"] == "compute"


def test_inventory_is_the_real_machines(cluster):
    parts = c.wait_for("the inventory of n1", lambda: cluster.api.get("/nodes/n1/inventory")["items"])
    kinds = {part["kind"] for part in parts}
    assert {"cpu", "memory", "os"} <= kinds, kinds
    with open("/proc/sys/kernel/osrelease", encoding="ascii") as text:
        kernel = text.read().strip()
    assert any(kernel in json.dumps(part["attributes"]) for part in parts if part["kind"] == "os")
    summary = cluster.api.get("/nodes/n1")["summary"]
    assert summary["cpus"] == os.sysconf("SC_NPROCESSORS_CONF")
    with open("/proc/meminfo", encoding="ascii") as text:
        total_mib = int(text.readline().split()[1]) // 1024
    assert abs(summary["memory_mib"] - total_mib) <= total_mib * 0.1 + 1
    assert summary["kernel"] == kernel
    shown = cluster.cli("node", "show", "n1", "--inventory", check=0).stdout
    assert "cpu" in shown and kernel in shown


def test_metrics_are_there_and_fresh(cluster):
    def sample(after=""):
        metrics = cluster.api.get("/nodes/n2/metrics")
        return metrics if metrics["metrics"] and metrics["time"] > after else None
    first = c.wait_for("metrics of n2", sample)
    again = c.wait_for("a newer sample of n2", lambda: sample(first["time"]), limit=20)
    assert any("mem" in name for name in again["metrics"]), again
    assert {item["node"] for item in cluster.api.get("/metrics")["items"]} >= {"n1", "n2", "login1"}
    assert "n2" in cluster.cli("node", "show", "n2", "--metrics", check=0).stdout


def test_watch_and_history_tell_of_a_change(cluster):
    since = cluster.api.changes()[-1]["sequence"]
    cluster.cli("node", "set", "n3", "service=maintenance", "--why", "new DIMM", check=0)
    lines = cluster.cli("watch", "node/n3", "--since", since, "--count", "1", "-o", "jsonl", check=0).stdout
    change = json.loads(lines.splitlines()[0])
    assert (change["kind"], change["key"], change["why"]) == ("node", "n3", "new DIMM")
    assert change["before"]["service"]["state"] != change["after"]["service"]["state"] == "maintenance"
    history = cluster.cli_json("history", "node/n3", "--since", since)["items"]
    assert [row["sequence"] for row in history] == [change["sequence"]]
    assert "new DIMM" in cluster.cli("history", "node/n3", check=0).stdout
    cluster.cli("node", "set", "n3", "service=in_service", "--why", "done", check=0)


def test_exit_codes(cluster):
    run = cluster.cli
    assert run("node", "list", "n[1-").returncode == 2
    assert run("frobnicate").returncode == 2
    assert run("node", "show", "n99").returncode == 1
    assert run("node", "list", "--socket", "/nonexistent/drover.sock").returncode == 3
    assert run("token", "list", socket_of=cluster["n1"]).returncode == 4
    first = run("join", "--server", cluster.server, "--token", cluster.token("compute", "n1"), "--role", "compute",
                "--name", "n1", "--dir", cluster.run / "second")
    assert first.returncode == 5, first.stderr  # the name is taken
    assert "next:" in first.stderr


def test_call_says_with_its_exit_code_that_a_node_failed(cluster):
    cluster.join("compute", "n9")  # known to the cluster, never started
    done = cluster.cli("call", "ping", "n1,n9", "--timeout", "5s")
    assert done.returncode == 1, done
    assert "n1: pong" in done.stdout and "n9" in done.stdout + done.stderr


def test_daemons_stop_in_order_and_come_back(cluster):
    cluster.join("compute", "n5")
    node = cluster._add("compute", "n5", cluster.timing).start()
    cluster.wait_up("n5")
    assert node.stop() == 0
    cluster.wait_phase("n5", "lost", limit=10)
    node.start()
    cluster.wait_up("n5")
    assert cluster.api.get("/nodes/n5")["agent"]["starts"] == 2
    assert node.stop() == 0
