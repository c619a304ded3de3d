#!/usr/bin/env python3
"""From power on to `up`: a QEMU machine booted by drover-boot alone, and the same machine booted by dnsmasq and
nginx with the same kernel, initramfs and command line, in turns.

usage: power_on_bench.py [ROUNDS] [FIRMWARE..]    programs from DROVER_BIN; needs root, QEMU, dnsmasq and nginx

The rival hands out address, loader, script and files; the agent in the initramfs is enrolled by drover-boot in both
cases, whose DHCP, TFTP and DNS are off then. The rival is set up as well as it can be: it tells iPXE not to wait for
a proxy (3 s), and drover-boot still answers router solicitations for it (13 s).
"""
import os
import pathlib
import re
import shutil
import statistics
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests/e2e"))
os.environ.setdefault("DROVER_BIN", str(HERE.parent / "build/release/bin"))
import boot_lab  # noqa: E402  (the lab is the tests')
import cluster as c  # noqa: E402
import lab as labs  # noqa: E402

ADDRESS = "10.77.0.11"
KERNEL = f"console=ttyS0 {labs.KERNEL_QUIRKS}"
LOADERS = "/usr/lib/ipxe"

DNSMASQ = """
port=0
interface=br0
bind-interfaces
dhcp-range=10.77.0.0,static,255.255.255.0,1h
dhcp-host={mac},{address},n1
dhcp-option=option:router,{gateway}
dhcp-match=set:ipxe,175
dhcp-option-force=tag:ipxe,encap:175,176,1b
no-ping
dhcp-authoritative
dhcp-match=set:efi64,option:client-arch,7
dhcp-boot=tag:ipxe,http://{gateway}:8090/boot.ipxe
dhcp-boot=tag:!ipxe,tag:efi64,snponly.efi
dhcp-boot=tag:!ipxe,tag:!efi64,undionly.kpxe
enable-tftp
tftp-root={loaders}
dhcp-leasefile={folder}/leases
pid-file={folder}/dnsmasq.pid
"""
NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx-error.log;
events {{ worker_connections 512; }}
http {{ access_log off; sendfile on; tcp_nopush on;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen {gateway}:8090; root {folder}/www; }} }}
"""


class Rivals:
    """dnsmasq and nginx in the lab's network."""

    def __init__(self, site, mac):
        self.site, self.mac = site, mac
        self.folder = site.lab.folder / "rivals"
        self.www = self.folder / "www"
        self.www.mkdir(parents=True)
        for path in (site.run / "images/blobs").rglob("*"):
            if path.is_file():
                os.link(path, self.www / path.name)
        values = {"mac": mac, "address": ADDRESS, "gateway": labs.GATEWAY, "folder": self.folder, "loaders": LOADERS}
        for folder in (self.folder, self.www):
            folder.chmod(0o755)
        for name, text in (("dnsmasq.conf", DNSMASQ), ("nginx.conf", NGINX)):
            (self.folder / name).write_text(text.format(**values))
        site.lab.run("dnsmasq", "--keep-in-foreground", f"--conf-file={self.folder / 'dnsmasq.conf'}", "--user=root")
        site.lab.run("nginx", "-p", self.folder, "-c", self.folder / "nginx.conf")
        c.wait_for("nginx answers", lambda: site.lab.command("curl", "-s", f"http://{labs.GATEWAY}:8090/", check=False)
                   .returncode == 0)

    def renew_script(self):
        """The node's script with a new token, as the node itself would get it, with the files at nginx."""
        lab = self.site.lab
        lab.command("ip", "addr", "add", f"{ADDRESS}/32", "dev", "lo")
        try:
            text = lab.command("curl", "-sf", "--interface", ADDRESS,
                               f"http://{labs.GATEWAY}:8080/boot/v1/bootscript?mac={self.mac}").stdout
        finally:
            lab.command("ip", "addr", "del", f"{ADDRESS}/32", "dev", "lo")
        ours = f"http://{labs.GATEWAY}:8080/boot/blobs/"
        assert ours in text, text
        moved = re.sub(re.escape(ours) + r"([0-9a-f]{64})(\?\S*)?", f"http://{labs.GATEWAY}:8090/\\1", text)
        (self.www / "boot.ipxe").write_text(moved)


def make_site(lab, *flags):
    site = boot_lab.BootCluster(lab)
    original = site.add_in_lab
    site.add_in_lab = lambda role, name, *more: original(role, name, *more, *(flags if role == "boot" else ()))
    site.start_in_lab()
    site.define_network()
    site.import_lean()
    return site


class Boots:
    """The boots of one node, told apart by the boot id of the kernel that its agent runs on."""

    def __init__(self, site, machine):
        self.site, self.machine = site, machine
        self.boot_id = ""

    def once(self):
        """Seconds from power on until the master says `up` of this very boot; then it is switched off. Nobody waits
        until the node is lost (tree.hold, a minute): the next kernel is another."""
        began = time.monotonic()
        self.machine.start()
        c.wait_for("n1 is up in this boot", self.is_up, limit=180, every=0.02)
        took = time.monotonic() - began
        self.boot_id = self.node()["agent"]["boot_id"]
        self.machine.stop()
        return took

    def node(self):
        return self.site.api.nodes()["n1"]

    def is_up(self):
        node = self.node()
        phase, agent = node["phase"], node.get("agent") or {}
        return phase["state"] == "up" and phase["confirmed"] and agent.get("boot_id") not in (None, "", self.boot_id)


def compare(firmware, rounds):
    memory = 256 if firmware == "bios" else 384
    with labs.Lab() as here, labs.Lab() as there:
        ours = theirs = None
        try:
            ours = make_site(here)
            theirs = make_site(there, "--dhcp=false", "--tftp=false", "--dns=false")
            machines = [lab.machine("n1", firmware=firmware, memory=memory) for lab in (here, there)]
            for site, machine in zip((ours, theirs), machines):
                site.define_node("n1", machine.mac, f"{ADDRESS}/24", image="lean", kernel_args=KERNEL)
            rivals = Rivals(theirs, machines[1].mac)
            figures = {"drover-boot": [], "dnsmasq + nginx": []}
            boots = Boots(ours, machines[0]), Boots(theirs, machines[1])
            print(f"{firmware:<10} on {os.cpu_count()} shared cores, load {os.getloadavg()[0]:.1f}", flush=True)
            for i in range(rounds):
                rivals.renew_script()
                for name, boot in list(zip(figures, boots))[::1 if i % 2 == 0 else -1]:  # who is first changes
                    figures[name].append(boot.once())
            for name, values in figures.items():
                print(f"{firmware:<10} {name:<16} {statistics.median(values):6.2f} s median of "
                      f"{' '.join(f'{value:.2f}' for value in values)}", flush=True)
            ratio = statistics.median(figures["drover-boot"]) / statistics.median(figures["dnsmasq + nginx"])
            print(f"{firmware:<10} ratio {ratio:.2f} x (budget 1.0 x)", flush=True)
        finally:
            for site in (ours, theirs):
                if site is not None:
                    site.close()


def main():
    reason = labs.missing() or (None if labs.kernel() else "no kernel with modules is installed")
    for tool in ("dnsmasq", "nginx"):
        reason = reason or (None if shutil.which(tool) else f"{tool} is not installed")
    if reason:
        sys.exit(reason)
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    for firmware in sys.argv[2:] or ["bios", "uefi-pxe"]:
        compare(firmware, rounds)


main()
