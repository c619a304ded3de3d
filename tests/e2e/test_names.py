"""libnss_drover: every program of a manager finds the nodes by name, with the daemon and without it.

The programs are real (getent, Python's resolver) in a mount namespace of their own, where
/etc/nsswitch.conf asks the module and /run/drover is the cluster's folder.
"""
import os
import subprocess

import pytest

import cluster as c

LIB = c.BIN.parent / "lib"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can bind /etc/nsswitch.conf")


def start_in(cluster, command, hosts="files drover", stdin=subprocess.DEVNULL):
    """A program that sees `cluster` in /run/drover, with `hosts` in nsswitch.conf."""
    switch = cluster.run / "nsswitch.conf"
    switch.write_text(f"hosts: {hosts}\n")
    script = ('mount --bind "$1" /etc/nsswitch.conf && mount -t tmpfs none /run && mkdir /run/drover'
              ' && mount --bind "$2" /run/drover && shift 2 && exec "$@"')
    environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LD_LIBRARY_PATH": str(LIB), "LANG": "C"}
    return subprocess.Popen(
        ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh", switch, cluster.run, *command],
        stdin=stdin, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)


def getent(cluster, *arguments, hosts="files drover"):
    """What getent prints, in fields; nothing when it finds nothing."""
    process = start_in(cluster, ["getent", *arguments], hosts)
    out, error = process.communicate(timeout=30)
    assert process.returncode in (0, 2), error
    return [line.split() for line in out.splitlines()]


def add(cluster, name, last, **more):
    interface = {"name": "eth0", "addresses": [f"10.99.0.{last}/24"]}
    cluster.api.json("POST", "/nodes", {"name": name, "spec": {"interfaces": [interface], **more}})


def test_programs_find_nodes_by_name():
    with c.Cluster() as cluster:
        cluster.api.json("POST", "/networks", {"name": "lab", "prefix": "10.99.0.0/24", "domain": "lab.test"})
        add(cluster, "n1", 11, aliases=["login"])
        cluster.api.json("POST", "/nodes", {"name": "n2", "spec": {"interfaces": [
            {"name": "eth0", "addresses": ["10.99.0.12/24", "fd99::12/64"]},
            {"name": "ib0", "addresses": ["10.98.0.12/24"]}]}})
        names = ["n1.lab.test", "n1", "login.lab.test", "login"]
        c.wait_for("n1 has a name", lambda: getent(cluster, "hosts", "n1") == [["10.99.0.11", *names]])
        for name in ("N1.lab.test", "n1.lab.test.", "LOGIN"):
            assert getent(cluster, "hosts", name) == [["10.99.0.11", *names]], name
        assert getent(cluster, "hosts", "10.99.0.11") == [["10.99.0.11", *names]]
        assert getent(cluster, "hosts", "fd99::12") == [["fd99::12", "n2.lab.test", "n2"]]
        assert getent(cluster, "hosts", "n2-ib0") == [["10.98.0.12", "n2-ib0.cluster.internal", "n2-ib0"]]
        assert getent(cluster, "ahostsv6", "n2")[0][0] == "fd99::12"
        assert {line[0] for line in getent(cluster, "ahosts", "n2")} == {"10.99.0.12", "fd99::12"}
        assert getent(cluster, "-s", "drover", "hosts", "n2", hosts="files")[0][-1] == "n2"
        # What is no node's is for the next to know, and costs nothing but a look.
        assert getent(cluster, "hosts", "n3") == []
        assert getent(cluster, "hosts", "10.99.0.13") == []
        assert getent(cluster, "hosts", "localhost")[0][-1] == "localhost"


def test_a_running_program_sees_changes_and_outlives_the_daemon():
    with c.Cluster() as cluster:
        add(cluster, "n1", 11)
        program = ("import socket, sys\n"
                   "for line in sys.stdin:\n"
                   "    try: print(socket.gethostbyname(line.strip()), flush=True)\n"
                   "    except OSError as e: print(e, flush=True)\n")
        process = start_in(cluster, ["python3", "-c", program], stdin=subprocess.PIPE)

        def ask(name):
            process.stdin.write(name + "\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        try:
            c.wait_for("n1 is found", lambda: ask("n1") == "10.99.0.11")
            cluster.api.json("PATCH", "/nodes/n1", {"spec": {"interfaces": [
                {"name": "eth0", "addresses": ["10.99.0.77/24"]}]}})
            c.wait_for("its new address is found", lambda: ask("n1") == "10.99.0.77")
            cluster.master.kill()
            assert ask("n1") == "10.99.0.77", "a daemon that is away is not missed"
            # A folder without the file, and a spoiled file, are as if the module were not there.
            names = cluster.run / "master.names"
            names.rename(cluster.run / "aside")
            assert "10.99" not in ask("n1")
            names.write_bytes((cluster.run / "aside").read_bytes()[:100])
            assert "10.99" not in ask("n1")
            cluster.start_master()
            c.wait_for("n1 is found again", lambda: ask("n1") == "10.99.0.77")
        finally:
            process.communicate(timeout=30)


def test_a_boot_daemon_tells_its_host_the_names():
    with c.Cluster() as cluster:
        cluster.add("boot", "boot1", "--dhcp=false", "--tftp=false", "--dns=false", "--netconsole=false",
                    "--advertise=false", "--http-listen", "127.0.0.1:0", "--https-listen", "127.0.0.1:0")
        add(cluster, "n1", 11)

        def told():
            names = cluster.run / "boot.names"
            return names.exists() and b"n1.cluster.internal" in names.read_bytes()
        c.wait_for("the boot daemon has written n1's name", told)
        (cluster.run / "master.names").unlink()
        assert getent(cluster, "hosts", "n1")[0][0] == "10.99.0.11"
        assert (cluster.run / "boot.names").stat().st_mode & 0o777 == 0o644


def test_the_library_needs_libc_alone():
    library = LIB / "libnss_drover.so.2"
    out = subprocess.run(["readelf", "-dW", library], check=True, capture_output=True, text=True).stdout
    needed = [line.split("[")[1].rstrip("]") for line in out.splitlines() if "(NEEDED)" in line]
    assert needed == ["libc.so.6"]
    symbols = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True,
                             text=True).stdout
    assert all(line.split()[-1].startswith("_nss_drover_") for line in symbols.splitlines()), symbols
