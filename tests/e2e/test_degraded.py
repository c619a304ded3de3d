"""A node without a way up: its socket stays, says so, serves what it last heard, and mends itself."""
import os

import pytest

import cluster as c


@pytest.fixture
def cluster():
    with c.Cluster("alone") as made:
        yield made.form(2, utilities=["login1"])


def test_a_compute_without_aggregators_answers_what_it_knows(cluster):
    node = cluster["n1"]
    known = cluster.cli_json("node", "list", socket_of=node)["items"]
    healthy = node.local()
    assert healthy["degraded"] is None
    for name in ("agg1", "agg2"):
        cluster[name].kill()
    degraded = c.wait_for("n1 knows that it is alone", lambda: node.local()["degraded"])
    assert degraded["why"] and degraded["since"] > healthy["started"]

    cached = cluster.cli("node", "list", "-o", "json", socket_of=node, check=0)
    assert '"n1"' in cached.stdout
    assert "warning: the daemon is degraded" in cached.stderr and "s old" in cached.stderr
    answer = node.api.ask("GET", "/nodes")  # the very request that the command line sent before
    assert answer.status == 200
    assert answer.headers["Drover-Degraded"] and int(answer.headers["Age"]) >= 0
    assert {n["name"] for n in answer.json["items"]} == {n["name"] for n in known}

    local = cluster.cli("local", "-o", "json", socket_of=node, check=0)
    assert '"degraded"' in local.stdout and "agg" in local.stdout
    uncached = cluster.cli("token", "list", socket_of=node)
    assert uncached.returncode == 3
    assert "next:" in uncached.stderr
    refused = node.api.ask("GET", "/nodes/n2")
    assert refused.status == 503 and refused.headers["Drover-Degraded"]
    assert refused.json["type"] == "urn:drover:problem:unreachable" and refused.json["next"]
    written = cluster.cli("node", "set", "n1", "service=maintenance", "--why", "x", socket_of=cluster["n2"])
    assert written.returncode == 3, written

    if os.getuid() == 0:  # what one user was told is not told to another
        assert cluster.cli("node", "list", socket_of=node, user=65534).returncode == 3

    # A kill -9 in this state loses nothing either.
    node.kill()
    node.start()
    c.wait_for("n1's socket is back", lambda: node.local()["degraded"])

    for name in ("agg1", "agg2"):
        cluster[name].start()
    c.wait_for("n1 is well again by itself", lambda: node.local()["degraded"] is None)
    cluster.wait_up("n1", "n2")
    assert cluster.cli("node", "list", socket_of=node, check=0).stderr == ""


def test_members_without_a_master_answer_what_they_know(cluster):
    for name in ("agg1", "login1", "n1"):
        cluster[name].api.nodes()
    cluster.master.kill()
    for name in ("agg1", "login1"):
        c.wait_for(f"{name} knows", lambda name=name: cluster[name].local()["degraded"])
        answer = cluster[name].api.ask("GET", "/nodes")
        assert answer.status == 200 and answer.headers["Drover-Degraded"], name
    # The compute's way leads through an aggregator that has no master itself.
    answer = c.wait_for("n1 serves what it knows", lambda: cluster["n1"].api.ask("GET", "/nodes"))
    assert answer.status == 200 and answer.headers["Drover-Degraded"]
    cluster.start_master()
    for name in ("agg1", "login1", "n1"):
        c.wait_for(f"{name} is well", lambda name=name: "Drover-Degraded" not in
                   cluster[name].api.ask("GET", "/nodes").headers)
