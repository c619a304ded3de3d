"""Mode disk: a machine with a blank disk is given its image by Drover, starts from the disk with drover-boot away,
boots over the network without fetching the image again, and mends a disk that was damaged.
"""
import pathlib
import shutil

import boot_lab
import cluster as c
import lab as labs
import pytest

reason = labs.missing() or (None if labs.kernel() else "no kernel with modules is installed") or next(
    (f"{path} is not installed" for path in ("/usr/bin/mksquashfs", "/bin/busybox", "/usr/sbin/mkfs.fat", "/usr/sbin/mke2fs",
                                             "/usr/lib/shim/shimx64.efi.signed",
                                             "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed")
     if not pathlib.Path(path).exists()), None)
pytestmark = pytest.mark.skipif(reason is not None, reason=reason or "")

MIB = 1 << 20
# An init of its own, which counts its boots in a file: what is written lasts.
INIT = """\
#!/bin/busybox sh
echo boot >> /etc/boots; /bin/busybox sync
/bin/busybox echo "image: boot $(/bin/busybox wc -l < /etc/boots) of $(/bin/busybox cat /etc/motto)" > /dev/kmsg
while :; do /bin/busybox sleep 1000; done
"""


def make_root(folder, motto):
    root = folder / motto
    for name in ("bin", "sbin", "etc", "proc", "sys", "dev", "run", "tmp", "lib"):
        (root / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", root / "bin/busybox")
    (root / "etc/motto").write_text(motto + "\n")
    (root / "sbin/init").write_text(INIT)
    (root / "sbin/init").chmod(0o755)
    return root


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with labs.Lab() as lab:
        cluster = boot_lab.BootCluster(lab)
        try:
            cluster.start_in_lab()
            cluster.define_network(pool="10.77.0.200-10.77.0.220")
            cluster.folder = tmp_path_factory.mktemp("roots")
            import_root(cluster, "first")
            yield cluster
        finally:
            cluster.close()


def import_root(site, motto):
    kernel, modules = labs.kernel()
    site.cli("image", "import", "small", make_root(site.folder, motto), "--kernel", kernel, "--modules", modules, "--agent",
             c.BIN / "drover-compute", "--all-root", "--images", site.run / "images", check=0, timeout=180)


def node_log(site):
    return "".join(path.read_text() for path in (site.run / "boot1").rglob("n1.log"))


class Boot:
    """One boot of the machine: what its log and console say from then on."""

    def __init__(self, site, machine):
        self.site, self.machine = site, machine
        self.log_from = len(node_log(site))
        machine.console.unlink(missing_ok=True)  # QEMU begins a new one
        machine.start()

    def log(self):
        return node_log(self.site)[self.log_from:]

    def wait(self, text, limit=120):
        try:
            c.wait_for(f"the console says {text!r}", lambda: text in self.machine.text(), limit)
        except c.Timeout as late:
            raise AssertionError(f"{late}\n{self.machine.text()[-6000:]}\n{self.log()}") from None

    def wait_answer(self):
        c.wait_for("the node's agent answers", lambda: self.site.cli("call", "ping", "n1").returncode == 0, 60, every=0.5)


def test_a_disk_is_written_once_and_boots_the_machine_from_then_on(site):
    # Another's data on a second disk is none of ours.
    other = site.lab.folder / "other.disk"
    other.write_bytes(bytes(510) + b"\x55\xaa" + bytes(400 * MIB))
    machine = site.lab.machine("n1", firmware="uefi-pxe", memory=512, disk=512, extra=(
        "-drive", f"if=virtio,format=raw,file={other},cache=unsafe"))
    site.define_node("n1", machine.mac, "10.77.0.11/24", image="small", boot_mode="disk",
                     kernel_args=f"console=ttyS0 {labs.KERNEL_QUIRKS}")

    boot = Boot(site, machine)
    boot.wait("image: boot 1 of first", limit=70)
    site.wait_up("n1")
    assert "is partitioned and takes the image" in boot.log(), boot.log()
    assert "starts this machine by itself from now on" in boot.log(), boot.log()
    assert other.read_bytes()[:512] == bytes(510) + b"\x55\xaa" and not any(other.read_bytes()[512:8 * MIB])
    machine.stop()

    # drover-boot is away, and the firmware starts the disk: the same node, with what it wrote, is there again.
    site["boot1"].kill()
    machine.disk_first = True
    boot = Boot(site, machine)
    boot.wait("starting with what the disk holds")
    boot.wait("image: boot 2 of first")
    boot.wait_answer()
    machine.stop()

    # Over the network again, by BIOS for a change: the kernel is fetched, the image is not.
    site["boot1"].start()
    site["boot1"].wait_log("following the master's changes", offset=site["boot1"].log_size())
    machine.firmware, machine.disk_first = "bios", False
    boot = Boot(site, machine)
    boot.wait("image: boot 3 of first")
    boot.wait_answer()
    assert "fetches its kernel" in boot.log() or "of its kernel" in boot.log(), boot.log()
    assert "is partitioned and takes the image" not in boot.log(), boot.log()
    machine.stop()

    # One wrong byte in the root's partition (2 MiB of mark, 64 MiB to start with): seen, and mended.
    with open(machine.disk_file, "r+b") as disk:
        disk.seek(66 * MIB + 4096)
        byte = disk.read(1)
        disk.seek(66 * MIB + 4096)
        disk.write(bytes([byte[0] ^ 1]))
    boot = Boot(site, machine)
    boot.wait("is damaged")
    boot.wait("image: boot 1 of first")
    machine.stop()

    # A new version of the image is on the disk after the next boot, whoever starts the machine.
    import_root(site, "second")
    boot = Boot(site, machine)
    boot.wait("image: boot 1 of second")
    boot.wait_answer()
    assert "is partitioned and takes the image" in boot.log(), boot.log()
