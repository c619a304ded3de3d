"""What drover-boot refuses is told in the log of the node that asked and of the one in whose name it did; the others
are served as before."""
import contextlib
import hashlib
import http.client
import json
import re
import ssl
import sys

import boot_lab
import cluster as c
import lab as labs
import pytest

MAC = {"n1": "52:54:00:00:00:11", "n2": "52:54:00:00:00:12", "n3": "52:54:00:00:00:13"}
ADDRESS = {"n1": "127.0.0.11", "n2": "127.0.0.12", "n3": "127.0.0.13"}
STRANGER = "127.0.0.99"
PARTS = {"kernel": b"kernel" * 1000, "initrd": b"initrd" * 1000, "root": b"root" * 1000}
NAMES = {what: hashlib.sha256(part).hexdigest() for what, part in PARTS.items()}


class Site(c.Cluster):
    """Nodes at addresses of this host's own, so that whoever asks can be any of them."""

    def begin(self):
        self.images = self.run / "images"
        for what in PARTS:
            self.put(what, PARTS[what])
        self.api.json("POST", "/images", {
            "name": "site", "arch": "x86_64", "kernel": {"sha256": NAMES["kernel"], "size": 6000, "version": "6.1.0"},
            "initrds": [{"sha256": NAMES["initrd"], "size": 6000, "what": "drover"}],
            "root": {"sha256": NAMES["root"], "size": 4000, "format": "squashfs"}})
        for name, mac in MAC.items():
            self.api.json("POST", "/nodes", {"name": name, "spec": {
                "interfaces": [{"name": "eth0", "mac": mac, "addresses": [ADDRESS[name] + "/8"]}],
                "attributes": {"image": "site", "boot_mode": "image"}}})
        self.boot = self.add("boot", "boot1", "--dhcp=false", "--tftp=false", "--dns=false", "--netconsole=false",
                             "--advertise=false", "--http-listen", "127.0.0.1:0", "--https-listen", "127.0.0.1:0",
                             "--images", self.images)
        self.listening()
        return self

    def listening(self, offset=0):
        self.boot.wait_log("following the master's changes", offset)
        self.ports = {way: int(re.search(rf"at={way}://127\.0\.0\.1:(\d+)", self.boot.log(offset)).group(1))
                      for way in ("http", "https")}

    def put(self, what, content):
        path = self.images / "blobs" / NAMES[what][:2] / NAMES[what]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def ask(self, client, method, target, token=None, body=None):
        """Status and text of a plain request, or of one over TLS where a token is shown."""
        kind, options = http.client.HTTPConnection, {}
        if token is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            kind, options = http.client.HTTPSConnection, {"context": context}
        port = self.ports["http" if token is None else "https"]
        with contextlib.closing(kind("127.0.0.1", port, timeout=30, source_address=(client, 0), **options)) as to:
            headers = {} if token is None else {"Authorization": f"Boot {token}", "Content-Type": "application/json"}
            to.request(method, target, None if body is None else json.dumps(body), headers)
            answer = to.getresponse()
            return answer.status, answer.read().decode()

    def script(self, name, client=None):
        return self.ask(client or ADDRESS[name], "GET", f"/boot/v1/bootscript?mac={MAC[name]}")

    def token_of(self, name):
        status, text = self.script(name)
        assert status == 200, text
        return re.search(r"drover\.token=(\S+)", text).group(1)

    def stage(self, client, token):
        return self.ask(client, "POST", "/boot/v1/stage", token, {"stage": "init"})

    def log_of(self, name):
        return self.cli("boot", "log", name, check=0).stdout

    def wait_told(self, name, pattern):
        c.wait_for(f"{pattern} in the log of {name}", lambda: re.search(pattern, self.log_of(name)), limit=20)


@pytest.fixture(scope="module")
def site():
    with Site("refusals") as made:
        yield made.begin()


def unharmed(site, name):
    """The node boots as ever: script, its parts, its stage."""
    token = site.token_of(name)
    assert site.ask(ADDRESS[name], "GET", f"/boot/blobs/{NAMES['root']}?t={token}") == (200, PARTS["root"].decode())
    assert site.stage(ADDRESS[name], token)[0] == 204


def test_a_wrong_token_is_told_to_the_node_that_shows_it(site):
    wrong = "a" * 32
    assert site.stage(ADDRESS["n1"], wrong)[0] == 401
    site.wait_told("n1", r"boot: refused /boot/v1/stage to 127\.0\.0\.11: .*the boot token is unknown or has expired")
    assert site.ask(ADDRESS["n1"], "GET", f"/boot/blobs/{NAMES['root']}?t={wrong}")[0] == 401
    site.wait_told("n1", "refused /boot/blobs/.*unknown or has expired")
    assert site.ask(ADDRESS["n1"], "GET", f"/cloud-init/nocloud/{wrong}/user-data")[0] == 401
    site.wait_told("n1", "cloud-init: refused user-data .*unknown or has expired")
    assert wrong not in site.log_of("n1") and wrong not in site.boot.log()
    # After a restart every token is: the addresses of the model say whose machine it is.
    token = site.token_of("n2")
    offset = site.boot.log_size()
    site.boot.kill()
    site.boot.start()
    site.listening(offset)
    assert site.stage(ADDRESS["n2"], token)[0] == 401
    site.wait_told("n2", "refused /boot/v1/stage .*unknown or has expired")
    unharmed(site, "n3")
    assert "refused" not in site.log_of("n3")


def test_a_token_shown_by_another_is_told_to_both(site):
    token = site.token_of("n1")
    why = r"the boot token of n1 was given to 127\.0\.0\.11, not to "
    for name, client in (("n2", ADDRESS["n2"]), ("n1", STRANGER)):
        assert site.stage(client, token)[0] == 403
        for told in {"n1", name}:
            site.wait_told(told, rf"refused /boot/v1/stage to {client}: {why}{client}")
        assert site.ask(client, "GET", f"/cloud-init/nocloud/{token}/meta-data")[0] == 403
        site.wait_told("n1", rf"cloud-init: refused meta-data to {client}: {why}")
    assert site.stage(ADDRESS["n1"], token)[0] == 204, "it stays good for its own machine"
    unharmed(site, "n3")


def test_a_spent_token_is_told(site):
    token = site.token_of("n1")

    def enrol(key):
        return site.ask(ADDRESS["n1"], "POST", "/boot/v1/enrol", token, {"csr_pem": key, "boot_id": "b"})
    assert enrol("not a request")[0] in (400, 403), "the master is asked and refuses it"
    site.wait_told("n1", "could not be enrolled: ")
    status, text = enrol("another key's")
    assert status == 403 and "has been used with another key" in text
    site.wait_told("n1", "refused /boot/v1/enrol to .* the boot token of n1 has been used with another key")
    # Secrets are given once; there are none, which is told once as well.
    assert site.ask(ADDRESS["n1"], "POST", "/boot/v1/secrets", token, {})[0] == 200
    assert site.ask(ADDRESS["n1"], "POST", "/boot/v1/secrets", token, {})[0] == 403
    site.wait_told("n1", "refused /boot/v1/secrets .*the secrets of n1 have been given in this boot")
    unharmed(site, "n3")


def test_a_machine_that_shows_anothers_mac_gets_nothing(site):
    before = site.api.nodes()["n1"]["phase"]
    status, text = site.script("n1", client=ADDRESS["n2"])
    assert status == 403 and "drover.token" not in text, text
    why = r"127\.0\.0\.12 is the address of n2: it is not given the boot script of n1"
    site.wait_told("n1", "refused its boot script: " + why)
    site.wait_told("n2", "refused /boot/v1/bootscript to .*" + why)
    assert site.api.nodes()["n1"]["phase"] == before, "it was not the node that spoke"
    unharmed(site, "n1")
    unharmed(site, "n2")


def test_a_flood_of_refusals_leaves_the_log_readable(site):
    for _ in range(300):
        site.stage(ADDRESS["n2"], "b" * 32)
    lines = [line for line in site.log_of("n2").splitlines() if "refused /boot/v1/stage" in line]
    assert 20 < len(lines) < 150, len(lines)
    unharmed(site, "n2")


def test_a_missing_or_damaged_part_of_an_image_is_refused_and_told(site):
    site.token_of("n1")

    def fetch(what):
        return site.ask(ADDRESS["n1"], "GET", f"/boot/blobs/{NAMES[what]}")
    assert fetch("kernel") == (200, PARTS["kernel"].decode())
    path = site.put("kernel", PARTS["kernel"][:-1] + b"L")
    status, text = fetch("kernel")
    assert status == 422 and "is damaged" in text, (status, text)
    site.wait_told("n1", rf"refused /boot/blobs/{NAMES['kernel']} to .*: the file .* is damaged: its 6000 bytes have ")
    site.boot.wait_log("a file of an image is damaged")
    path.unlink()
    assert fetch("kernel")[0] == 404
    site.wait_told("n1", rf"refused /boot/blobs/{NAMES['kernel']} to .*: the master has no such file")
    # Others, and other parts, are given; mended, it is given again.
    assert fetch("initrd")[0] == 200
    unharmed(site, "n3")
    site.put("kernel", PARTS["kernel"])
    assert fetch("kernel") == (200, PARTS["kernel"].decode())


# A DISCOVER as a relay passes it on (RFC 2131, 3046): MAC address, giaddr, and the switch port in option 82.
RELAYED = """
import socket, sys
mac, circuit, server = bytes.fromhex(sys.argv[1].replace(":", "")), sys.argv[2].encode(), sys.argv[3]
port = b"\\x01" + bytes([len(circuit)]) + circuit
packet = (b"\\x01\\x01\\x06\\x01" + b"drov" + bytes(4) + bytes(12) + socket.inet_aton("10.77.0.2") + mac + bytes(202)
          + b"\\x63\\x82\\x53\\x63" + b"\\x35\\x01\\x01" + b"\\x52" + bytes([len(port)]) + port + b"\\xff")
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(packet, (server, 67))
"""


@pytest.mark.skipif(labs.missing() is not None, reason="no lab here")
def test_a_mac_address_at_the_port_of_another_is_not_answered_and_told():
    with labs.Lab() as lab:
        site = boot_lab.BootCluster(lab, "port")
        try:
            site.start_in_lab()
            site.define_network()
            site.define_node("n1", MAC["n1"], "10.77.0.11/24", switch_port="eth1/1")
            boot = site["boot1"]
            c.wait_for("the boot daemon knows the node", lambda: any(
                '"n1"' in path.read_text() for path in (boot.state / "model").glob("*")))

            def told(circuit, what):
                lab.command(sys.executable, "-c", RELAYED, MAC["n1"], circuit, labs.GATEWAY)
                c.wait_for(f"{what} in the log", lambda: re.search(
                    what, site.cli("boot", "log", "n1", check=0).stdout), limit=20)
            told("eth1/9", f"DHCP DISCOVER from {MAC['n1']} .*: the machine is known by another switch port")
            assert site.api.nodes()["n1"]["phase"]["state"] == "unknown"
            told("eth1/1", f"DHCP DISCOVER from {MAC['n1']} .* 10.77.0.11")
        finally:
            site.close()
