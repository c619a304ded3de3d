"""Defining nodes, groups and profiles, with real daemons: what joins meets what was defined."""
import pytest

import cluster as c


@pytest.fixture(scope="module")
def cluster():
    with c.Cluster("model") as made:
        yield made.form(2)


def test_nodes_are_defined_before_they_are_heard_of(cluster):
    cluster.cli("profile", "add", "default", "rack=${(number-1)/4+1}", check=0)
    cluster.cli("profile", "add", "gpu", "kernel_args=rack=${rack} quiet", check=0)
    added = cluster.cli("node", "add", "m[1-8]", "eth0.address=10.0.${rack}.${number}/16",
                        "profiles=gpu", "--why", "new rack", check=0)
    assert added.stdout == "m[1-8]: added\n"
    cluster.cli("group", "add", "second", "range=rack=2 & @all", "room=b12", check=0)
    assert cluster.cli("group", "members", "second", check=0).stdout == "m[5-8]\n"
    assert cluster.cli("node", "list", "room=b12", "-o", "name", check=0).stdout.split() == [
        "m5", "m6", "m7", "m8"]
    assert cluster.cli("node", "list", "ip=10.0.2.7", "-o", "name", check=0).stdout == "m7\n"
    blame = cluster.cli("node", "attributes", "m5", "--blame", "--attribute", "kernel_args", check=0).stdout
    assert "rack=2 quiet" in blame and "profile gpu of node" in blame, blame


def test_what_is_taken_is_refused_and_says_by_whom(cluster):
    refused = cluster.cli("node", "add", "m9", "eth0.address=10.0.2.7", check=5)
    assert "'10.0.2.7' is taken: node 'm7' has it" in refused.stderr
    some = cluster.cli("node", "set", "m[1-3]", "nid=5", "--dry-run", check=1)
    assert "m1: would be changed" in some.stdout and "m[2-3]: " in some.stderr
    moved = cluster.cli("profile", "set", "default", "rack=9", check=0)
    assert moved.returncode == 0
    assert cluster.cli("node", "list", "ip=10.0.9.7", "-o", "name", check=0).stdout == "m7\n"


def test_many_nodes_change_in_one_request(cluster):
    before = cluster.cli_json("history", "node/m1")
    cluster.cli("node", "set", "m[1-8]", "service=maintenance", "profiles-=gpu", "--why", "recabling",
                check=0)
    after = cluster.cli_json("history", "node/m1")
    assert len(after["items"]) == len(before["items"]) + 1
    assert cluster.cli("node", "list", "m[1-8]@profile=gpu", "-o", "name", check=0).stdout == ""
    view = cluster.cli("node", "list", "m[1-8]", "--view", "csm", check=0).stdout
    assert "MAINTENANCE" in view


def test_a_joined_node_is_renamed_and_removed_on_purpose_alone(cluster):
    cluster.wait_up("n1", "n2")
    identity = cluster.cli_json("node", "show", "n1")["items"][0]["id"]
    assert cluster.cli("node", "rename", "n1", "first", check=5).stderr.count("must join again")
    assert cluster.cli("node", "remove", "n2", check=5).stderr.count("is up")
    cluster.cli("node", "rename", "n1", "first", "--force", "--why", "new plan", check=0)
    assert cluster.cli_json("node", "show", "first")["items"][0]["id"] == identity
    assert cluster.cli("node", "show", "first", "--inventory", check=0).stdout.count("cpu")

    cluster.cli("node", "remove", "n2", "--force", check=0)
    n2 = cluster["n2"]
    n2.kill()
    before = n2.log_size()
    n2.start()
    n2.wait_log("its node was removed", before)
    assert "n2" not in cluster.api.nodes(), "what its agent reports does not bring it back"

    n2.kill()
    cluster.cli("join", "--server", cluster.server, "--token", cluster.token("compute", "n2", "--replace"),
                "--role", "compute", "--name", "n2", "--dir", cluster.run / "n2", "--again", check=0)
    n2.start()
    cluster.wait_up("n2")


def test_a_static_group_follows_its_nodes(cluster):
    cluster.cli("group", "add", "pair", "nodes=m[1-2]", check=0)
    cluster.cli("node", "rename", "m1", "z1", check=0)
    assert cluster.cli("group", "members", "pair", check=0).stdout == "m2,z1\n"
    cluster.cli("node", "remove", "m2", "--why", "scrapped", check=0)
    assert cluster.cli("group", "members", "pair", check=0).stdout == "z1\n"
    assert "renamed from m1 to z1" in cluster.cli("history", "node/z1", check=0).stdout
