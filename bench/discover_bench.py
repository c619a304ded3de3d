#!/usr/bin/env python3
"""From a network to nodes: scan, collect and adopt of many emulated BMCs behind TLS, by the clock of the commands.

usage: discover_bench.py [BMCS] [LATENCY_MS]    programs from DROVER_BIN; one master, drover-sim on loopback addresses
"""
import os
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests/e2e"))
os.environ.setdefault("DROVER_BIN", str(HERE.parent / "build/release/bin"))
import bmcs  # noqa: E402
import cluster as c  # noqa: E402

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
LATENCY = int(sys.argv[2]) if len(sys.argv) > 2 else 50
NETWORK = "127.60.0.0/16" if COUNT > 1000 else "127.60.0.0/22"


def timed(cluster, name, *words):
    begin = time.monotonic()
    done = cluster.cli(*words, check=0, timeout=580)
    print(f"{name:<34} {time.monotonic() - begin:7.2f} s   {done.stdout.splitlines()[-1]}", flush=True)


def main():
    with c.Cluster("bench") as cluster, bmcs.Bmcs(
            cluster.run, "--spread", "yes", "--host", "127.60.0.1", "--count", COUNT, "--latency", LATENCY) as fleet:
        cluster.cli("power", "credential", "default", "--user", "root", "--password-file", "-", text="calvin\n", check=0)
        run = f"127.60.0.1-127.60.{COUNT >> 8}.{COUNT & 255}"
        fast = ("--per-second", 10000, "--at-a-time", 512)
        print(f"{COUNT} BMCs, {LATENCY} ms a GET")
        timed(cluster, "scan, all of them there", "discover", "scan", run, "--ports", fleet.port(), "--no-ipmi", *fast)
        timed(cluster, "the same again, all known", "discover", "scan", run, "--ports", fleet.port(), *fast)
        timed(cluster, "scan of their network, rest silent", "discover", "scan", NETWORK, "--ports", fleet.port(), *fast)
        timed(cluster, "collect --found", "discover", "collect", "--found")
        timed(cluster, "adopt --dry-run", "discover", "adopt", f"n[1-{COUNT}]", "--dry-run")
        timed(cluster, "adopt", "discover", "adopt", f"n[1-{COUNT}]", "--address", "10.1.${number/250}.${number%250+1}/16")
        timed(cluster, "adopt again, nothing new", "discover", "adopt", f"n[1-{COUNT}]")


main()
