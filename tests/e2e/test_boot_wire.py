"""The boot services on a real link, with real clients: udhcpc, tftp-hpa and busybox's tftp, each machine a network
namespace. No root is needed: all of it happens in a user namespace."""
import contextlib
import os
import pathlib
import select
import shutil
import signal
import struct
import subprocess
import sys
import time

import pytest

BIN = pathlib.Path(os.environ.get("DROVER_BIN", pathlib.Path(__file__).resolve().parents[2] / "build/dev/bin"))
SERVER = BIN / "boot_wire_server"
MACHINES = {"n1": ("52:54:00:77:00:01", "10.77.0.11")}
missing = [tool for tool in ("ip", "busybox", "tftp", "unshare", "nsenter") if not shutil.which(tool)]
pytestmark = pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


class Namespace:
    """A process that holds a network namespace, and everything run in it."""

    def __init__(self, inside=None):
        self.holder = None
        command = ["unshare", "--net", "cat"]
        command = inside.enter + command if inside else ["unshare", "--user", "--map-root-user", "--net", "cat"]
        self.holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.holder.stdin.write(b".")
        self.holder.stdin.flush()
        assert self.holder.stdout.read(1) == b"."  # cat runs: the namespace is there
        self.enter = ["nsenter", "-t", str(self.holder.pid), "-U", "-n", "--preserve-credentials"]
        self.run("ip", "link", "set", "lo", "up")

    def run(self, *command, timeout=30, check=True, **more):
        done = subprocess.run([*self.enter, *command], capture_output=True, text=True, timeout=timeout, check=False,
                              **more)
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done

    def python(self, code, *args):
        return self.run(sys.executable, "-c", code, *args).stdout.strip()

    def close(self):
        self.holder.stdin.close()
        self.holder.wait(timeout=10)


class Server:
    """boot_wire_server in the server's namespace, and what it says."""

    def __init__(self, lab):
        machines = [f"{mac}={address}={name}" for name, (mac, address) in MACHINES.items()]
        self.process = subprocess.Popen(
            [*lab.server.enter, str(SERVER), str(lab.folder / "state"), "10.77.0.0/24", "10.77.0.200-10.77.0.203",
             str(lab.folder / "files"), *machines],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.said = []
        self.partial = ""
        self.wait("ready")

    def wait(self, start, count=1, seconds=20):
        """The lines that begin so, as soon as there are that many."""
        end = time.monotonic() + seconds
        while True:
            found = [line for line in self.said if line.startswith(start)]
            if len(found) >= count:
                return found
            left = end - time.monotonic()
            assert left > 0, f"no {count} lines \"{start}..\" in {self.said}"
            assert self.process.poll() is None, self.process.stderr.read()
            if select.select([self.process.stdout], [], [], left)[0]:
                self.partial += self.process.stdout.read() or ""
                *lines, self.partial = self.partial.split("\n")
                self.said += lines

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=10)


class Lab:
    def __init__(self, folder):
        self.folder = folder
        (folder / "files").mkdir()
        (folder / "files/undionly.kpxe").write_bytes(os.urandom(100_001))
        (folder / "files/even").write_bytes(os.urandom(1024))
        self.server = Namespace()
        self.clients = {}
        self.server.run("ip", "link", "add", "br0", "type", "bridge", "forward_delay", "0")
        self.server.run("ip", "addr", "add", "10.77.0.1/24", "dev", "br0")
        self.server.run("ip", "link", "set", "br0", "up")
        self.daemon = Server(self)

    def client(self, name, mac=None):
        """A machine whose eth0 is on the bridge."""
        number = len(self.clients) + 1
        space = Namespace(self.server)
        self.clients[name] = space
        port = f"v{number}"
        self.server.run("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns",
                        str(space.holder.pid))
        self.server.run("ip", "link", "set", port, "master", "br0", "up")
        mac = mac or MACHINES.get(name, (f"52:54:00:aa:00:{number:02x}",))[0]
        space.run("ip", "link", "set", "eth0", "address", mac, "up")
        return space

    def lease(self, space, *more):
        """What udhcpc is told, as its script's variables; nothing when it gets no lease."""
        script = self.folder / "udhcpc.sh"
        if not script.exists():
            script.write_text("#!/bin/sh\n[ \"$1\" = bound ] || exit 0\nenv\n"
                              "ip addr flush dev eth0 scope global; ip addr add $ip/$mask dev eth0\n")
            script.chmod(0o755)
        done = space.run("busybox", "udhcpc", "-i", "eth0", "-f", "-n", "-q", "-t", "6", "-T", "1", "-s", str(script),
                         *more, check=False)
        if done.returncode != 0:
            return None
        return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)

    def close(self):
        self.daemon.process.kill()
        self.daemon.process.wait(timeout=10)
        for space in [*self.clients.values(), self.server]:
            space.close()


@pytest.fixture
def lab(tmp_path):
    with contextlib.closing(Lab(tmp_path)) as made:
        yield made


# Prints the first two frames to a DHCP client: their Ethernet and IP destinations.
SNIFF = """
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
s.settimeout(20)
print("ready", flush=True)
seen = 0
while seen < 2:
    frame, about = s.recvfrom(2048)
    if about[2] == 4 or frame[12:14] != b"\\x08\\x00" or frame[23] != 17 or frame[36:38] != b"\\0\\x44": continue
    print(frame[:6].hex(":"), socket.inet_ntoa(frame[30:34]), flush=True)
    seen += 1
"""


def test_a_machine_of_the_model_gets_its_address(lab):
    n1 = lab.client("n1")
    sniffer = subprocess.Popen([*n1.enter, sys.executable, "-c", SNIFF], stdout=subprocess.PIPE, text=True)
    assert sniffer.stdout.readline() == "ready\n"
    told = lab.lease(n1)
    frames = sniffer.communicate(timeout=30)[0].split("\n")
    assert frames[:2] == ["52:54:00:77:00:01 10.77.0.11"] * 2, "no broadcast, and nobody asked by ARP"
    assert told["ip"] == "10.77.0.11"
    assert told["mask"] == "24"
    assert told["serverid"] == "10.77.0.1"
    assert told["hostname"] == "n1"
    assert lab.daemon.wait("dhcp 52:54:00:77:00:01", 2)
    assert lab.lease(n1, "-B")["ip"] == "10.77.0.11", "a client that can only hear broadcasts"
    n1.run("ping", "-c1", "-W5", "10.77.0.1", check=False)


def test_leases_of_strangers_survive_kill(lab):
    had = {}
    for name in ("a", "b", "c"):
        had[name] = lab.lease(lab.client(name))["ip"]
    assert set(had.values()) == {"10.77.0.200", "10.77.0.201", "10.77.0.202"}
    lab.daemon.kill()
    lab.daemon = Server(lab)
    found = lab.daemon.wait("found", 3)
    assert sorted(found) == [f"found {address} leased" for address in sorted(had.values())]
    assert lab.lease(lab.client("d"))["ip"] == "10.77.0.203", "the addresses of the others stay theirs"
    for name, address in had.items():
        assert lab.lease(lab.clients[name])["ip"] == address
    assert lab.lease(lab.client("e")) is None, "the pool is empty"
    assert any("no address of the pool is free" in line for line in lab.daemon.wait("dhcp"))


def test_kill_in_the_middle_of_many_leases_loses_none(lab):
    spaces = [lab.client(f"s{i}") for i in range(4)]
    for round_ in range(3):
        had = [lab.lease(space)["ip"] for space in spaces]
        assert len(set(had)) == 4
        lab.daemon.kill()
        lab.daemon = Server(lab)
        assert len(lab.daemon.wait("found", 4)) == 4, round_


def test_an_address_in_use_is_not_given(lab):
    squatter = lab.client("squatter")
    squatter.run("ip", "addr", "add", "10.77.0.200/24", "dev", "eth0")
    assert lab.lease(lab.client("a"))["ip"] == "10.77.0.201"
    assert any("(conflict)" in line for line in lab.daemon.wait("dhcp"))


def test_files_by_tftp(lab):
    n1 = lab.client("n1")
    n1.run("ip", "addr", "add", "10.77.0.11/24", "dev", "eth0")
    for name in ("undionly.kpxe", "even"):
        there = lab.folder / "files" / name
        got = lab.folder / f"got-{name}"
        done = n1.run("tftp", "-m", "binary", "10.77.0.1", "-c", "get", name, str(got))
        assert got.read_bytes() == there.read_bytes(), done.stdout
        for block in ("512", "1468", "8192"):
            got.unlink()
            n1.run("busybox", "tftp", "-g", "-b", block, "-r", f"/{name}", "-l", str(got), "10.77.0.1")
            assert got.read_bytes() == there.read_bytes(), block
    lab.daemon.wait("tftp", 16)
    refused = n1.run("busybox", "tftp", "-g", "-r", "../state/leases.journal", "-l", str(lab.folder / "x"),
                     "10.77.0.1", check=False)
    assert refused.returncode != 0
    assert "leads outside" in " ".join(lab.daemon.wait("tftp", 17)) or "path" in lab.daemon.said[-1]


SOLICIT = """
import socket, struct, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
index = socket.if_nametoindex("eth0")
s.settimeout(10)
s.sendto(struct.pack("!BBHI", 133, 0, 0, 0), ("ff02::2", 0, 0, index))
while True:
    data, peer = s.recvfrom(2048)
    if data[0] == 134:
        print(data.hex(), peer[0].split("%")[0])
        break
"""


def test_router_solicitations_are_answered_at_once(lab):
    n1 = lab.client("n1")
    for _ in range(100):  # until duplicate address detection is over on both sides
        both = n1.run("ip", "-6", "addr", "show", "dev", "eth0").stdout
        both += lab.server.run("ip", "-6", "addr", "show", "dev", "br0").stdout
        if both.count("fe80::") == 2 and "tentative" not in both:
            break
        select.select([], [], [], 0.1)
    advertisement, sender = n1.python(SOLICIT).split()
    assert sender.startswith("fe80::")
    lifetime = struct.unpack("!H", bytes.fromhex(advertisement)[6:8])[0]
    assert lifetime == 0, "no router"
    assert len(bytes.fromhex(advertisement)) == 24, "no prefix, only its link address"


def test_kernel_messages_arrive_with_their_sender(lab):
    n1 = lab.client("n1")
    n1.run("ip", "addr", "add", "10.77.0.11/24", "dev", "eth0")
    n1.python("import socket,sys; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM);"
              "s.sendto(b'6,1,1,-;Kernel panic - not syncing\\n\\x1b[2Jevil\\n', ('10.77.0.1', 6666))")
    lines = lab.daemon.wait("line", 2)
    assert lines[0] == "line 10.77.0.11 Kernel panic - not syncing"
    assert "\x1b" not in lines[1]
    assert "evil" in lines[1]


ASK_BY_TCP = """
import socket, struct, sys
name = b"".join(bytes([len(part)]) + part for part in sys.argv[1].encode().split(b".")) + bytes(1)
query = struct.pack("!HHHHHH", 7, 0x100, 1, 0, 0, 0) + name + struct.pack("!HH", 1, 1)
with socket.create_connection(("10.77.0.1", 53), timeout=10) as s:
    s.sendall(struct.pack("!H", len(query)) + query)
    data = b""
    while len(data) < 2 or len(data) < 2 + struct.unpack("!H", data[:2])[0]:
        data += s.recv(4096)
print(data[-4:].hex())
"""


def test_names_are_answered(lab):
    n1 = lab.client("n1")
    n1.run("ip", "addr", "add", "10.77.0.12/24", "dev", "eth0")
    assert "10.77.0.11" in n1.run("busybox", "nslookup", "-type=a", "n1.cluster.test", "10.77.0.1").stdout
    assert "n1.cluster.test" in n1.run("busybox", "nslookup", "10.77.0.11", "10.77.0.1").stdout
    absent = n1.run("busybox", "nslookup", "-type=a", "absent.cluster.test", "10.77.0.1", check=False)
    assert "NXDOMAIN" in absent.stdout + absent.stderr
    assert n1.python(ASK_BY_TCP, "n1.cluster.test") == "0a4d000b"


def test_packaged_ipxe_cannot_check_signatures():
    """docs/decisions/0025: where this fails, iPXE can do more than the page says, and the page is to be read again."""
    loader = pathlib.Path("/usr/lib/ipxe/snponly.efi")
    if not loader.exists():
        pytest.skip("the package ipxe is not installed")
    content = loader.read_bytes()
    assert b"imgstat" in content, "commands are found by their names"
    assert b"imgverify" not in content and b"imgtrust" not in content
