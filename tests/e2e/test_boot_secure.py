"""Machines with Secure Boot on: shim and GRUB as Debian signs them, and Debian's own kernel, from power on to `up`."""
import pathlib

import boot_lab
import cluster as c
import lab as labs
import pytest

reason = labs.missing() or (None if labs.kernel() else "no kernel with modules is installed") or next(
    (f"{path} is not installed" for path in ("/usr/share/OVMF/OVMF_VARS_4M.ms.fd", "/usr/lib/shim/shimx64.efi.signed",
                                             "/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed")
     if not pathlib.Path(path).exists()), None)
pytestmark = pytest.mark.skipif(reason is not None, reason=reason or "")


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


def node_log(site, name):
    return "".join(path.read_text() for path in (site.run / "boot1").rglob(f"{name}.log"))


def test_a_machine_with_secure_boot_comes_up_through_shim_and_grub(site):
    machine = site.lab.machine("n1", firmware="uefi-pxe", memory=512, secure=True)
    site.define_node("n1", machine.mac, "10.77.0.11/24", image="nonesuch", boot_loader="grub",
                     kernel_args=f"console=ttyS0 {labs.KERNEL_QUIRKS}")
    machine.start()
    # A node that cannot boot says why on its screen, and asks again.
    machine.wait_console("n1 cannot boot:", limit=120)
    machine.wait_console("there is no image")
    site.cli("node", "set", "n1", "image=lean", "--yes", check=0)
    try:
        site.wait_up("n1", limit=180)
    except c.Timeout as late:
        raise AssertionError(f"{late}\n{machine.text()[-4000:]}\n{node_log(site, 'n1')[-3000:]}") from None
    machine.stop()
    log = node_log(site, "n1")
    assert "TFTP shimx64.efi: complete" in log and "TFTP grubx64.efi: complete" in log, log
    assert "secureboot: Secure boot enabled" in log, log
    phases = site.phases("n1")
    for before, after in zip(("dhcp", "loader", "kernel", "init", "joining"), ("loader", "kernel", "init", "joining", "up")):
        assert phases.index(before) < phases.index(after), phases
