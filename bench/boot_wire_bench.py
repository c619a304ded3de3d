#!/usr/bin/python3
"""The boot services on a veth link beside kea-dhcp4, tftpd-hpa and dnsmasq, one after the other on the same machine.

  boot_wire_bench.py [MACHINES] [SECONDS] [dhcp|tftp]

Load and server share the cores, so the CPU that a server spends per exchange is the figure that holds; exchanges a
second are what is left beside the load generator, whose own limit is measured first ("reflect"). A lease of Drover's
is on the disk before its client is told; Kea's is written to a file that nobody syncs."""
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

BIN = pathlib.Path(os.environ.get("DROVER_BIN", pathlib.Path(__file__).resolve().parents[1] / "build/release/bin"))
MACHINES = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
SECONDS = int(sys.argv[2]) if len(sys.argv) > 2 else 8
ROUNDS = 3 if SECONDS >= 4 else 1
TFTP_CLIENTS = {"near": 8, "far": 2}  # many, or few whose waiting is not hidden by the others
OUTSTANDING = (64, 256, 1024)  # under way at once: a rack that starts, a row, a cluster


class Namespace:
    """A process that holds a network namespace."""

    def __init__(self, inside=None):
        # in.tftpd changes its user, which a user namespace does not let it; without root it is left out.
        users = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        command = [*inside.enter, "unshare", "--net", "cat"] if inside else ["unshare", *users, "--net", "cat"]
        self.holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.holder.stdin.write(b".")
        self.holder.stdin.flush()
        self.holder.stdout.read(1)
        self.enter = ["nsenter", "-t", str(self.holder.pid), *(["-U", "--preserve-credentials"] if users else []), "-n"]
        self.run("ip", "link", "set", "lo", "up")

    def run(self, *command, check=True):
        done = subprocess.run([*self.enter, *map(str, command)], capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            sys.exit(f"{command}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def start(self, *command, env=None):
        return subprocess.Popen([*self.enter, *map(str, command)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, env={**os.environ, **(env or {})})


def cpu(pid):
    """CPU seconds of a process, all its threads; nsenter becomes its command."""
    return time.clock_gettime(~pid << 3 | 2)


def drover(server, folder, machines, files=""):
    process = server.start(BIN / "boot_wire_server", folder / f"state{time.monotonic_ns()}", "10.77.0.0/16",
                           "10.77.64.0-10.77.127.255", *([files] if files else []),
                           env={"DROVER_QUIET": "1", "DROVER_MACHINES": str(machines)})
    for line in process.stdout:
        if line.strip() == "ready":
            return process
    sys.exit("boot_wire_server did not start")


def kea(server, folder, machines, threads):
    reservations = [{"hw-address": "02:00:%02x:%02x:%02x:%02x" % tuple(i.to_bytes(4, "big")),
                     "ip-address": f"10.77.{192 + (i >> 8)}.{i & 255}", "hostname": f"n{i}"} for i in range(machines)]
    config = {"Dhcp4": {
        "interfaces-config": {"interfaces": ["eth0"], "dhcp-socket-type": "udp"},
        "multi-threading": {"enable-multi-threading": threads > 0, "thread-pool-size": max(threads, 1)},
        "lease-database": {"type": "memfile", "persist": True, "lfc-interval": 0, "name": str(folder / "kea.csv")},
        "valid-lifetime": 3600, "sanity-checks": {"lease-checks": "none"},
        "subnet4": [{"id": 1, "subnet": "10.77.0.0/16", "pools": [{"pool": "10.77.64.0 - 10.77.127.255"}],
                     "reservations": reservations}],
        "loggers": [{"name": "kea-dhcp4", "severity": "ERROR", "output_options": [{"output": "stderr"}]}]}}
    (folder / "kea.csv").unlink(missing_ok=True)
    path = folder / "kea.json"
    path.write_text(json.dumps(config))
    process = server.start("kea-dhcp4", "-c", path, env={"KEA_PIDFILE_DIR": str(folder),
                                                         "KEA_LOCKFILE_DIR": str(folder)})
    for _ in range(300):
        if ":67 " in server.run("ss", "-lun"):
            return process
        if process.poll() is not None:
            sys.exit("kea-dhcp4: " + process.stdout.read())
        time.sleep(0.1)
    sys.exit("kea-dhcp4 did not open its port")


def stop(process):
    process.stdin.close()
    process.terminate()
    process.wait(timeout=30)


def load(client, process, clients, outstanding, rate=0):
    """Exchanges a second, the part that was lost, the server's CPU in microseconds for each."""
    client.run(BIN / "bench_dhcp_load", "10.77.0.1", "10.77.0.2", clients, 1, outstanding)  # warm
    before = cpu(process.pid)
    text = client.run(BIN / "bench_dhcp_load", "10.77.0.1", "10.77.0.2", clients, SECONDS, outstanding,
                      *([rate] if rate else []))
    spent = cpu(process.pid) - before
    found = re.search(r"(\d+) exchanges/s, (\d+) done, \d+ lost \(([\d.]+) %\).*p50 ([\d.]+) ms, p99 ([\d.]+)", text)
    if not found or found[2] == "0":
        sys.exit(f"no exchanges: {text}")
    return {"rate": int(found[1]), "lost": float(found[3]), "p50": float(found[4]), "p99": float(found[5]),
            "cpu": spent * 1e6 / int(found[2])}


def show(name, it):
    print(f"{name:<38} {it['rate']:>8} /s  {it['lost']:>6.3f} % lost  p50 {it['p50']:>6.2f}  p99 {it['p99']:>6.2f} ms"
          f"  server CPU {it['cpu']:>7.1f} us each", flush=True)
    return it


def dhcp(server, client, folder):
    print(f"== DHCPv4, four-way exchanges of {MACHINES} machines, {SECONDS} s each")
    limit = 0
    for outstanding in OUTSTANDING:
        text = client.run(BIN / "bench_dhcp_load", "reflect", "127.0.0.1", MACHINES, SECONDS, outstanding).strip()
        print(f"reflect (the generator alone), {outstanding} under way  {text}")
        limit = max(limit, int(text.split()[0]))
    ratios = {}
    best = {}
    for kind, machines in (("reserved", MACHINES), ("leased", 0)):
        for outstanding in OUTSTANDING:
            about = f"{kind}, {outstanding} under way"
            process = drover(server, folder, machines)
            ours = show(f"drover, {about}", load(client, process, min(MACHINES, 16000), outstanding))
            stop(process)
            if not shutil.which("kea-dhcp4"):
                continue
            rivals = []
            for threads in (0, 2):
                process = kea(server, folder, machines, threads)
                name = f"kea, {about}" + ("" if threads == 0 else f", {threads} threads")
                rivals.append(show(name, load(client, process, min(MACHINES, 16000), outstanding)))
                stop(process)
            # A rival that loses more than 0.1 % has not served that rate.
            good = [it for it in rivals if it["lost"] <= 0.1] or rivals
            best["drover", kind] = max(best.get(("drover", kind), 0), ours["rate"] if ours["lost"] <= 0.1 else 0)
            best["kea", kind] = max([best.get(("kea", kind), 0), *(it["rate"] for it in rivals if it["lost"] <= 0.1)])
            ratios[about] = (ours["rate"] / max(it["rate"] for it in good),
                             min(it["cpu"] for it in good) / ours["cpu"])
    if shutil.which("perfdhcp"):
        rate = 1000
        print(f"-- perfdhcp at {rate} a second, and ours at the same rate")
        for name, start in (("drover", lambda: drover(server, folder, 0)), ("kea", lambda: kea(server, folder, 0, 0))):
            process = start()
            show(f"{name}, own load", load(client, process, 10000, 64, rate))
            text = client.run("perfdhcp", "-4", "-l", "eth0", "-r", rate, "-R", 10000, "-p", 5, "10.77.0.1",
                              check=False)
            stop(process)
            drops = re.findall(r"drops ratio: ([\d.]+) %", text)
            print(f"{name + ', perfdhcp':<38} {'/'.join(re.findall(r'Rate: ([0-9.]+)', text)):>8} /s, drops of the two "
                  f"exchanges {' and '.join(drops)} %", flush=True)
    for kind in ("reserved", "leased"):
        if best.get(("kea", kind)):
            print(f"ratio, {kind}, best of each at most 0.1 % lost: {best['drover', kind]} over {best['kea', kind]} /s, "
                  f"{best['drover', kind] / best['kea', kind]:.1f} x (budget 5 x)" +
                  (f"; ours is the generator's limit, {limit} /s" if best["drover", kind] > 0.8 * limit else ""))
    for kind, (rate, spent) in ratios.items():
        print(f"ratio, {kind:<31} {rate:>8.1f} x the exchanges a second, {spent:.1f} x the exchanges per CPU second")


def tftp_server(name, server, folder, files):
    if name == "drover":
        return drover(server, folder, 0, files)
    if name == "tftpd-hpa":
        process = server.start("in.tftpd", "-L", "-a", "10.77.0.1:69", "-u", "root", "-s", files)
    else:
        process = server.start("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--user=root",
                               "--bind-interfaces", "--listen-address=10.77.0.1", "--enable-tftp", "--tftp-max=100",
                               f"--tftp-root={files}", f"--pid-file={folder / 'dnsmasq.pid'}")
    for _ in range(100):
        if ":69 " in server.run("ss", "-lun"):
            return process
        if process.poll() is not None:
            sys.exit(f"{name}: {process.stdout.read()}")
        time.sleep(0.05)
    sys.exit(f"{name} did not open its port")


def fetch(name, server, client, folder, files, file, block, window, delay):
    """MiB a second, CPU milliseconds of the server for each, the window that was granted, blocks asked for again."""
    process = tftp_server(name, server, folder, files)
    before = cpu(process.pid)
    text = client.run(BIN / "bench_tftp_load", "10.77.0.1", file, TFTP_CLIENTS[file], block, window, delay)
    found = re.search(r"([\d.]+) MiB/s, ([\d.]+) MiB in .* window (\d+), (\d+) asked again", text)
    if not found:
        sys.exit(f"{name}: {text}")
    time.sleep(0.05)
    spent = 0 if name == "tftpd-hpa" else cpu(process.pid) - before  # its children take theirs along
    stop(process)
    return float(found[1]), 1000 * spent / float(found[2]), int(found[3]), int(found[4])


def tftp(server, client, folder):
    print(f"== TFTP, {TFTP_CLIENTS['near']} clients at once, {TFTP_CLIENTS['far']} where they are far: what they say leaves "
          f"as late as the round trip is long; medians of {ROUNDS} rounds, in turns")
    files = folder / "files"
    files.mkdir()
    (files / "near").write_bytes(os.urandom(int(4e6 * min(SECONDS, 4))))
    (files / "far").write_bytes(os.urandom(int(1e6)))
    rivals = [name for name, tool in (("tftpd-hpa", "in.tftpd"), ("dnsmasq", "dnsmasq"))
              if shutil.which(tool) and os.geteuid() == 0]
    for delay, block, window in ((0, 512, 1), (0, 1468, 1), (0, 1468, 16), (1000, 512, 1), (1000, 1468, 1),
                                 (1000, 1468, 16)):
        got = {name: [] for name in ("drover", *rivals)}
        for _ in range(ROUNDS):
            for name, figures in got.items():
                figures.append(fetch(name, server, client, folder, files, "far" if delay else "near", block, window,
                                     delay))
        middle = {name: [statistics.median(values) for values in zip(*figures)] for name, figures in got.items()}
        about = f"round trip {delay // 1000} ms, blocks of {block}" + (f", windows of {window}" if window > 1 else "")
        for name, (rate, spent, granted, again) in middle.items():
            print(f"{name + ', ' + about:<60} {rate:>8.2f} MiB/s"
                  + (f"  server CPU {spent:>6.2f} ms per MiB" if spent else "")
                  + (f"  window {granted:.0f}" if granted != window else "")
                  + (f"  {again:.0f} asked again" if again else ""), flush=True)
        for name in rivals:
            per_cpu = f", per CPU {middle[name][1] / max(middle['drover'][1], 0.01):.1f} x" if middle[name][1] else ""
            wanted = " (budget 8 x)" if (delay, window, name) == (1000, 16, "tftpd-hpa") else ""
            print(f"ratio, {name + ', ' + about:<53} {middle['drover'][0] / middle[name][0]:>8.2f} x{per_cpu}{wanted}",
                  flush=True)


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="drover-bench-"))
    server = Namespace()
    client = Namespace(server)
    try:
        server.run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", client.holder.pid)
        for space, address in ((server, "10.77.0.1/16"), (client, "10.77.0.2/16")):
            space.run("ip", "addr", "add", address, "dev", "eth0")
            space.run("ip", "link", "set", "eth0", "up")
        print(f"machine: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; server and load share them")
        for part in (dhcp, tftp):
            if sys.argv[3:] in ([], [part.__name__]):
                part(server, client, folder)
    finally:
        client.holder.stdin.close()
        server.holder.stdin.close()
        shutil.rmtree(folder, ignore_errors=True)


main()
