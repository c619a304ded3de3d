"""Serial consoles: a real master, `drover console` on real terminals, machines behind a Unix socket, behind an
emulated BMC's SOL (OpenIPMI's ipmi_sim, the real ipmitool) and behind SSH (the real ssh)."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

import cluster as c
import console_bmcs as b
import ipmi_bmc

LEAVE = "\x05c."


@pytest.fixture(scope="module")
def cluster():
    with c.Cluster("console") as made:
        sockets = made.run / "sockets"
        sockets.mkdir()
        made.cli("setting", "set", f"console.sockets={sockets}", check=0)
        made.cli("power", "credential", "default", "--user", "root", "--password-file", "-", text="calvin\n", check=0)
        yield made


def node(cluster, name, address=None, **attributes):
    spec = {"attributes": attributes}
    if address:
        spec["bmc"] = {"address": address, "protocol": "ipmi"}
    cluster.api.json("POST", "/nodes", {"name": name, "spec": spec})


@pytest.fixture(scope="module")
def machine(cluster):
    """n1, whose console is behind a socket and held always."""
    path = cluster.run / "sockets" / "n1.serial"
    made = b.Listening(path)
    node(cluster, "n1", console_by="socket", console_socket=str(path))
    c.wait_for("the console is held", lambda: made.connections() == 1)
    yield made
    made.stop()


class Terminal:
    """`drover` on a terminal of its own."""

    def __init__(self, cluster, *words, socket=None):
        environment = {**os.environ, "DROVER_SOCKET": str(socket or cluster.master.socket), "TERM": "xterm"}
        self.seen = ""
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execve(c.BIN / "drover", ["drover", *words], environment)

    def type(self, keys):
        os.write(self.master, keys.encode("latin-1"))

    def read(self, limit):
        ready, _, _ = select.select([self.master], [], [], limit)
        if not ready:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:  # the other side is closed
            return False
        self.seen += data.decode("latin-1")
        return bool(data)

    def wait_for(self, pattern, limit=c.PATIENCE):
        end = time.monotonic() + limit
        while not re.search(pattern, self.seen):
            assert time.monotonic() < end, f"no {pattern!r} in {self.seen!r}"
            self.read(0.1)
        return self

    def ended(self, keys=LEAVE):
        """Leaves; the exit code."""
        self.type(keys)
        while self.read(5):
            pass
        _, status = os.waitpid(self.pid, 0)
        os.close(self.master)
        return os.waitstatus_to_exitcode(status)


def log_of(cluster, *words):
    return cluster.cli("console", *words, "--log", check=0).stdout


def test_several_people_are_at_one_console(cluster, machine):
    alice = Terminal(cluster, "console", "n1").wait_for(r"open by socket").wait_for("login: ")
    assert "Ctrl-E c . leaves" in alice.seen
    spy = Terminal(cluster, "console", "n1", "--spy").wait_for("login: ")
    alice.wait_for(r"here: .*\(looking on\), .*\(typing\)")
    alice.type("root\r")
    for person in (alice, spy):
        person.wait_for(r"root\r\nanswer\r\nlogin: ")
    assert machine.typed == b"root\r" and machine.connections() == 1
    spy.type("rm -rf /\r")
    spy.wait_for("looking on only")
    spy.type("\x05ca")
    spy.wait_for(r"\[n1: typing\]")
    spy.type("two\r")
    alice.wait_for("two\r\nanswer")
    assert machine.typed == b"root\rtwo\r"
    listed = cluster.cli("console", check=0).stdout
    assert re.search(r"n1 +open .* socket .*sockets/n1.serial +(true|yes) .*\+ .*\+", listed), listed
    fcntl.ioctl(alice.master, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 40, 0, 0))  # resize is harmless
    os.kill(alice.pid, signal.SIGWINCH)
    assert spy.ended() == 0
    alice.wait_for(r"here: [^,]*\(typing\)\]\r\n(?!.*,)")
    alice.type("\x05c?")
    alice.wait_for("send a break").wait_for("Ctrl-E c w")
    assert alice.ended() == 0
    assert alice.seen.rstrip().endswith("[n1: left]")
    who = "user:" + subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    audit = cluster.api.get("/audit?limit=200")["items"]
    there = [r for r in audit if r["target"].startswith("/api/v1/nodes/n1/console") and r["principal"].startswith(who)]
    assert {r["why"] for r in there} >= {"came, writing", "came, looking on", "left"}, there
    assert re.search(r"note: user:\S+ came, writing\n", log_of(cluster, "n1"))
    assert not [r for r in audit if r["target"].endswith("/input") and r["outcome"] == "done"]


def test_keys_of_any_kind_reach_the_machine_and_bytes_of_any_kind_the_terminal(cluster, machine):
    machine.typed = b""
    person = Terminal(cluster, "console", "n1").wait_for("login: ")
    person.type("\x03\x1a\x1c~.\x11\x13\x7f\x04\x00")  # none of them means anything to us
    c.wait_for("all of them are typed", lambda: machine.typed == b"\x03\x1a\x1c~.\x11\x13\x7f\x04\x00")
    person.type("\x05ce\x05x")
    c.wait_for("and these", lambda: machine.typed.endswith(b"\x05c\x05x"))
    everything = bytes(range(256))
    machine.say(b"<<" + everything + b">>")
    person.wait_for(re.escape("<<" + everything.decode("latin-1") + ">>"))
    assert person.ended() == 0


def test_what_it_said_is_kept_and_played(cluster, machine):
    machine.say(b"\r\n\x1b[31mKernel panic\x1b[0m - \x07evil\x1b]0;title\x07\r\nhalf")
    text = c.wait_for("it is in the log", lambda: (found := log_of(cluster, "n1")) and "half" in found and found)
    assert "console: Kernel panic - \\x07evil" in text and "\x1b" not in text and "\x07" not in text, text
    assert "note: open by socket" in text
    assert re.search(r"^\d{4}-\d\d-\d\dT[\d:.]+Z n1 console: ", text, re.M), text
    assert log_of(cluster, "n1", "--grep", "panic").count("\n") == 1
    assert log_of(cluster, "n1", "--lines", "1").endswith("half\n")
    assert log_of(cluster, "n1", "--since", "2038-01-01T00:00:00Z") == ""
    machine.say(b" whole\r\n")
    c.wait_for("pieces are put together", lambda: "console: half whole\n" in log_of(cluster, "n1"))
    time_of = [line.split()[0] for line in text.splitlines() if "panic" in line][0]
    played = subprocess.run([c.BIN / "drover", "console", "n1", "--replay", "--speed", "0", "--since", time_of],
                            env={**os.environ, "DROVER_SOCKET": str(cluster.master.socket)}, capture_output=True,
                            timeout=60, check=True).stdout
    assert b"\r\n\x1b[31mKernel panic\x1b[0m - \x07evil\x1b]0;title\x07\r\nhalf whole\r\n" in played, played
    begun = time.monotonic()
    machine.say(b"slow ")
    time.sleep(1)
    machine.say(b"words\r\n")
    c.wait_for("they are kept", lambda: "slow words" in log_of(cluster, "n1"))
    assert time.monotonic() - begun >= 1
    begun = time.monotonic()
    cluster.cli("console", "n1", "--replay", "--since", time_of, "--speed", "2", check=0)
    assert time.monotonic() - begun > 0.4


def test_a_followed_log_and_input_from_a_pipe(cluster, machine):
    follower = Terminal(cluster, "console", "n1", "--log", "--follow", "--lines", "1").wait_for("console: ")
    answer = subprocess.run([c.BIN / "drover", "console", "n1"], input=b"date\r", capture_output=True, timeout=60,
                            check=True, env={**os.environ, "DROVER_SOCKET": str(cluster.master.socket)})
    assert b"date\r\nanswer\r\nlogin: " in answer.stdout, answer
    follower.wait_for("console: answer")
    os.kill(follower.pid, signal.SIGTERM)
    os.waitpid(follower.pid, 0)


def test_from_the_socket_of_another_daemon(cluster, machine):
    cluster.add_aggregator("agg1")
    c.wait_for("its link", lambda: cluster["agg1"].local_links())
    person = Terminal(cluster, "console", "n1", socket=cluster["agg1"].socket).wait_for("login: ")
    person.type("far\r")
    person.wait_for("far\r\nanswer")
    assert person.ended() == 0
    assert re.search(r"note: user:\S+@aggregator/agg1 came, writing", log_of(cluster, "n1"))


def test_the_log_outlives_the_master_and_the_console_comes_back(cluster, machine):
    person = Terminal(cluster, "console", "n1").wait_for("login: ")
    machine.say(b"before the end\r\n")
    c.wait_for("it is kept", lambda: "before the end" in log_of(cluster, "n1"))
    cluster.master.kill()
    person.wait_for("the way to the manager broke")
    cluster.start_master()
    person.wait_for("the manager is there again")
    c.wait_for("it is held again", lambda: machine.connections() == 1)
    person.type("again\r")
    person.wait_for("again\r\nanswer")
    assert "before the end" in log_of(cluster, "n1")
    machine.drop()
    person.wait_for(r"not open: .*; it is tried again")
    person.type("x")
    person.wait_for(r"not typed: the console of n1 is not open")
    c.wait_for("it is opened again", lambda: machine.connections() == 1)
    assert person.ended() == 0


def test_who_may_not_and_what_is_not_there(cluster, machine):
    token = cluster.api.json("POST", "/credentials", {"name": "eye", "role": "viewer"})["token"]
    (cluster.run / "eye.token").write_text(token)
    https = ("--server", cluster.server, "--token-file", cluster.run / "eye.token", "--ca", cluster.ca_pem)
    refused = cluster.cli("console", "n1", *https, check=4)
    assert "may look at consoles, not write to them" in refused.stderr and "--spy" in refused.stderr, refused
    assert "no node" in cluster.cli("console", "n99", "--spy", check=1).stderr
    node(cluster, "bad", console_by="socket", console_socket=str(cluster.master.socket))
    outside = cluster.cli("console", "bad", "--spy", check=4)
    assert "console.sockets" in outside.stderr, outside
    assert cluster.cli("console", "n1", "--log", "--replay", check=2)
    assert "does not go with" in cluster.cli("console", "n1", "--follow", check=2).stderr


@pytest.mark.skipif(bool(ipmi_bmc.missing), reason=f"{ipmi_bmc.missing} is not installed")
def test_serial_over_lan(cluster):
    machine = b.Listening()
    bmc = ipmi_bmc.IpmiBmc(cluster.run / "sol", serial_port=machine.port)
    try:
        node(cluster, "s1", "127.0.0.1", bmc_port=str(bmc.port))
        person = Terminal(cluster, "console", "s1").wait_for(rf"open by ipmi to 127.0.0.1:{bmc.port}")
        person.type("\r")
        person.wait_for("answer")
        person.type("~.~~B\r")
        c.wait_for("ipmitool took none of them for itself", lambda: b"~.~~B\r" in machine.typed)
        person.type("\x05cl0")
        person.wait_for("send break")  # ipmitool's words
        person.type("h")  # with which ipmi_sim passes it on, as telnet's
        c.wait_for("the break comes", lambda: b"\xff\xf3" in machine.typed)
        assert "calvin" not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
        node(cluster, "s2", "127.0.0.1", bmc_port=str(bmc.port))
        # A BMC that is taken is told apart from a dead one.
        second = Terminal(cluster, "console", "s2").wait_for("somebody else has the console in a SOL session")
        assert "sol deactivate" in second.seen
        assert second.ended() == 0 and person.ended() == 0
        bmc.stop()
        node(cluster, "s3", "127.0.0.1", bmc_port=str(c.free_port()))
        third = Terminal(cluster, "console", "s3").wait_for("no BMC answers IPMI there")
        assert third.ended() == 0
    finally:
        bmc.stop()
        machine.stop()


@pytest.mark.skipif(b.paramiko is None, reason="python3-paramiko is not installed")
def test_ssh_to_a_bmc(cluster):
    machine = b.Machine(greeting=b"com2> login: ")
    bmc = b.SshBmc(machine)
    try:
        node(cluster, "h1", "127.0.0.1", console_by="ssh", console_port=str(bmc.port), console_command="console com2")
        c.wait_for("it is held", lambda: machine.connections() == 1)
        assert bmc.commands == ["console com2"]
        person = Terminal(cluster, "console", "h1").wait_for(rf"open by ssh to 127.0.0.1:{bmc.port}")
        person.type("~.\r~.\r")
        person.wait_for("answer")
        c.wait_for("ssh took none of them for itself", lambda: machine.typed == b"~.\r~.\r")
        assert "calvin" not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
        assert person.ended() == 0
        bmc.stop()
        # Another machine at its place, with another key: nobody is let in the middle.
        other = b.SshBmc(b.Machine(), password="another")
        node(cluster, "h2", "127.0.0.1", console_by="ssh", console_port=str(other.port))
        refused = Terminal(cluster, "console", "h2").wait_for("the BMC refused the user 'root' or its password")
        assert refused.ended() == 0 and other.refused == 1
        other.stop()
        known = cluster.master.state / "consoles" / "known_hosts"
        assert len(known.read_text().splitlines()) == 2
    finally:
        bmc.stop()


def test_the_list_is_json_too(cluster, machine):
    listed = cluster.cli_json("console")
    assert "n1" in [item["node"] for item in listed["items"]], listed
