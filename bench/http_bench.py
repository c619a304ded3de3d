#!/usr/bin/env python3
"""A blob of 300 MB and boot scripts over HTTP: drover's service beside nginx, in the same run, with the same client.

usage: http_bench.py [MEGABYTES] [ROUNDS]    programs from DROVER_BIN; needs nginx
Rates are of one connection on loopback; CPU is the server's own, per GB or per 1000 scripts.
"""
import hashlib
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

BIN = pathlib.Path(os.environ.get("DROVER_BIN", pathlib.Path(__file__).resolve().parent.parent / "build/release/bin"))
BENCH = BIN / "bench_http_boot"
SCRIPT_SECONDS = 5

CONF = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port}; root {folder}/files; }} }}
"""


def cpu(process):
    """Processor seconds of a process, all its threads."""
    return time.clock_gettime(~process.pid << 3 | 2)


def run(*words):
    return [float(line) for line in subprocess.run([str(BENCH), *map(str, words)], check=True, text=True,
                                                   stdout=subprocess.PIPE).stdout.split()]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def await_port(port):
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    sys.exit("nginx does not answer")


def scripts(port, ours, nginx_port, nginx):
    """Boot scripts of 10,000 machines in turn, each with a token of its own; nginx sends a file of that size."""
    path = "/boot/v1/bootscript?arch=x86_64&mac="
    for side, at, process, what, seconds, budget in (
            ("known machines, in the first second", port, ours, path + "MAC", 1, ""),
            ("known machines", port, ours, path + "MAC", SCRIPT_SECONDS, " (budget 40,000)"),
            ("a machine that nobody knows", port, ours, path + "02:ff:00:00:00:01", SCRIPT_SECONDS, " (budget 40,000)"),
            ("nginx's file of that size", nginx_port, nginx, "/script", SCRIPT_SECONDS, "")):
        before = cpu(process)
        rate = run("ask", at, what, 64, seconds)[0]
        spent = cpu(process) - before
        print(f"scripts, {side}: {rate:.0f}/s, {rate * seconds / max(spent, 0.01):.0f}/s per core of the server{budget}",
              flush=True)
        if seconds == 1:
            time.sleep(4)  # the logs of 10,000 nodes are made


def main():
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    if shutil.which("nginx") is None:
        sys.exit("nginx is not installed")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="drover-bench-", dir="/tmp"))
    servers = []
    try:
        blob = os.urandom(1_000_000) * megabytes
        name = hashlib.sha256(blob).hexdigest()
        ours_path = folder / "images/blobs" / name[:2] / name
        theirs_path = folder / "files/blob"
        for path in (ours_path, theirs_path):
            path.parent.mkdir(parents=True)
        ours_path.write_bytes(blob)
        os.link(ours_path, theirs_path)  # the same pages of the cache
        del blob
        folder.chmod(0o755)
        script = b"x" * 420
        (folder / "files/script").write_bytes(script)

        ours = subprocess.Popen([str(BENCH), "serve", str(folder), name], stdout=subprocess.PIPE, text=True)
        servers.append(ours)
        port = int(ours.stdout.readline())
        nginx_port = free_port()
        (folder / "nginx.conf").write_text(CONF.format(folder=folder, port=nginx_port))
        nginx = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")],
                                 stderr=subprocess.DEVNULL)
        servers.append(nginx)
        await_port(nginx_port)

        sides = {"drover": (ours, port, f"/boot/blobs/{name}"), "nginx": (nginx, nginx_port, "/blob")}
        rates = {side: [] for side in sides}
        used = dict.fromkeys(sides, 0.0)
        for _ in range(rounds):
            for side, (process, at, path) in sides.items():
                before = cpu(process)
                rates[side] += run("fetch", at, path, 2)
                used[side] += cpu(process) - before
        gigabytes = megabytes * 2 * rounds / 1000
        median = {side: statistics.median(values) for side, values in rates.items()}
        for side in sides:
            print(f"blob of {megabytes} MB, {side:7} {median[side]:7.0f} MB/s median, best {max(rates[side]):.0f}, "
                  f"{used[side] / gigabytes:.3f} s CPU per GB")
        print(f"on {os.cpu_count()} shared cores, load {os.getloadavg()[0]:.1f}, rounds in turns")
        print(f"blob: {100 * median['drover'] / median['nginx']:.0f} % of nginx (budget 95 %)")

        scripts(port, ours, nginx_port, nginx)
    finally:
        for server in servers:
            server.kill()
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


main()
