"""Machines with nothing on their disks, answered by Drover alone, from power on to `up`."""
import os
import pty
import re
import subprocess
import threading

import boot_lab
import cluster as c
import lab as labs
import pytest

reason = labs.missing() or (None if labs.kernel() else "no kernel with modules is installed")
pytestmark = pytest.mark.skipif(reason is not None, reason=reason or "")

KERNEL = f"console=ttyS0 {labs.KERNEL_QUIRKS}"


@pytest.fixture(scope="module")
def site():
    with labs.Lab() as lab:
        cluster = boot_lab.BootCluster(lab)
        try:
            cluster.start_in_lab()
            cluster.define_network(pool="10.77.0.200-10.77.0.220")
            cluster.import_lean()
            yield cluster
        finally:
            cluster.close()


def test_a_bare_machine_comes_up(site):
    machine = site.lab.machine("n1", firmware="bios")
    site.define_node("n1", machine.mac, "10.77.0.11/24", image="lean", kernel_args=KERNEL)
    with Terminal(site, "boot", "watch", "n1", "--until-up", "--limit", "3m") as watch:
        machine.start()
        site.wait_up("n1", limit=120)
        assert watch.end() == 0, watch.text()
    # Bars that are drawn over each other, and at the end what is so.
    assert re.search(r"n1  kernel .*\[#*\.*\] +\d+%  [\d.]+/[\d.]+ MiB", watch.text()), watch.text()
    assert "\r\x1b[2A" in watch.text() and "1 nodes: 1 up" in watch.text().splitlines()[-1], watch.text()

    # Its log is there by any daemon's socket, from the first packet to the kernel's own words.
    for daemon in ("agg1", "boot1"):
        lines = site.cli("boot", "log", "n1", "--grep", "DHCP|Linux version", socket_of=site[daemon], check=0).stdout.splitlines()
        assert "boot: DHCP DISCOVER" in lines[0] and any(" kernel: [" in line for line in lines), lines
    phases = site.phases("n1")
    for before, after in zip(("dhcp", "loader", "kernel", "init", "joining"), ("loader", "kernel", "init", "joining", "up")):
        assert phases.index(before) < phases.index(after), phases

    # What its kernel says goes on coming when the boot daemon has forgotten every token: by the node's certificate.
    site["boot1"].kill()
    site["boot1"].start()
    site["boot1"].wait_log("following the master's changes", offset=site["boot1"].log_size())
    said = len(node_log(site, "n1"))

    # Nor does it forget how the boot went.
    rows = site.cli_json("boot", "trace", "n1")
    rows = rows.get("items", rows) if isinstance(rows, dict) else rows
    assert rows[0]["text"].startswith("DHCP DISCOVER") and rows[0]["after_ms"] == 0, rows
    steps = [row["text"] for row in rows]
    assert "was enrolled" in steps and any(step.startswith("was given its boot script") for step in steps), steps
    assert all(row["boot"] == rows[0]["boot"] and row["step_ms"] >= 0 for row in rows), rows
    assert rows[-1]["after_ms"] == sum(row["step_ms"] for row in rows) > 1000, rows

    def heard():
        machine.monitor("send-key", keys=[{"type": "qcode", "data": key} for key in ("alt", "sysrq", "h")])
        return "sysrq" in node_log(site, "n1")[said:]
    c.wait_for("a message of the node's kernel", heard, every=1)


@pytest.mark.parametrize("name, firmware, by", [("n2", "uefi-pxe", "TFTP snponly-x64.efi: complete"),
                                               ("n3", "uefi-http", "(http): its own address")])
def test_a_machine_with_uefi_alone_fetches_its_loader_and_comes_up(site, name, firmware, by):
    machine = site.lab.machine(name, firmware=firmware, memory=384)
    site.define_node(name, machine.mac, f"10.77.0.1{name[1:]}/24", image="lean", kernel_args=KERNEL)
    machine.start()
    site.wait_up(name, limit=180)
    machine.stop()
    phases = site.phases(name)
    assert phases.index("dhcp") < phases.index("loader") < phases.index("kernel"), phases
    log = next((site.run / "boot1").rglob(f"{name}.log")).read_text()
    assert by in log, log


class Terminal:
    """A command on a terminal of 100 columns."""

    def __init__(self, site, *arguments):
        self.screen = bytearray()
        self.master, slave = pty.openpty()
        os.set_blocking(self.master, True)
        subprocess.run(["stty", "rows", "24", "cols", "100"], stdin=slave, check=True)
        self.process = subprocess.Popen([c.BIN / "drover", "--socket", site.master.socket, *arguments], stdin=slave,
                                        stdout=slave, stderr=slave)
        os.close(slave)
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        try:
            while chunk := os.read(self.master, 65536):
                self.screen += chunk
        except OSError:  # the last one has closed it
            pass

    def text(self):
        return self.screen.decode()

    def end(self):
        code = self.process.wait(30)
        self.reader.join(5)
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(5)
        self.reader.join(5)
        os.close(self.master)


def node_log(site, name):
    return "".join(path.read_text() for path in (site.run / "boot1").rglob(f"{name}.log"))


def test_a_known_node_boots_while_the_master_is_away_and_joins_when_it_is_back(site):
    machine = site.lab.machine("n4", firmware="bios")
    site.define_node("n4", machine.mac, "10.77.0.14/24", image="lean", kernel_args=KERNEL)
    boot = site["boot1"]
    c.wait_for("the boot daemon knows the node", lambda: any(
        '"n4"' in path.read_text() for path in (boot.state / "model").glob("*")))
    site.master.kill()
    boot.kill()
    boot.start()  # it knows the cluster from its own disk alone
    boot.wait_log("starting from the copy of the model on disk")
    machine.start()
    c.wait_for("the node's kernel runs and its agent asks to be let in",
               lambda: "could not be enrolled" in node_log(site, "n4"), limit=180)
    site.start_master()
    site.wait_up("n4", limit=180)
    machine.stop()
    phases = site.phases("n4")
    assert "kernel" in phases and phases[-1] in ("up", "lost"), phases


def test_an_unknown_machine_waits_until_somebody_says_who_it_is(site):
    machine = site.lab.machine("n5", firmware="bios")
    site.define_node("n5", "", "10.77.0.15/24", image="lean", kernel_args=KERNEL)
    machine.start()

    def rows(*words, of="agg1"):
        return [row for row in site.cli_json("boot", *words, socket_of=site[of])["items"] if row["mac"] == machine.mac]
    site["boot1"].wait_log(f"a machine that is not in the model .*REQUEST from {machine.mac}", limit=120)
    waiting, = c.wait_for("the machine is on the list", lambda: rows("unknown"))
    assert waiting["network"] == "lab" and waiting["arch"] == "x86 BIOS" and waiting["client"] in ("pxe", "ipxe"), waiting
    assert len(waiting["uuid"]) == 36 and not waiting["ignored"] and waiting["daemon"] == "boot1", waiting
    assert rows("unknown", of="boot1") == rows("unknown")
    # The address that it was lent is shown, by any daemon's socket.
    leases = c.wait_for("its lease is shown", lambda: [
        row for row in site.cli("boot", "leases", "-o", "csv", socket_of=site["agg1"], check=0).stdout.splitlines()
        if f"leased,{machine.mac}" in row])
    assert leases[0].startswith("10.77.0.2"), leases

    assert site.cli("boot", "approve", machine.mac, "--as", "n5", "--why", "slot 5", check=0).stdout == f"{machine.mac} is n5\n"
    site.wait_up("n5", limit=180)
    machine.stop()
    assert not rows("unknown")


def test_a_token_is_good_for_one_machine_alone(site):
    """Somebody else on the network reads a script and tries to be the node."""
    site.define_node("n6", "52:54:00:77:66:66", "10.77.0.16/24", image="lean", kernel_args=KERNEL)
    address = f"{labs.GATEWAY}:8443"

    def enrol(token):
        return site.lab.command(
            "curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST", "-H", f"Authorization: Boot {token}",
            "-H", "Content-Type: application/json", "-d", '{"csr_pem":"x","boot_id":"y"}',
            f"https://{address}/boot/v1/enrol", check=False).stdout
    assert enrol("a" * 32) == "401"
    script = c.wait_for("the node has a script", lambda: (lambda text: "drover.token=" in text and text)(
        site.lab.command("curl", "-s", f"http://{labs.GATEWAY}:8080/boot/v1/bootscript?mac=52:54:00:77:66:66").stdout))
    token = script.split("drover.token=")[1].split()[0]
    # From the address that it was given to, a request that is none; from another, nothing at all.
    assert enrol(token) in ("400", "403")
    assert site.lab.command("curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "--interface", "127.0.0.1", "-X",
                            "POST", "-H", f"Authorization: Boot {token}", "-H", "Content-Type: application/json",
                            "-d", '{"csr_pem":"x","boot_id":"y"}', f"https://{address}/boot/v1/enrol",
                            check=False).stdout in ("403", "000")
    assert "n6" in site.api.nodes() and site.api.nodes()["n6"]["phase"]["state"] != "up"
