#!/usr/bin/env python3
"""A storm of booting machines against a real master, aggregator and drover-boot on this machine.

usage: boot_storm_bench.py [MACHINES] [AT_ONCE]    programs from DROVER_BIN; needs root

The machines are emulated (bench_boot_storm says what each does); what they ask is real: packets over a veth link,
certificates signed by the master, stages and phases kept by its store. Generator and daemons share the cores.
"""
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests/e2e"))
os.environ.setdefault("DROVER_BIN", str(HERE.parent / "build/release/bin"))
import boot_lab  # noqa: E402  (the lab is the tests')
import cluster as c  # noqa: E402
import lab as labs  # noqa: E402

SERVER, RELAY = "10.78.0.1", "10.78.0.2"


def cpu(process):
    """Processor seconds of a process, all its threads."""
    return time.clock_gettime(~process.pid << 3 | 2)


def define(site, machines):
    nodes = {f"n{i}": {"interfaces": [{
        "name": "eth0", "mac": "02:00:" + ":".join(f"{octet:02x}" for octet in i.to_bytes(4, "big")),
        "addresses": [f"10.78.{16 + (i >> 8)}.{i & 255}/16"]}], "profiles": ["storm"]} for i in range(machines)}
    body = {"document": {"kind": "drover-cluster", "version": 1, "nodes": nodes,
                         "profiles": {"storm": {"attributes": {"image": "lean"}}}}, "why": "storm"}
    site.api.json("POST", "/apply", body)


def main():
    reason = labs.missing() or (None if labs.kernel() else "no kernel with modules is installed")
    if reason:
        sys.exit(reason)
    machines = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    at_once = int(sys.argv[2]) if len(sys.argv) > 2 else 256
    with labs.Lab() as lab:
        space = f"{lab.name}-storm"
        subprocess.run(["ip", "netns", "add", space], check=True)
        site = boot_lab.BootCluster(lab)
        try:
            lab.command("ip", "link", "add", "storm0", "type", "veth", "peer", "name", "eth0", "netns", space)
            lab.command("ip", "link", "set", "storm0", "up")
            lab.command("ip", "addr", "add", f"{SERVER}/16", "dev", "storm0")
            for command in ("addr add 10.78.0.2/16 dev eth0", "link set eth0 up", "link set lo up",
                            "route add local 10.78.16.0/20 dev lo", "route add local 10.78.32.0/19 dev lo"):
                subprocess.run(["ip", "-n", space, *command.split()], check=True)
            for behind in ("10.78.16.0/20", "10.78.32.0/19"):  # as giaddr says; an ARP entry each would be 10,000
                lab.command("ip", "route", "add", behind, "via", RELAY, "dev", "storm0")
            site.server_address = SERVER
            start(site)
            site.api.json("POST", "/networks", {"name": "storm", "prefix": "10.78.0.0/16", "mode": "full"})
            site.import_lean()
            define(site, machines)
            boot = site["boot1"]
            c.wait_for("the boot daemon knows the nodes", lambda: any(
                f'"n{machines - 1}"' in path.read_text() for path in (boot.state / "model").glob("*")), every=0.2)
            daemons = {"drover-boot": boot.process, "master": site.master.process}
            load = os.getloadavg()[0]
            before = {name: cpu(process) for name, process in daemons.items()}
            done = subprocess.run(["ip", "netns", "exec", space, c.BIN / "bench_boot_storm", SERVER, RELAY,
                                   str(machines), str(at_once)], text=True, stdout=subprocess.PIPE)
            print(f"on {os.cpu_count()} shared cores, load before {load:.1f}:\n{done.stdout.strip()}")
            print("CPU " + ", ".join(f"{name} {cpu(process) - before[name]:.2f} s" for name, process in daemons.items()))
            nodes = site.api.nodes().values()
            c.wait_for("every node's phase says so", lambda: all(
                node["phase"]["state"] == "joining" for node in site.api.nodes().values()), limit=30, every=0.5)
            print(f"phases: {len(nodes)} joining (budget: 10000 in 15 s, nothing asked again)", flush=True)
            sys.exit(done.returncode)
        finally:
            site.close()
            subprocess.run(["ip", "netns", "del", space], check=False)


def start(site):
    """As BootCluster.start_in_lab, with boot services on the storm's network."""
    flags = site.master.flags
    flags[flags.index("--http-listen") + 1] = f"127.0.0.1:{site.http_port}"
    flags[flags.index("--tree-listen") + 1] = f"{SERVER}:{site.tree_port}"
    site.start_master()
    site.add_in_lab("aggregator", "agg1", "--listen", f"{SERVER}:9800")
    site.add_in_lab("boot", "boot1", "--http-listen", f"{SERVER}:8080", "--https-listen", f"{SERVER}:8443",
                    "--images", site.run / "images")
    c.wait_for("the daemons are linked", lambda: site.up("aggregator") == {"agg1"} and site.up("boot") == {"boot1"})


main()
