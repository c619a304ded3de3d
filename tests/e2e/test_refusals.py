"""Who does not belong is refused, and both ends say why. Bytes that make no sense harm nobody."""
import os
import shutil
import socket
import ssl
import struct

import pytest

import cluster as c
import wire


@pytest.fixture(scope="module")
def cluster():
    with c.Cluster("home") as made:
        yield made.form(2, utilities=["login1"])


@pytest.fixture
def unharmed(cluster):
    """Whatever a test does to the cluster's ports: the same processes run, and nothing was written."""
    pids = {name: d.process.pid for name, d in cluster.daemons.items() if d.running()}
    last = cluster.api.changes()[-1]["sequence"]
    yield
    assert {name: cluster[name].process.pid for name in pids if cluster[name].running()} == pids
    assert cluster.api.call("n[1-2],login1")["totals"]["done"] == 3
    assert [(x["kind"], x["key"], x["why"]) for x in cluster.api.changes(f"&since={last}")] == []
    assert cluster.up("aggregator") == {"agg1", "agg2"}


def stranger(cluster, role, name, source, **endpoints):
    """A daemon on a copy of another's files, dialling where it should not; not one of the cluster's own."""
    daemon = c.Daemon(cluster, role, name, [])
    shutil.copytree(source.state, daemon.state, ignore=shutil.ignore_patterns("pid", "spool"))
    daemon.flags = [*cluster.timing, *[x for k, v in endpoints.items() for x in (f"--{k}", v)]]
    cluster.daemons[name] = daemon
    return daemon


def tree_ports(cluster):
    agg1, agg2 = cluster["agg1"], cluster["agg2"]
    return [(cluster.master, "127.0.0.1", cluster.tree_port), (agg1, agg1.host, agg1.port), (agg2, agg2.host, agg2.port)]


@pytest.mark.usefixtures("unharmed")
def test_a_daemon_of_another_cluster_is_refused_by_both_ends(cluster):
    with c.Cluster("abroad") as abroad:
        abroad.form(0, aggregators=[("agg9", "127.0.0.1")])
        abroad.join("compute", "n1")
        agg1 = cluster["agg1"]
        mark = agg1.log_size()
        node = abroad._add("compute", "n1", [*abroad.timing, "--aggregators", f"127.0.0.1:{agg1.port}"]).start()
        print(node.wait_log(r"no link to the parent.*(certificate|unknown ca|CA)"))
        print(agg1.wait_log(r"refused a connection.*(certificate|unknown ca|CA)", mark))
        assert node.local()["degraded"]
        assert abroad.api.get("/nodes/n1")["phase"]["state"] == "unknown"


@pytest.mark.usefixtures("unharmed")
def test_a_daemon_of_the_wrong_role_is_refused_with_the_reason(cluster):
    agg1, mark = cluster["agg1"], cluster["agg1"].log_size()
    utility = stranger(cluster, "utility", "login1-stray", cluster["login1"], masters=f"127.0.0.1:{agg1.port}").start()
    print(utility.wait_log(r"no link to the parent.*utility.*expected compute"))
    print(agg1.wait_log(r"the peer is a utility, expected compute", mark))
    utility.kill()

    mark = cluster.master.log_size()
    compute = stranger(cluster, "compute", "n1-stray", cluster["n1"],
                       aggregators=f"127.0.0.1:{cluster.tree_port}").start()
    print(compute.wait_log(r"no link to the parent.*compute.*expected"))
    print(cluster.master.wait_log(r"the peer is a compute, expected aggregator or utility", mark))
    compute.kill()


@pytest.mark.usefixtures("unharmed")
def test_a_computes_certificate_makes_no_aggregator(cluster):
    shutil.copytree(cluster["n1"].state, cluster.run / "fake", ignore=shutil.ignore_patterns("pid", "spool"))
    fake = c.Daemon(cluster, "aggregator", "fake", [
        "--masters", f"127.0.0.1:{cluster.tree_port}", "--listen", "127.0.0.1:0"])
    (fake.state / "compute.toml").rename(fake.state / "aggregator.toml")
    text = (fake.state / "aggregator.toml").read_text().replace("aggregators =", "masters =")
    (fake.state / "aggregator.toml").write_text(text.replace(str(cluster["n1"].state), str(fake.state)))
    cluster.daemons["fake"] = fake
    fake.start()
    assert fake.process.wait(20) == 78
    assert "drover://" in fake.log() and "compute/n1" in fake.log()


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize("role,name,protocol,reason", [
    ("aggregator", "agg1", (1, 1), "hello says role aggregator, its certificate says compute"),
    ("compute", "n2", (1, 1), "hello says name n2, its certificate says n1"),
    ("compute", "n1", (90, 99), "no common protocol version"),
])
def test_a_hello_that_lies_is_refused_with_the_reason(cluster, role, name, protocol, reason):
    agg1, mark = cluster["agg1"], cluster["agg1"].log_size()
    cluster_id = (cluster.master.state / "cluster").read_text().strip()
    with wire.tls(agg1.host, agg1.port, cluster["n1"].state / "identity/identity.pem") as peer:
        peer.sendall(wire.hello(cluster_id, role, name, protocol))
        answer = wire.frames(wire.read_until_closed(peer))
    assert answer and answer[0][0] == wire.REFUSAL and reason.encode() in answer[0][1], answer
    agg1.wait_log(reason, mark)


@pytest.mark.usefixtures("unharmed")
def test_a_peer_without_a_certificate_gets_nowhere(cluster):
    for daemon, host, port in tree_ports(cluster):
        mark = daemon.log_size()
        try:
            with wire.tls(host, port) as peer:
                peer.sendall(wire.hello("home", "compute", "n1"))
                assert wire.read_until_closed(peer) == b""
        except ssl.SSLError:
            pass  # the alert, depending on how quick it is
        print(daemon.wait_log("refused a connection.*certificate", mark))


@pytest.mark.usefixtures("unharmed")
def test_bytes_that_are_no_tls_are_dropped(cluster):
    for daemon, host, port in tree_ports(cluster):
        for junk in (b"GET / HTTP/1.1\r\n\r\n", bytes(4096), b"\x16\x03\x01\xff\xff" + os.urandom(2000), b""):
            mark = daemon.log_size()
            with wire.tcp(host, port) as peer:
                peer.sendall(junk)
                peer.shutdown(socket.SHUT_WR)
                wire.read_until_closed(peer)
            daemon.wait_log("refused a connection", mark)


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize("junk,reason", [
    (wire.frame(wire.HELLO, b"", size=0xFFFFFFFF), "4294967295|limit"),
    (wire.frame(wire.HELLO, bytes((1 << 20) + 1)), "1048577|limit"),
    (wire.frame(wire.HELLO, b"\xff" * 64), "hello"),
    (wire.frame(99, b"?"), "99|unknown|type"),
    (wire.frame(wire.HELLO, b"", lane=2), "lane"),
    (wire.frame(wire.HELLO, b"", reserved=1), "reserved"),
    (wire.frame(wire.HEARTBEAT, b""), "hello"),
    (b"\x00" * 8192, "."),
    (os.urandom(8192), "."),
], ids=["huge size", "over a MiB", "no protobuf", "unknown type", "wrong lane", "reserved bits", "before hello",
        "zeros", "noise"])
def test_bytes_that_are_no_frames_are_refused(cluster, junk, reason):
    """From a peer with a valid certificate, at every port of the tree."""
    for daemon, host, port in tree_ports(cluster):
        identity = cluster["n1" if daemon.role == "aggregator" else "login1"].state / "identity/identity.pem"
        mark = daemon.log_size()
        with wire.tls(host, port, identity) as peer:
            try:
                peer.sendall(junk)
                wire.read_until_closed(peer)
            except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
                pass
        daemon.wait_log(f"(link whose bytes|went before its hello|refused).*({reason})", mark)


@pytest.mark.usefixtures("unharmed")
def test_a_peer_that_stops_in_the_middle_of_a_frame_is_dropped(cluster):
    agg1 = cluster["agg1"]
    whole = wire.hello("home", "compute", "n1")
    for cut in (1, 11, 12, len(whole) - 1):
        mark = agg1.log_size()
        with wire.tls(agg1.host, agg1.port, cluster["n1"].state / "identity/identity.pem") as peer:
            peer.sendall(whole[:cut])
        agg1.wait_log("went before its hello", mark)


@pytest.mark.usefixtures("unharmed")
def test_silent_peers_are_dropped(cluster):
    agg1, mark = cluster["agg1"], cluster["agg1"].log_size()
    with wire.tcp(agg1.host, agg1.port) as mute, \
         wire.tls(agg1.host, agg1.port, cluster["n1"].state / "identity/identity.pem") as polite:
        wire.read_until_closed(mute)  # ends: a peer that never says hello is cut after 5 s
        wire.read_until_closed(polite)
    agg1.wait_log("did not say hello|handshake", mark)


@pytest.mark.usefixtures("unharmed")
def test_garbage_at_the_https_port_is_answered_or_cut(cluster):
    for junk in (b"\0" * 1000, b"GET / HTTP/1.1\r\n\r\n"):
        with wire.tcp("127.0.0.1", cluster.http_port) as peer:
            peer.sendall(junk)
            peer.shutdown(socket.SHUT_WR)
            wire.read_until_closed(peer)
    for junk, status in ((b"NONSENSE\r\n\r\n", b"400"), (b"GET /api/v1/nodes HTTP/1.1\r\nHost: x\r\n\r\n", b"401"),
                         (b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * 200000 + b"\r\n\r\n", b"431|400|413")):
        with wire.tls("127.0.0.1", cluster.http_port) as peer:
            try:
                peer.sendall(junk)
                peer.settimeout(10)
                head = peer.recv(4096).split(b"\r\n")[0]
            except (ConnectionResetError, BrokenPipeError, ssl.SSLError):
                continue  # cut while we were still sending
        assert head.startswith(b"HTTP/1.1 ") and head.split()[1] in status.split(b"|"), head


def test_a_member_cannot_speak_for_others_or_command_the_tree(cluster):
    """A compute's own link, used to send what only aggregators may: dropped, logged, no effect."""
    agg1 = cluster["agg1"]
    cluster.join("compute", "n7")  # enrolled; this test is its only daemon
    last = cluster.api.changes()[-1]["sequence"]
    cluster_id = (cluster.master.state / "cluster").read_text().strip()
    mark = agg1.log_size()
    with wire.tls(agg1.host, agg1.port, cluster.run / "n7/identity/identity.pem") as peer:
        peer.sendall(wire.hello(cluster_id, "compute", "n7"))
        assert struct.unpack(">IB", peer.recv(12)[:5])[1] == wire.HELLO
        peer.sendall(wire.frame(wire.MEMBERS, b"\x0a\x02n1"))
        print(agg1.wait_log("n7.*members|members.*n7", mark))
    cluster.wait_phase("n7", "lost")
    told = {x["key"] for x in cluster.api.changes(f"&since={last}") if x["kind"] == "node"}
    assert told <= {"n7"}
    assert cluster.phase("n1") == "up"
