"""Real (emulated) machines that boot Drover's own first root: from the kernel to an identity, every stage told."""
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
        aggregator.settimeout(30)
        node = start(lab, server, first_root, more="unknown_nmi_panic")
        wait_for("the node has enrolled", lambda: server.enrolments == 1, 60)
        aggregator.accept()[0].close()  # the agent dials what it was told of
        assert server.stage_names() == ["init", "joining"]
        assert all(0 < told["uptime_ms"] < 60_000 for _, told in server.stages)

        # From the kernel's first line on, once each, in order.
        wait_for("the boot's own words have come",
                 lambda: any("joined lab-1 as n1" in line for line in server.lines), 10)
        numbers = [int(line.split(",")[1]) for line in server.lines]
        assert numbers == list(range(len(numbers)))
        assert "Linux version" in server.lines[0]
        assert TOKEN not in "".join(server.lines), "the kernel tells its command line"

        # Nobody can get in: no port answers, and the console has no shell.
        assert open_ports(lab, "10.77.0.11", range(1, 1200)) == []

        # The last words of a dying kernel.
        messages = lab.socket(kind=socket.SOCK_DGRAM)
        messages.bind(("10.77.0.1", 6666))
        messages.settimeout(20)
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
        wait_for("the node has enrolled", lambda: server.enrolments == 1, 60)
        node.wait_console("link: no link to the parent", 30)
        node.monitor("send-key", keys=[{"type": "qcode", "data": key} for key in ("ctrl", "alt", "delete")])
        wait_for("the machine has ended", lambda: not node.running(), 30)
        assert "daemon: stopping signal=SIGTERM" in node.text()
        assert "Kernel panic" not in node.text()
