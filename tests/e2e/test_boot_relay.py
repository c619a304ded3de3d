"""A machine that nobody knows, behind a relay in a network of its own: the switch port that the relay names says which
node it is.
"""
import pathlib
import subprocess
import sys

import boot_lab
import cluster as c
import lab as labs
import pytest

reason = labs.missing() or (None if labs.kernel() else "no kernel with modules is installed")
pytestmark = pytest.mark.skipif(reason is not None, reason=reason or "")

EDGE = "10.78.0.1"
RELAY = "10.77.0.2"


class Switch:
    """A network namespace that routes between the lab's network and the bridge br1, and relays DHCP."""

    def __init__(self, lab):
        self.lab, self.name = lab, f"{lab.name}-sw"

    def __enter__(self):
        lab, own = self.lab.name, self.name
        for line in (f"netns add {own}", f"-n {lab} link add br1 type bridge stp_state 0 forward_delay 0",
                     f"-n {lab} link set br1 up",
                     f"-n {lab} link add sw0 type veth peer name edge netns {own}",
                     f"-n {lab} link add sw1 type veth peer name core netns {own}",
                     f"-n {lab} link set sw0 master br1 up", f"-n {lab} link set sw1 master br0 up",
                     f"-n {own} link set lo up", f"-n {own} addr add {EDGE}/24 dev edge",
                     f"-n {own} addr add {RELAY}/24 dev core", f"-n {own} link set edge up",
                     f"-n {own} link set core up", f"-n {lab} route add 10.78.0.0/24 via {RELAY}",
                     f"netns exec {own} sysctl -qw net.ipv4.ip_forward=1"):
            subprocess.run(["ip", *line.split()], check=True, capture_output=True)
        return self

    def relay(self, circuit, remote):
        return subprocess.Popen(
            ["ip", "netns", "exec", self.name, sys.executable, "-B", pathlib.Path(__file__).with_name("dhcp_relay.py"),
             "edge", EDGE, labs.GATEWAY, circuit, remote], preexec_fn=labs._with_parent)

    def plug(self, machine):
        subprocess.run(["ip", "-n", self.lab.name, "link", "set", machine._tap, "master", "br1"], check=True)

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True)


def test_a_machine_nobody_knows_is_the_node_of_its_switch_port():
    with labs.Lab() as lab, Switch(lab) as switch:
        cluster = boot_lab.BootCluster(lab)
        relay = switch.relay("eth1/7", "sw1")
        try:
            cluster.start_in_lab()
            cluster.define_network()
            cluster.api.json("POST", "/networks", {"name": "edge", "prefix": "10.78.0.0/24", "mode": "full",
                                                   "gateway": EDGE, "unknown": "ignore"})
            cluster.import_lean()
            machine = lab.machine("m", firmware="bios")
            switch.plug(machine)
            machine.start()
            cluster["boot1"].wait_log(f"a machine that is not in the model .*{machine.mac}", limit=60)

            # Cabled to another port it is somebody else; to this one it is n7, whose MAC nobody has said.
            for name, port in (("n6", "sw1/eth1/6"), ("n7", "sw1/eth1/7")):
                cluster.api.json("POST", "/nodes", {"name": name, "spec": {
                    "interfaces": [{"name": "eth0", "addresses": [f"10.78.0.1{name[1:]}/24"]}],
                    "attributes": {"image": "lean", "switch_port": port,
                                   "kernel_args": f"console=ttyS0 {labs.KERNEL_QUIRKS}"}}})
            cluster.wait_up("n7", limit=180)
            log = cluster.cli("boot", "log", "n7", "--grep", "DHCP", check=0).stdout
            assert machine.mac in log and "10.78.0.17" in log, log
            assert cluster.api.nodes()["n6"]["phase"]["state"] == "unknown"
        finally:
            relay.kill()
            relay.wait()
            cluster.close()
