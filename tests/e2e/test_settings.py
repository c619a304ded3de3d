"""Settings of the whole cluster in real processes; reload, log levels, the service manager, orderly stops."""
import contextlib
import http.client
import os
import re
import signal
import socket
import ssl
import subprocess
import time

import pytest

import cluster as c

ERRORS = re.compile(r"^\S+ error ", re.MULTILINE)


@pytest.fixture(scope="module")
def cluster():
    # No flags for times: what a host says would be stronger than the cluster's settings.
    with c.Cluster("settings", timing=()) as made:
        made.cli("setting", "set", "tree.heartbeat=200ms", "tree.silence=2s", "tree.hold=2s", check=0)
        yield made.form(8, utilities=["login1"])


def levels(daemon):
    """Component to (level, origin), as the daemon itself says."""
    answer = daemon.api.get("/local/log-levels")
    return {row["component"]: (row["level"], row["origin"]) for row in answer["components"]}


def members(cluster):
    return [daemon for name, daemon in cluster.daemons.items() if name != "master"]


def test_a_change_is_in_force_everywhere_within_a_second(cluster):
    for level in ("debug", "warning"):
        begun = time.monotonic()
        cluster.api.json("PUT", "/settings/log.levels", {"value": f"link={level}", "why": "measured"})
        for daemon in members(cluster):
            c.wait_for(f"{daemon.name} follows", lambda d=daemon: levels(d).get("link") == (level, "cluster"),
                       limit=5, every=0.005)
        took = time.monotonic() - begun
        print(f"{len(members(cluster))} daemons follow after {took * 1000:.0f} ms")
        assert took < 1.0
    cluster.cli("setting", "unset", "log.levels", check=0)
    for daemon in members(cluster):
        c.wait_for(f"{daemon.name} is back", lambda d=daemon: levels(d).get("link", ("info", ""))[0] == "info", limit=5)


def test_who_was_away_gets_it_as_it_comes_back(cluster):
    cluster["n1"].kill()
    cluster["agg1"].kill()
    cluster.cli("setting", "set", "log.levels=call=debug", check=0)
    cluster["agg1"].start()
    cluster["n1"].start()
    for name in ("n1", "agg1"):
        c.wait_for(f"{name} follows", lambda n=name: levels(cluster[n]).get("call") == ("debug", "cluster"))
    cluster.cli("setting", "unset", "log.levels", check=0)
    cluster.wait_up("n1")


def test_the_silence_that_is_set_is_the_one_that_counts(cluster):
    cluster.wait_redundant("n8")
    cluster.cli("setting", "set", "tree.heartbeat=100ms", "tree.silence=500ms", check=0)
    time_limit = 1.9  # below the silence that was set before
    c.wait_for("n8 follows", lambda: "to=500ms" in cluster["n8"].log(), limit=5)
    begun = time.monotonic()
    cluster["n8"].pause()
    try:
        cluster.wait_phase("n8", "lost", limit=time_limit)
    finally:
        cluster["n8"].resume()
        cluster.cli("setting", "set", "tree.heartbeat=200ms", "tree.silence=2s", check=0)
    print(f"silent node lost after {(time.monotonic() - begun) * 1000:.0f} ms with a silence of 500 ms")
    cluster.wait_up(*(f"n{i}" for i in range(1, 9)))


def test_bad_settings_are_refused_with_a_reason(cluster):
    refused = cluster.cli("setting", "set", "tree.silence=100ms")
    assert refused.returncode == 2 and "tree.silence" in refused.stderr, refused
    refused = cluster.cli("setting", "set", "tree.hodl=1s")
    assert refused.returncode != 0 and "did you mean tree.hold?" in refused.stderr, refused
    refused = cluster.cli("setting", "set", "tree.heartbeat=10s")
    assert refused.returncode == 2 and "at least twice" in refused.stderr, refused
    listed = {item["key"]: item for item in cluster.cli_json("setting", "list")["items"]}
    assert listed["tree.heartbeat"]["value"] == "200ms" and listed["tree.heartbeat"]["origin"] == "cluster"
    assert listed["confirm.above"]["origin"] == "default"


def get_over_https(cluster, context):
    connection = http.client.HTTPSConnection("127.0.0.1", cluster.http_port, timeout=30, context=context)
    with contextlib.closing(connection):
        connection.request("GET", "/api/v1/version")
        answer = connection.getresponse()
        answer.read()
        return answer.status


def test_the_limit_of_clients_acts_at_once(cluster):
    context = ssl.create_default_context(cafile=cluster.ca_pem)
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    assert [get_over_https(cluster, context) for _ in range(5)] == [200] * 5
    cluster.cli("setting", "set", "api.rate=1", "api.burst=2", check=0)
    try:
        assert 429 in [get_over_https(cluster, context) for _ in range(20)]
    finally:
        cluster.cli("setting", "unset", "api.rate", "api.burst", check=0)
    # What was taken comes back at the new rate.
    c.wait_for("five more", lambda: [get_over_https(cluster, context) for _ in range(5)] == [200] * 5, limit=2)


def test_a_shorter_history_goes_to_the_archive_at_once(cluster):
    cluster.api.json("POST", "/nodes?nodes=spare[1-1100]", {"role": "compute"})
    cluster.cli("setting", "set", "history.keep_changes=1000", check=0)
    try:
        archive = c.wait_for("an archive", lambda: list((cluster.master.state / "history").glob("changes-*.jsonl")),
                             limit=10)
        first = cluster.api.get("/changes?limit=1")["items"][0]["sequence"]
        lines = archive[0].read_text().splitlines()
        assert len(lines) > 100 and f'"sequence":{first - 1},' in lines[-1], (first, lines[-1])
    finally:
        cluster.cli("setting", "unset", "history.keep_changes", check=0)
        cluster.cli("node", "remove", "spare[1-1100]", "--yes", check=0)


def test_settings_in_a_document_edited_and_undone(cluster):
    document = "kind: drover-cluster\nversion: 1\nsettings: {confirm.above: 5, telemetry.interval: 2s}\n"
    cluster.cli("apply", "-f", "-", "--name", "site", text=document, check=0)
    assert "telemetry.interval: 2s" in cluster.cli("export", "--sections", "settings", check=0).stdout
    refused = cluster.cli("node", "set", "n[1-8]", "flag=warning")
    assert refused.returncode == 2 and "8 at once" in refused.stderr, refused
    bad = cluster.cli("apply", "-f", "-", "--name", "site", text=document.replace("2s", "2parsecs"))
    assert bad.returncode == 2 and "input:3: settings.telemetry.interval: expected a dur" in bad.stderr, bad
    editor = {"EDITOR": "sed -i s/2s/3s/"}
    cluster.cli("edit", "setting", "telemetry.interval", environment=editor, check=0)
    changed = cluster.api.changes("&kind=setting&key=telemetry.interval")[-1]
    c.wait_for("n1 follows", lambda: "setting=telemetry.interval from=2s to=3s" in cluster["n1"].log(), limit=5)
    cluster.cli("revert", changed["sequence"], check=0)
    c.wait_for("n1 follows back", lambda: "setting=telemetry.interval from=3s to=2s" in cluster["n1"].log(), limit=5)
    cluster.cli("setting", "unset", "confirm.above", "telemetry.interval", check=0)


def test_sighup_takes_what_can_change_and_says_what_cannot(cluster):
    daemon = cluster["agg2"]
    file = daemon.state / "aggregator.toml"
    good = file.read_text()
    try:
        offset = daemon.log_size()
        file.write_text('log = { level = "debug" }\nlisten = ["127.0.0.1:1"]\n' + good)
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_log("read again.*changed=", offset)
        assert daemon.api.get("/local/log-levels")["level"] == "debug"
        assert daemon.api.get("/local/log-levels")["origin"] == "host"

        offset = daemon.log_size()
        file.write_text('log = { level = "loud" }\nmastres = []\n' + good)
        daemon.process.send_signal(signal.SIGHUP)
        line = daemon.wait_log("not taken", offset)
        assert "log.level" in line and "did you mean masters?" in line, line
        assert daemon.api.get("/local/log-levels")["level"] == "debug"

        file.write_text(good)
        told = cluster.cli("reload", socket_of=daemon, check=0)
        assert "log.level" in told.stdout, told
        assert daemon.api.get("/local/log-levels")["level"] == "info"
        for name in ("master", "login1", "n1"):
            told = cluster.cli("reload", socket_of=cluster[name], check=0)
            assert "nothing has changed" in told.stderr, told
    finally:
        file.write_text(good)


def test_levels_by_hand(cluster):
    node = cluster["n2"]
    shown = cluster.cli("log", "level", "heartbeat=debug,*=notice", socket_of=node, check=0)
    assert re.search(r"^\*\s+notice\s+by hand$", shown.stdout, re.MULTILINE), shown.stdout
    assert levels(node)["heartbeat"] == ("debug", "by hand")
    refused = cluster.cli("log", "level", "link=loud", socket_of=node)
    assert refused.returncode == 2, refused
    cluster.cli("log", "level", "--reset", socket_of=node, check=0)
    assert node.api.get("/local/log-levels")["by_hand"] == {}
    cluster.cli("log", "level", "api=debug", check=0)  # the master too
    assert levels(cluster.master)["api"] == ("debug", "by hand")
    if os.getuid() == 0:
        denied = cluster.cli("log", "level", "link=debug", socket_of=node, user=65534)
        assert denied.returncode == 4, denied


def test_a_compute_knows_that_its_aggregator_is_cut_off(cluster):
    node = cluster["n3"]
    assert node.local()["degraded"] is None
    cluster.master.kill()
    try:
        degraded = c.wait_for("n3 is degraded", lambda: node.local()["degraded"], limit=10)
        assert "no link to a master" in degraded["why"]
    finally:
        cluster.start_master()
    c.wait_for("n3 is well", lambda: node.local()["degraded"] is None)
    cluster.wait_up("n3")


def test_a_lost_node_is_in_its_aggregators_log(cluster):
    primary = cluster[cluster.primary("n4")]
    offset = primary.log_size()
    cluster["n4"].kill()
    try:
        # Losses soon after others share a line: n[4,8].
        primary.wait_log(r"lost (a node node=n4 |nodes nodes=\S*\b4\b)", offset, limit=8)
    finally:
        cluster["n4"].start()
    cluster.wait_up("n4")


class Notified:
    """What a daemon tells the service manager."""

    def __init__(self, path):
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(10)

    def until(self, word):
        seen = []
        while not any(word in one for one in seen):
            seen.append(self.socket.recv(4096).decode())
        return seen


@pytest.mark.parametrize("name", ["master", "n5"])
def test_the_service_manager_is_told(cluster, name):
    daemon = cluster[name]
    assert daemon.stop() == 0
    notified = Notified(cluster.run / f"notify-{name}")
    with contextlib.closing(notified.socket):
        cluster.environment |= {"NOTIFY_SOCKET": notified.path, "WATCHDOG_USEC": "300000"}
        try:
            daemon.start()
            notified.until("READY=1")
            for _ in range(3):
                notified.until("WATCHDOG=1")
            daemon.process.send_signal(signal.SIGHUP)
            assert re.search(r"MONOTONIC_USEC=[1-9]", notified.until("RELOADING=1")[-1])
            notified.until("READY=1")
            daemon.process.send_signal(signal.SIGTERM)
            notified.until("STOPPING=1")
            assert daemon.process.wait(5) == 0
        finally:
            for key in ("NOTIFY_SOCKET", "WATCHDOG_USEC"):
                del cluster.environment[key]
    daemon.start()
    cluster.wait_up("n5")


def test_options_that_cannot_be_meant_are_refused(cluster):
    for option in ("--tree-advertise=0.0.0.0:9815", "--tree-advertise=[::]:9815"):
        refused = subprocess.run([c.BIN / "drover-master", "--state", cluster.run / "none", "--socket=",
                                  "--http-listen=127.0.0.1:0", "--tree-listen=127.0.0.1:0", option],
                                 capture_output=True, text=True, timeout=30)
        assert refused.returncode == 78 and "nobody can dial" in refused.stderr, refused
    printed = subprocess.run([c.BIN / "drover-compute", "--print-config", "--name=n1", "--cluster=x",
                              "--aggregators=10.0.0.1:9800"], capture_output=True, text=True, timeout=30,
                             env={"DROVER_LOG_LEVEL": "debug"})
    assert printed.returncode == 0, printed
    assert re.search(r"^socket +/run/drover/compute.sock +# default$", printed.stdout, re.MULTILINE), printed.stdout
    assert re.search(r"^log.level +debug +# environment DROVER_LOG_LEVEL$", printed.stdout, re.MULTILINE)


def test_every_daemon_stops_within_a_second_and_says_goodbye(cluster):
    cluster.wait_up(*(f"n{i}" for i in range(1, 9)), "login1")
    stopped = {}
    for name in ("n6", "login1", "agg1", "master"):
        daemon = cluster[name]
        offset = daemon.log_size()
        begun = time.monotonic()
        assert daemon.stop() == 0
        stopped[name] = time.monotonic() - begun
        assert not ERRORS.search(daemon.log(offset)), daemon.log(offset)
    print({name: f"{took * 1000:.0f} ms" for name, took in stopped.items()})
    assert max(stopped.values()) < 1.0, stopped
    assert "the master is stopping" in cluster["agg2"].log()
    assert "the utility daemon is stopping" in cluster.master.log()
    cluster.start_master()
    for name in ("n6", "login1", "agg1"):
        cluster[name].start()
    cluster.wait_up("n6", "login1")
