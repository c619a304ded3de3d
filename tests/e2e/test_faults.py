"""kill -9 and SIGSTOP of every kind of daemon: what the cluster says about it, and how soon."""
import collections
import re
import threading
import time

import pytest

import cluster as c

NODES = ["n1", "n2", "n3"]
# How soon is measured and printed, and judged by what the log says of the times; how long a test waits is
# not: a loaded machine may take its time to run anything at all.


@pytest.fixture(scope="module")
def formed():
    with c.Cluster("faults") as made:
        yield made.form(len(NODES), utilities=["login1"])


@pytest.fixture
def cluster(formed):
    """The cluster, whole again before every test."""
    for daemon in formed.daemons.values():
        if not daemon.running():
            daemon.start()
        elif daemon.paused:
            daemon.resume()
    c.wait_for("the master answers", lambda: formed.api.get("/version"))
    c.wait_for("both aggregators", lambda: formed.up("aggregator") == {"agg1", "agg2"})
    formed.wait_up(*NODES, "login1")
    formed.wait_redundant(*NODES)
    return formed


class Since:
    """What the change log says from here on."""

    def __init__(self, cluster):
        self.api = cluster.api
        self.start = self.api.changes()[-1]["sequence"]

    def phases(self):
        """(node, phase) of every stored change of phase."""
        out = []
        for change in self.api.changes(f"&since={self.start}&kind=node"):
            before, after = ((change[side] or {}).get("phase", {}).get("state") for side in ("before", "after"))
            if before != after:
                out.append((change["key"], after))
        return out

    def all(self):
        return [(x["kind"], x["key"], x["why"]) for x in self.api.changes(f"&since={self.start}")]


def measured(cluster, name, state):
    begun = time.monotonic()
    cluster.wait_phase(name, state)
    return time.monotonic() - begun


def one_outcome_each(report, nodes):
    """Every target is in exactly one group."""
    named = collections.Counter()
    for group in report["groups"]:
        for node in expand(group["nodes"]):
            named[node] += 1
    assert named == collections.Counter(nodes), report
    assert sum(report["totals"].values()) == len(nodes)


def expand(text):
    """n[1-2,4],login1 -> names; enough of the syntax for folded answers."""
    out = []
    for prefix, inner in re.findall(r"([^,\[\]]+)(?:\[([^\]]*)\])?", text):
        for part in (inner.split(",") if inner else [""]):
            first, _, last = part.partition("-")
            out += [f"{prefix}{i}" for i in range(int(first), int(last or first) + 1)] if part else [prefix]
    return out


@pytest.mark.parametrize("name", ["n1", "login1"])
def test_a_killed_node_is_lost_at_once_and_alone(cluster, name):
    log = Since(cluster)
    starts = cluster.api.get(f"/nodes/{name}")["agent"]["starts"]
    cluster[name].kill()
    took = measured(cluster, name, "lost")
    print(f"kill -9 of {name} seen after {took * 1000:.0f} ms")
    done = cluster.cli("call", "ping", f"{name},n2", "--timeout", "5s")
    assert done.returncode == 1 and "n2: pong" in done.stdout
    cluster[name].start()
    cluster.wait_up(name)
    assert log.phases() == [(name, "lost"), (name, "up")]
    assert cluster.api.get(f"/nodes/{name}")["agent"]["starts"] == starts + 1


@pytest.mark.parametrize("name", ["n2", "login1"])
def test_a_hung_node_is_lost_within_the_limit_of_silence(cluster, name):
    log = Since(cluster)
    starts = cluster.api.get(f"/nodes/{name}")["agent"]["starts"]
    cluster[name].pause()
    took = measured(cluster, name, "lost")
    print(f"SIGSTOP of {name} seen after {took * 1000:.0f} ms")
    assert "silent" in cluster.api.get(f"/nodes/{name}")["phase"]["why"]
    cluster[name].resume()
    cluster.wait_up(name)
    assert log.phases() == [(name, "lost"), (name, "up")]
    assert cluster.api.get(f"/nodes/{name}")["agent"]["starts"] == starts


@pytest.mark.parametrize("harm", ["kill", "pause"])
def test_nodes_move_when_their_primary_dies_and_go_home(cluster, harm):
    log = Since(cluster)
    primary = cluster.primary("n1")
    other = {"agg1": "agg2", "agg2": "agg1"}[primary]
    getattr(cluster[primary], harm)()
    begun = time.monotonic()
    c.wait_for("n1 is served by the other", lambda: cluster.primary("n1") == other and cluster.phase("n1") == "up")
    print(f"{harm} of the primary: n1 served again after {(time.monotonic() - begun) * 1000:.0f} ms")
    assert cluster.api.call("n[1-3]")["totals"]["done"] == 3
    assert cluster.api.get("/health")["status"] != "ok"
    if harm == "kill":
        cluster[primary].start()
    else:
        cluster[primary].resume()
    cluster.wait_redundant(*NODES)
    # After the hold the nodes that belong to it are moved home, so it is nobody's spare only.
    c.wait_for("some node goes home", lambda: primary in {cluster.primary(n) for n in NODES})
    assert cluster.api.call("n[1-3]")["totals"]["done"] == 3
    assert log.phases() == [], "the death of an aggregator is no node's death"


def test_nodes_without_any_aggregator_become_unknown_and_are_never_lost(cluster):
    log = Since(cluster)
    for name in ("agg1", "agg2"):
        cluster[name].kill()
    # The master cannot know: first the last word, unconfirmed, after the grace "unknown".
    first = c.wait_for("nobody vouches for n1", lambda: [
        phase for phase in [cluster.api.get("/nodes/n1")["phase"]] if not phase["confirmed"]])[0]
    assert first["state"] in ("up", "unknown")
    report = cluster.api.call("n[1-3],login1", timeout_ms=20000)
    one_outcome_each(report, [*NODES, "login1"])
    assert report["totals"]["done"] == 1
    c.wait_for("all unknown", lambda: {cluster.api.get(f"/nodes/{n}")["phase"]["state"] for n in NODES} == {"unknown"})
    for name in ("agg1", "agg2"):
        cluster[name].start()
    cluster.wait_up(*NODES)
    cluster.wait_redundant(*NODES)
    assert ("n1", "lost") not in log.phases()
    # The inventory was sent again over the new links, and as it is unchanged nothing was written.
    kinds = {kind for kind, _, why in log.all() if "inventory" in why or kind == "part"}
    assert kinds == set(), log.all()


def test_a_hung_master_declares_nobody_dead_when_it_wakes(cluster):
    log = Since(cluster)
    cluster.master.pause()
    c.wait_for("everybody above the nodes misses the master",
               lambda: all(cluster[a].local()["degraded"] for a in ("agg1", "agg2", "login1")))
    degraded = c.wait_for("n1 knows that its aggregator has none", lambda: cluster["n1"].local()["degraded"])
    assert "no link to a master" in degraded["why"], degraded
    cluster.master.resume()
    c.wait_for("the aggregators are back", lambda: cluster.up("aggregator") == {"agg1", "agg2"})
    cluster.wait_up(*NODES, "login1")
    c.wait_for("n1 knows that all is well", lambda: cluster["n1"].local()["degraded"] is None)
    # login1 hangs on the master itself, and ended the silent link: that is not its death.
    assert log.phases() == []
    assert cluster.api.call("n[1-3],login1")["totals"]["done"] == 4


def test_aggregators_that_slept_declare_nobody_dead(cluster):
    log = Since(cluster)
    for name in ("agg1", "agg2"):
        cluster[name].pause()
    c.wait_for("every node misses both", lambda: all(cluster[n].local()["degraded"] for n in NODES))
    for name in ("agg1", "agg2"):
        cluster[name].resume()
    cluster.wait_up(*NODES)
    cluster.wait_redundant(*NODES)
    assert [x for x in log.phases() if x[1] == "lost"] == []
    assert cluster.api.call("n[1-3]")["totals"]["done"] == 3


def test_a_killed_masters_return_changes_nothing(cluster):
    before = {name: cluster.api.get(f"/nodes/{name}")["id"] for name in NODES}
    log = Since(cluster)
    cluster.master.kill()
    cluster.start_master()
    cluster.wait_up(*NODES, "login1")
    cluster.wait_redundant(*NODES)
    assert {name: cluster.api.get(f"/nodes/{name}")["id"] for name in NODES} == before
    assert log.phases() == []
    assert cluster.api.call("n[1-3],login1")["totals"]["done"] == 4


def test_calls_during_an_aggregators_death_end_exactly_once(cluster):
    targets = [*NODES, "login1"]
    reports, stop = [], threading.Event()

    def caller():
        while not stop.is_set():
            reports.append(cluster.api.call("n[1-3],login1", timeout_ms=5000))

    threads = [threading.Thread(target=caller) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for victim in ("agg1", "agg2"):
            seen = len(reports)
            c.wait_for("calls are under way", lambda: len(reports) > seen + 10)
            cluster[victim].kill()
            other = {"agg1": "agg2", "agg2": "agg1"}[victim]
            c.wait_for("all nodes moved", lambda: {cluster.primary(n) for n in NODES} == {other})
            seen = len(reports)
            c.wait_for("calls go on", lambda: len(reports) > seen + 10)
            cluster[victim].start()
            cluster.wait_redundant(*NODES)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    for report in reports:
        one_outcome_each(report, targets)
    whole = sum(report["totals"]["done"] == len(targets) for report in reports)
    print(f"{len(reports)} calls during two deaths, {whole} of them answered by every node")
    assert whole >= len(reports) * 0.9
