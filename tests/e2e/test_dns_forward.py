"""Names of others through the boot daemon: a real resolver behind it (dnsmasq on loopback), and a network
of the model in a namespace whose machine asks.
"""
import os
import shutil
import signal
import socket
import struct
import subprocess

import pytest

import cluster as c

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can make network namespaces"),
    pytest.mark.skipif(not shutil.which("dnsmasq"), reason="dnsmasq is not installed"),
]

MANY = [f"198.51.100.{i}" for i in range(1, 120)]


def ask(server, name, kind=1, tcp=False, source=None, identity=0x1234, limit=5.0):
    """(rcode, truncated, addresses) of one question; None when nobody answers."""
    question = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
    message = struct.pack(">HHHHHH", identity, 0x0100, 1, 0, 0, 0) + question + struct.pack(">HH", kind, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as s:
        s.settimeout(limit)
        if source:
            s.bind((source, 0))
        s.connect((server, 53))
        try:
            if tcp:
                s.sendall(struct.pack(">H", len(message)) + message)
                length, = struct.unpack(">H", s.recv(2))
                answer = b""
                while len(answer) < length:
                    answer += s.recv(65536)
            else:
                s.send(message)
                answer = s.recv(65536)
        except (TimeoutError, ConnectionError):
            return None
    got, flags, _, answers, _, _ = struct.unpack(">HHHHHH", answer[:12])
    assert got == identity and flags & 0x8000
    assert answer[12:12 + len(question)] == question, "the case is the client's"
    at, out = 12 + len(question) + 4, []
    for _ in range(answers):
        assert answer[at] >= 0xC0
        length, = struct.unpack(">H", answer[at + 10:at + 12])
        if length == 4:
            out.append(socket.inet_ntoa(answer[at + 12:at + 16]))
        at += 12 + length
    return flags & 15, bool(flags & 0x0200), out


class Dnsmasq:
    """A resolver of a site, on a loopback address of its own."""

    def __init__(self, folder, address):
        self.log = folder / f"dnsmasq-{address}.log"
        hosts = folder / "site-hosts"
        hosts.write_text("192.0.2.10 www.site.test\n" + "".join(f"{a} many.site.test\n" for a in MANY))
        self.process = subprocess.Popen(
            ["dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", f"--addn-hosts={hosts}",
             f"--listen-address={address}", "--bind-interfaces", "--port=53", "--local=/site.test/", "--pid-file",
             "--auth-ttl=300", "--local-ttl=300", "--log-queries", f"--log-facility={self.log}", "--user=root"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        c.wait_for("dnsmasq answers", lambda: ask(address, "www.site.test", limit=0.5))

    def queries(self, name):
        return sum(f"query[A] {name} ".lower() in line.lower() for line in self.log.read_text().splitlines())

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)


@pytest.fixture(name="link")
def fixture_link():
    """An interface with the boot network's address, in a network namespace of this process."""
    before = os.open("/proc/self/ns/net", os.O_RDONLY)
    os.unshare(os.CLONE_NEWNET) if hasattr(os, "unshare") else _unshare()
    try:
        for command in ("ip link set lo up", "ip link add boot0 type veth peer name machine0", "ip link set boot0 up",
                        "ip link set machine0 up",
                        "ip addr add 10.97.0.1/24 dev boot0", "ip addr add 10.98.0.1/24 dev boot0",
                        "ip addr add 10.97.0.11/24 dev lo"):
            subprocess.run(command.split(), check=True)
        yield
    finally:
        _setns(before)
        os.close(before)


def _libc():
    import ctypes
    return ctypes.CDLL(None, use_errno=True)


def _unshare():
    assert _libc().unshare(0x40000000) == 0  # CLONE_NEWNET


def _setns(fd):
    assert _libc().setns(fd, 0x40000000) == 0


@pytest.mark.usefixtures("link")
def test_names_of_others_are_asked_of_the_sites_servers():
    with c.Cluster() as cluster:
        cluster.api.json("POST", "/networks", {"name": "boot", "prefix": "10.97.0.0/24", "domain": "lab.test"})
        cluster.api.json("POST", "/nodes", {"name": "n1", "spec": {"interfaces": [
            {"name": "eth0", "addresses": ["10.97.0.11/24"]}]}})
        cluster.add("boot", "boot1", "--dhcp=false", "--tftp=false", "--netconsole=false", "--advertise=false",
                    "--interfaces", "boot0", "--http-listen", "127.0.0.1:0", "--https-listen", "127.0.0.1:0")
        server = "10.97.0.1"

        def own(name):
            return ask(server, name, source="10.97.0.11")
        c.wait_for("its own names are answered", lambda: own("n1.lab.test") == (0, False, ["10.97.0.11"]))
        assert own("www.site.test")[0] == 5, "refused while there is nobody to ask"

        site = Dnsmasq(cluster.run, "127.0.0.97")
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        silent.bind(("127.0.0.98", 53))
        try:
            cluster.api.json("PUT", "/settings/dns.upstreams", {"value": "127.0.0.98,127.0.0.97"})
            found = (0, False, ["192.0.2.10"])
            c.wait_for("a name of the site, by the second server", lambda: own("www.site.test") == found)
            asked = site.queries("www.site.test")
            assert own("WWW.site.TEST") == found
            assert site.queries("www.site.test") == asked, "remembered"
            assert own("absent.site.test")[0] == 3
            assert own("n1.lab.test") == (0, False, ["10.97.0.11"])
            # Too long for UDP: told so, and whole by TCP.
            assert own("many.site.test")[1]
            rcode, cut, addresses = ask(server, "many.site.test", tcp=True, source="10.97.0.11")
            assert (rcode, cut, sorted(addresses)) == (0, False, sorted(MANY))
            # Nobody of another network, though the daemon has an address there.
            assert ask(server, "www.site.test", source="10.98.0.1")[0] == 5
            assert ask(server, "n1.lab.test", source="10.98.0.1")[0] == 0, "our own names are everybody's"
            # All of the site's servers are gone: what is remembered stays, the rest fails in time.
            site.close()
            assert own("www.site.test") == found
            assert own("other.site.test") in (None, (2, False, []))
        finally:
            silent.close()
            if site.process.poll() is None:
                site.close()
