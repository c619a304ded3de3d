"""Real (emulated) machines that boot Drover's own first root: from the kernel to an identity, every stage told."""
import hashlib
import pathlib
import shutil
import socket
import subprocess

import lab as labs
import pytest
from boot_server import TOKEN, BootServer
from cluster import BIN, wait_for
from lab import Lab

reason = labs.missing() or (None if labs.kernel() else "no kernel with modules is installed")
pytestmark = pytest.mark.skipif(reason is not None, reason=reason or "")


@pytest.fixture(scope="module")
def first_root(tmp_path_factory):
    """The initramfs with this build's agent, and the kernel it is for."""
    kernel, modules = labs.kernel()
    path = tmp_path_factory.mktemp("boot") / "initramfs"
    subprocess.run([BIN / "drover", "image", "initramfs", path, "--kernel", modules,
                    "--agent", BIN / "drover-compute"], check=True)
    return kernel, str(path)


def start(lab, server, first_root, mode="lean", more="", **options):
    kernel, initrd = first_root
    node = lab.machine("n1", firmware="kernel", kernel=kernel, initrd=initrd, **options)
    node.append = f"console=ttyS0 {labs.KERNEL_QUIRKS} panic=-1 {server.command_line(node.mac, mode, more)}"
    return node.start()


def test_a_machine_without_a_disk_becomes_an_agent(first_root):
    with Lab() as lab:
        server = BootServer(lab)
        aggregator = lab.listen(9800)
        aggregator.settimeout(60)
        node = start(lab, server, first_root, more="unknown_nmi_panic")
        wait_for("the node has enrolled", lambda: server.enrolments == 1)
        aggregator.accept()[0].close()  # the agent dials what it was told of
        assert server.stage_names() == ["init", "joining"]
        assert all(0 < told["uptime_ms"] < 60_000 for _, told in server.stages)

        # From the kernel's first line on, once each, in order.
        wait_for("the boot's own words have come",
                 lambda: any("joined lab-1 as n1" in line for line in server.lines))
        numbers = [int(line.split(",")[1]) for line in server.lines]
        assert numbers == list(range(len(numbers)))
        assert "Linux version" in server.lines[0]
        assert TOKEN not in "".join(server.lines), "the kernel tells its command line"

        # Nobody can get in: no port answers, and the console has no shell.
        assert open_ports(lab, "10.77.0.11", range(1, 1200)) == []

        # The last words of a dying kernel.
        messages = lab.socket(kind=socket.SOCK_DGRAM)
        messages.bind(("10.77.0.1", 6666))
        messages.settimeout(60)
        node.monitor("inject-nmi")
        heard = ""
        while "Kernel panic" not in heard:
            heard += messages.recv(2000).decode(errors="replace")


def open_ports(lab, host, ports):
    found = []
    for port in ports:
        with lab.socket() as probe:
            probe.settimeout(5)
            if probe.connect_ex((host, port)) == 0:
                found.append(port)
    return found


def test_ctrl_alt_del_ends_the_machine_in_order(first_root):
    with Lab() as lab:
        server = BootServer(lab)
        node = start(lab, server, first_root, extra=("-no-reboot",))
        wait_for("the node has enrolled", lambda: server.enrolments == 1)
        node.wait_console("link: no link to the parent")
        node.monitor("send-key", keys=[{"type": "qcode", "data": key} for key in ("ctrl", "alt", "delete")])
        wait_for("the machine has ended", lambda: not node.running())
        assert "daemon: stopping signal=SIGTERM" in node.text()
        assert "Kernel panic" not in node.text()


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """A squashfs with an init of its own that is no systemd: (bytes, SHA-256)."""
    if not shutil.which("mksquashfs") or not pathlib.Path("/bin/busybox").exists():
        pytest.skip("squashfs-tools or busybox-static is not installed")
    root = tmp_path_factory.mktemp("image")
    for name in ("bin", "sbin", "etc", "proc", "sys", "dev", "run", "tmp", "lib"):
        (root / name).mkdir()
    shutil.copy("/bin/busybox", root / "bin/busybox")
    (root / "etc/motto").write_text("be kind\n")
    (root / "sbin/init").write_text(
        "#!/bin/busybox sh\n"
        "echo from the image > /etc/written\n"
        'say() { /bin/busybox echo "$*" > /dev/kmsg; }\n'
        'say "image: $(/bin/busybox cat /etc/motto /etc/written | /bin/busybox tr "\\n" " ")as '
        '$(/bin/busybox hostname)"\n'
        'say "image: old root has $(/bin/busybox ls / | /bin/busybox grep -c init) init"\n'
        "while :; do /bin/busybox sleep 1000; done\n")
    (root / "sbin/init").chmod(0o755)
    path = root.parent / "root.squashfs"
    path.unlink(missing_ok=True)
    subprocess.run(["mksquashfs", root, path, "-quiet", "-no-progress", "-all-root"], check=True,
                   stdout=subprocess.DEVNULL)
    data = path.read_bytes()
    return data, hashlib.sha256(data).hexdigest()


def test_an_image_becomes_the_root_with_the_agent_beside_it(first_root, image):
    data, digest = image
    with Lab() as lab:
        server = BootServer(lab)
        server.blobs[digest] = data
        server.cut_after = len(data) // 2  # the first connection breaks: the rest is asked for by range
        aggregator = lab.listen(9800)
        aggregator.settimeout(60)
        node = start(lab, server, first_root, mode="image", more=f"drover.root={digest}", memory=384)
        node.wait_console("image: be kind from the image as n1")
        node.wait_console("image: old root has 0 init")
        aggregator.accept()[0].close()
        assert server.ranges == [None, f"bytes={len(data) // 2}-"]
        names = server.stage_names()
        assert names[0] == "init" and names[-1] == "joining" and set(names) == {"init", "image", "joining"}
        last = [told for _, told in server.stages if told["stage"] == "image"][-1]
        assert last["done"] == last["total"] == len(data)
        wait_for("what the image says comes too",
                 lambda: any("image: be kind" in line for line in server.lines))


def test_an_image_that_is_not_the_one_asked_for_is_not_run(first_root, image):
    data, digest = image
    with Lab() as lab:
        server = BootServer(lab)
        server.blobs[digest] = data[:-4096] + bytes(4096)
        start(lab, server, first_root, mode="image", more=f"drover.root={digest}", memory=384)
        error = wait_for("the failure is told",
                         lambda: next(told for _, told in server.stages if told["stage"] == "error"))
        assert "SHA-256" in error["why"] and digest in error["why"]
        assert server.enrolments == 0
