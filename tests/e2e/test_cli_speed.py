"""Commands on 10,000 defined nodes: what one costs, in processor time, so that a busy machine does not matter."""
import contextlib
import json
import os
import sqlite3
import subprocess

import cluster as c
import pytest

NODES = 10_000
# Of drover and the master together, in a build with assertions; 100 ms is what a release has to keep.
LIMIT = 0.3


@pytest.fixture(scope="module")
def big():
    """A master that knows 10,000 nodes: one joins, the others are put into its store beside it."""
    with c.Cluster("big") as cluster:
        cluster.join("compute", "n1")
        assert cluster.master.stop() == 0
        with contextlib.closing(sqlite3.connect(cluster.master.state / "drover.db")) as store, store:
            revision, body = store.execute(
                "SELECT revision, after FROM objects JOIN changes ON sequence = revision "
                "WHERE objects.kind = 'node'").fetchone()
            for i in range(2, NODES + 1):
                node = {**json.loads(body), "name": f"n{i}", "id": f"{i:032x}",
                        "summary": {"cpus": 64 + i % 3, "memory_mib": 262144, "gpus": 0, "os": "Debian 12", "kernel": "6"}}
                store.execute("INSERT INTO objects (kind, key, revision, body) VALUES ('node', ?, ?, ?)",
                              (f"n{i}", revision, json.dumps(node)))
        cluster.start_master()
        assert len(cluster.api.nodes()) == NODES
        yield cluster


def master_seconds(cluster):
    """User and system time of the master so far (proc(5))."""
    with open(f"/proc/{cluster.master.process.pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cost(cluster, *arguments, rounds=5):
    """Processor seconds of one run: the quickest of drover's own, the mean of the master's."""
    env = {**cluster.environment, "DROVER_SOCKET": str(cluster.master.socket)}
    before, own = master_seconds(cluster), []
    for _ in range(rounds):
        process = subprocess.Popen([str(c.BIN / "drover"), *arguments], env=env, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode in (0, 1), arguments
        own.append(usage.ru_utime + usage.ru_stime)
    return min(own) + (master_seconds(cluster) - before) / rounds


@pytest.mark.parametrize("arguments", [
    ["node", "list"],
    ["node", "list", "-o", "wide"],
    ["node", "list", "-o", "name"],
    ["node", "list", "-o", "json"],
    ["node", "list", "-o", "json", "--sort", "-name"],
    ["node", "list", "-o", "yaml"],
    ["node", "list", "-o", "csv"],
    ["node", "list", "--filter", "summary.cpus=65", "--sort", "-node"],
    ["node", "show", "n[1-10000]", "--inventory"],
    ["node", "show", "n[1-10000]", "--metrics"],
    ["node", "show", "n77"],
    ["node", "show", "n[1-10000]"],
    ["nodes", "fold", "@compute,-n[5-9]"],
    ["nodes", "count", "summary.cpus=64"],
    ["health"],
    ["history"],
], ids=" ".join)
def test_every_command_is_quick(big, arguments):
    seconds = cost(big, *arguments)
    print(f"{seconds * 1000:.0f} ms")
    assert seconds < LIMIT


def test_a_tab_costs_next_to_nothing(big):
    """Names for completion, in under 50 ms at 10,000 nodes."""
    assert cost(big, "__complete", "--", "node", "show", "n99", rounds=20) < 0.05
    offered = big.cli("__complete", "--", "node", "show", "n99", check=0).stdout.splitlines()
    assert offered[0].startswith("n99\t") and len(offered) == 111
    first = big.cli("__complete", "--", "node", "show", "n", check=0).stdout.splitlines()
    assert len(first) == 200, "more than anybody reads"


def test_changing_many_is_not_a_request_for_each(big):
    refused = big.cli("node", "set", "n[1-10000]", "flag=warning")
    assert refused.returncode == 2 and "add --yes" in refused.stderr
    shown = big.cli("node", "set", "n[1-10000]", "flag=warning", "--dry-run", check=0)
    assert shown.stdout == "n[1-10000]: would be changed\n"
    same = big.cli("node", "set", "n[1-10000]", "flag=ok", "--yes", check=0)
    assert same.stdout == "n[1-10000]: unchanged\n"
