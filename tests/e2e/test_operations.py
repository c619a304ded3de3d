"""Long requests outlive the master that took them."""
import pytest

import cluster as c


@pytest.fixture(scope="module")
def cluster():
    with c.Cluster("operations") as made:
        yield made.form(3, aggregators=[("agg1", "127.0.0.1")])


def start(cluster, nodes, timeout_ms=60000):
    body = {"method": "ping", "nodes": nodes, "timeout_ms": timeout_ms}
    return cluster.api.json("POST", "/calls", body, {"Prefer": "respond-async"})["id"]


def operation(cluster, identity, query=""):
    return cluster.api.get(f"/operations/{identity}{query}", timeout=100)


def test_an_operation_survives_kill_9_of_its_master(cluster):
    cluster["n3"].pause()  # it has the call and does not answer
    identity = start(cluster, "n[1-3]")
    c.wait_for("two have answered", lambda: operation(cluster, identity)["settled"] == 2)
    c.wait_for("that is stored", lambda: [x for x in cluster.api.changes("&kind=operation")
                                          if x["after"] and x["after"]["settled"] == 2])
    first = operation(cluster, identity)
    assert first["state"] == "running" and first["taken_up"] == 0
    cluster.master.kill()
    cluster["n3"].resume()
    cluster.start_master()
    ended = operation(cluster, identity, "?wait=60")
    assert ended["state"] == "done", ended
    assert ended["taken_up"] == 1 and ended["master"] != first["master"]
    assert (ended["settled"], ended["done"]) == (3, 3)
    assert [(g["nodes"], g["result"]) for g in ended["groups"]] == [("n[1-3]", "pong")]
    cluster.wait_up("n1", "n2", "n3")


def test_one_whose_time_is_over_says_so(cluster):
    cluster["n3"].pause()
    identity = start(cluster, "n[2-3]", 1500)
    cluster.master.kill()
    c.time.sleep(1.6)  # its time passes while nobody runs it
    cluster["n3"].resume()
    cluster.start_master()
    ended = operation(cluster, identity, "?wait=60")
    assert ended["state"] == "interrupted", ended
    open_nodes = sum(g["count"] for g in ended["groups"] if g["outcome"] == "interrupted")
    assert open_nodes >= 1 and ended["done"] + open_nodes == 2, ended
    assert ended["why"] and ended["finished"]
    cluster.wait_up("n1", "n2", "n3")


def test_the_same_key_is_one_operation_over_a_restart(cluster):
    body = {"method": "ping", "nodes": "n1", "timeout_ms": 20000}
    headers = {"Prefer": "respond-async", "Idempotency-Key": "once"}
    first = cluster.api.json("POST", "/calls", body, headers)
    operation(cluster, first["id"], "?wait=60")
    cluster.master.kill()
    cluster.start_master()
    assert cluster.api.json("POST", "/calls", body, headers)["id"] == first["id"]
    assert [o["id"] for o in cluster.api.get("/operations")["items"]].count(first["id"]) == 1


def test_the_command_line_follows_one(cluster):
    cluster.wait_up("n1", "n2")
    identity = start(cluster, "n[1-2]")
    cluster.cli("operation", "wait", identity, check=0)
    shown = cluster.cli("operation", "show", identity, check=0).stdout
    assert "2 of 2 nodes have ended, 2 done" in shown and "n[1-2] (2): done: pong" in shown
    assert identity in cluster.cli("operation", "list", "--state", "done", "-o", "name", check=0).stdout
    assert cluster.cli("operation", "cancel", identity).returncode == 5
    assert cluster.cli("operation", "show", "nope").returncode == 1


def test_a_call_of_the_command_line_streams_or_runs_on_its_own(cluster):
    cluster.wait_up("n1", "n2")
    identity = cluster.cli("call", "ping", "n[1-2]", "--async", check=0).stdout.strip()
    assert cluster.cli_json("operation", "wait", identity)["state"] == "done"
    assert cluster.cli("call", "ping", "n[1-2]", check=0).stdout == "n[1-2]: pong\n"
    answer = cluster.cli_json("call", "ping", "n1")
    assert answer["totals"] == {"done": 1} and answer["groups"][0]["nodes"] == "n1"
    assert cluster.cli("call", "ping", "nosuch").returncode == 1
