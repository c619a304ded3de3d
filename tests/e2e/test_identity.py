"""Who may join, what a certificate is good for and for how long, and who may do what at which socket."""
import concurrent.futures
import datetime
import os
import re
import subprocess

import pytest

import cluster as c

LIFETIME = 24  # seconds; a third of it is what a loaded machine has for a renewal
NOBODY = 65534


def certificate(daemon):
    """(serial, expiry) of the certificate that the daemon has on disk."""
    done = subprocess.run(["openssl", "x509", "-in", daemon.state / "identity/identity.pem", "-noout", "-serial", "-enddate"],
                          capture_output=True, text=True, check=True)
    return done.stdout


def expired(daemon):
    done = subprocess.run(["openssl", "x509", "-in", daemon.state / "identity/identity.pem", "-noout", "-checkend", "0"],
                          stdout=subprocess.DEVNULL, check=False)
    return done.returncode == 1


@pytest.fixture(scope="module")
def cluster():
    with c.Cluster("ident") as made:
        yield made.form(1, utilities=["login1"])


# --- join tokens ---

def test_a_token_lets_one_host_in_once(cluster):
    token = cluster.token("compute")
    cluster.join("compute", "n21", token)
    again = cluster.join("compute", "n22", token, check=4)
    assert "already used" in again.stderr and "next:" in again.stderr
    assert "n22" not in cluster.api.nodes()
    # The same host asking again (its answer was lost): nothing to do.
    assert "nothing to do" in cluster.join("compute", "n21", token).stdout


def test_of_many_hosts_with_one_token_one_gets_in(cluster):
    token = cluster.token("compute")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda i: cluster.join("compute", f"n{i}", token, check=None).returncode, range(31, 39)))
    assert sorted(done) == [0] + [4] * 7
    assert len([n for n in cluster.api.nodes() if n in {f"n{i}" for i in range(31, 39)}]) == 1


def test_a_token_is_for_its_role_its_names_and_its_time(cluster):
    wrong_role = cluster.join("aggregator", "agg7", cluster.token("compute"), check=4)
    assert "is for role compute, not for aggregator" in wrong_role.stderr
    wrong_name = cluster.join("compute", "n99", cluster.token("compute", "n[1-8]"), check=4)
    assert "is for n[1-8], not for 'n99'" in wrong_name.stderr

    late = cluster.api.json("POST", "/tokens", {"role": "compute", "ttl_s": 1, "uses": 1})
    expires = datetime.datetime.fromisoformat(late["expires"].replace("Z", "+00:00"))
    c.wait_for("the token expires", lambda: datetime.datetime.now(datetime.timezone.utc) > expires)
    assert "expired" in cluster.join("compute", "n98", late["token"], check=4).stderr

    revoked = cluster.api.json("POST", "/tokens", {"role": "compute", "ttl_s": 600, "uses": 1})
    cluster.cli("token", "revoke", revoked["id"], check=0)
    assert cluster.join("compute", "n97", revoked["token"], check=4).stderr
    assert not {"agg7", "n97", "n98", "n99"} & set(cluster.api.nodes())


def test_a_token_pins_the_cluster_it_is_for(cluster):
    with c.Cluster("other") as other:
        refused = cluster.cli("join", "--server", other.server, "--token", cluster.token("compute"), "--role", "compute",
                              "--name", "n96", "--dir", cluster.run / "n96")
        assert refused.returncode not in (0, 2), refused
        assert not (cluster.run / "n96/identity/identity.pem").exists()
        assert other.api.nodes() == {}, "the token's secret is not shown to a master of another cluster"
        assert "n96" not in other.master.log()


def test_secrets_lie_in_files_of_their_owner_alone(cluster):
    for path in (cluster["n1"].state / "identity/identity.pem", cluster.master.state / "ca/ca.key",
                 cluster.master.state / "identity/identity.pem"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert cluster.token("compute").split(".")[-1] not in cluster.master.log()


# --- who may do what at which socket ---

@pytest.mark.skipif(os.getuid() != 0, reason="only root can run a command as somebody else")
def test_another_user_is_a_viewer_everywhere(cluster):
    for name in ("master", "login1", "n1"):
        run = lambda *a, name=name: cluster.cli(*a, socket_of=cluster[name], user=NOBODY)
        assert '"n1"' in run("node", "list", "-o", "json").stdout, name
        refused = run("call", "ping", "n1")
        assert refused.returncode == 4, (name, refused)
        assert "it needs role user, the role here is viewer" in refused.stderr
        assert run("node", "set", "n1", "service=maintenance", "--why", "x").returncode == 4, name
        assert run("token", "create").returncode == 4, name
    assert cluster.api.get("/nodes/n1")["service"]["state"] == "discovered"


@pytest.mark.skipif(os.getuid() != 0, reason="speaks of root")
def test_root_is_as_much_as_its_host(cluster):
    codes = {name: [cluster.cli(*a, socket_of=cluster[name]).returncode for a in (
        ("node", "list"), ("call", "ping", "n1"), ("token", "create"))] for name in ("master", "login1", "n1")}
    assert codes == {"master": [0, 0, 0], "login1": [0, 0, 4], "n1": [0, 4, 4]}


def test_without_a_certificate_the_https_port_tells_nothing(cluster):
    run = cluster.cli("node", "list", "--server", cluster.server, "--ca", cluster.ca_pem)
    assert run.returncode == 4, run


# --- lifetimes ---

def test_certificates_rotate_without_a_restart_and_expired_ones_are_refused():
    # Who is starved for a while on a loaded machine is not lost here: silence is not what this is about.
    timing = ("--tree-heartbeat", "200ms", "--tree-silence", "20s")
    with c.Cluster("short", timing=timing, master_flags=["--certificate-lifetime", f"{LIFETIME}s"]) as cluster:
        cluster.form(2, aggregators=[("agg1", "127.0.0.1"), ("agg2", "127.0.0.1")], utilities=["login1"])
        cluster.join("compute", "n9")  # stays stopped until its certificate is worthless
        node9 = cluster._add("compute", "n9", cluster.timing)
        late = certificate(node9)
        daemons = [cluster[name] for name in ("master", "agg1", "agg2", "login1", "n1", "n2")]
        pids = [d.process.pid for d in daemons]
        last = cluster.api.changes()[-1]["sequence"]
        calls = 0
        for turn in range(2):
            before = {d.name: certificate(d) for d in daemons}

            def renewed():
                nonlocal calls
                report = cluster.api.call("n[1-2],login1")
                assert report["totals"]["done"] == 3, (turn, report)
                calls += 1
                return [d.name for d in daemons if certificate(d) == before[d.name]] == []
            c.wait_for(f"rotation {turn + 1} of every daemon", renewed, limit=120, every=0.1)
        assert [d.process.pid for d in daemons if d.running()] == pids
        phases = [(x["key"], x["after"]["phase"]["state"]) for x in cluster.api.changes(f"&since={last}&kind=node")
                  if x["before"]["phase"]["state"] != x["after"]["phase"]["state"]]
        assert phases == [], "nobody was lost while certificates changed"
        links = cluster["n1"].local_links()
        assert links["primary"]["state"] == links["secondary"]["state"] == "up"
        print(f"{calls} calls during two rotations, each answered by every node")

        assert certificate(node9) == late
        c.wait_for("the certificate of n9 to be worthless", lambda: expired(node9))
        mark = [cluster[name].log_size() for name in ("agg1", "agg2")]
        node9.start()
        print(node9.wait_log("no link to the parent.*expired"))
        c.wait_for("an aggregator says so too", lambda: [
            name for name, at in zip(("agg1", "agg2"), mark)
            if re.search("refused.*expired", cluster[name].log(at))])
        assert "expired" in node9.local()["certificate"]["alarm"]["what"]
        assert cluster.api.get("/nodes/n9")["phase"]["state"] == "unknown"

        # A new token mends it.
        node9.kill()
        token = cluster.token("compute", "n9", "--replace")
        cluster.cli("join", "--server", cluster.server, "--token", token, "--name", "n9", "--dir", node9.state, check=0)
        node9.start()
        cluster.wait_up("n9")
