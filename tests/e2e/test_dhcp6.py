"""DHCPv6 by a real client, ISC's dhclient, in namespaces on a bridge: addresses, options, kill -9, strangers."""
import ipaddress
import re
import shutil
import subprocess

import boot_lab
import cluster as c
import lab as labs
import pytest

reason = labs.missing() or (None if shutil.which("dhclient") else "dhclient is not installed")
pytestmark = pytest.mark.skipif(reason is not None, reason=reason or "")


@pytest.fixture(name="site", scope="module")
def fixture_site():
    with labs.Lab() as lab:
        cluster = boot_lab.BootCluster(lab)
        try:
            cluster.start_in_lab()
            cluster.api.json("POST", "/networks", {
                "name": "lab", "prefix": "10.77.0.0/24", "prefix6": "fd77::/64", "domain": "lab.test",
                "pool": "10.77.0.200-10.77.0.220"})
            yield cluster
        finally:
            cluster.close()


class Client:
    """A machine of the lab's network: a namespace with one interface, and dhclient in it."""

    def __init__(self, site, name, mac):
        self.lab, self.name, self.mac = site.lab, name, mac
        self.space = f"{site.lab.name}-{name}"
        self.ip(f"ip netns add {self.space}")
        self.ip(f"ip -n {site.lab.name} link add {name} type veth peer name eth0 netns {self.space}")
        self.ip(f"ip -n {site.lab.name} link set {name} master br0 up")
        self.ip(f"ip -n {self.space} link set eth0 address {mac}")
        self.ip(f"ip netns exec {self.space} sysctl -qw net.ipv6.conf.eth0.accept_dad=0")
        self.ip(f"ip -n {self.space} link set eth0 up")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "-n", self.lab.name, "link", "del", self.name], check=False)
        subprocess.run(["ip", "netns", "del", self.space], check=False)

    @staticmethod
    def ip(command):
        subprocess.run(command.split(), check=True)

    def run(self, *command, check=True):
        return subprocess.run(["ip", "netns", "exec", self.space, *map(str, command)], check=check,
                              capture_output=True, text=True, timeout=60)

    def dhclient(self, *flags):
        """What it was given, as the variables of its script."""
        script = self.lab.folder / f"{self.name}.sh"
        out = self.lab.folder / f"{self.name}.env"
        script.write_text(f"#!/bin/sh\nenv | grep ^new_ >>{out}\n[ \"$reason\" != PREINIT6 ] || exit 0\n"
                          '[ -z "$new_ip6_address" ] || ip -6 addr add $new_ip6_address/128 dev $interface\n')
        script.chmod(0o755)
        out.unlink(missing_ok=True)
        lease = self.lab.folder / f"{self.name}.lease"
        # The distribution's profile (AppArmor) and its hooks are not for this: all paths are our own.
        done = self.run("dhclient", "-6", "-1", "-d" if "-r" in flags else "-v", "-D", "LL", "-lf", lease, "-pf",
                        self.lab.folder / f"{self.name}.pid", "-sf", script, "-cf", self.config(), *flags, "eth0",
                        check=False)
        found = dict(line.split("=", 1) for line in out.read_text().splitlines()) if out.exists() else {}
        return found, done.stderr

    def config(self):
        path = self.lab.folder / "dhclient.conf"
        path.write_text("timeout 10;\nalso request dhcp6.name-servers, dhcp6.domain-search;\n")
        return path


def test_dhclient_gets_its_address_and_keeps_it(site):
    mac = "52:54:00:77:00:61"
    site.api.json("POST", "/nodes", {"name": "six", "spec": {"interfaces": [
        {"name": "eth0", "mac": mac, "addresses": ["fd77::61/64"]}]}})
    boot = site["boot1"]
    c.wait_for("the boot daemon knows the node", lambda: any(
        '"six"' in path.read_text() for path in (boot.state / "model").glob("*")))
    with Client(site, "six", mac) as client:
        c.wait_for("the router's flag and prefix came", lambda: "fd77::/64" in client.run(
            "ip", "-6", "route", "show", "dev", "eth0", check=False).stdout)
        got, said = client.dhclient()
        assert got.get("new_ip6_address") == "fd77::61", said
        assert got["new_dhcp6_name_servers"] == labs.GATEWAY6
        assert got["new_dhcp6_domain_search"].rstrip(".") == "lab.test"
        first = got["new_dhcp6_server_id"]
        script = client.run("curl", "-s", "--max-time", "10",
                            f"http://[{labs.GATEWAY6}]:8080/boot/v1/bootscript?mac={mac}").stdout
        assert script.startswith("#!ipxe"), "the server is reached on the link"

        def told(what):
            return re.search(what, "".join(path.read_text() for path in boot.state.rglob("six.log")))
        c.wait_for("the node's log", lambda: told(rf"DHCPv6 REQUEST from {mac} \(.*\): its own address fd77::61"))

        # It is the same server after kill -9, and the same address.
        boot.kill()
        boot.start()
        boot.wait_log("starting from the copy of the model on disk")
        client.run("dhclient", "-6", "-x", "-pf", site.lab.folder / "six.pid", check=False)
        got, said = client.dhclient()
        assert (got.get("new_ip6_address"), got["new_dhcp6_server_id"]) == ("fd77::61", first), said
        client.run("dhclient", "-6", "-x", "-pf", site.lab.folder / "six.pid", check=False)
        c.wait_for("it was confirmed", lambda: told(rf"DHCPv6 CONFIRM from {mac} .*may keep its addresses fd77::61"))


def test_a_stranger_gets_an_address_that_is_its_own_for_ever(site):
    seen = set()
    for _ in range(2):
        with Client(site, "guest", "52:54:00:77:00:62") as client:
            got, said = client.dhclient()
            client.run("dhclient", "-6", "-x", "-pf", site.lab.folder / "guest.pid", check=False)
            assert "new_ip6_address" in got, said
            address = ipaddress.ip_address(got["new_ip6_address"])
            assert address in ipaddress.ip_network("fd77::/64")
            seen.add(address)
            (site.lab.folder / "guest.lease").unlink()
    assert len(seen) == 1, seen
    site.api.json("PATCH", "/networks/lab", {"unknown": "ignore"})
    boot = site["boot1"]
    c.wait_for("the boot daemon knows", lambda: any(
        '"ignore"' in path.read_text() for path in (boot.state / "model").glob("*")))
    with Client(site, "guest2", "52:54:00:77:00:63") as client:
        got, said = client.dhclient()
        assert "new_ip6_address" not in got, "silence for strangers"
    site.api.json("PATCH", "/networks/lab", {"unknown": "discover"})
