"""Machines with nothing on their disks, answered by Drover alone, from power on to `up`."""
import boot_lab
import cluster as c
import lab as labs
import pytest

reason = labs.missing() or (None if labs.kernel() else "no kernel with modules is installed")
pytestmark = pytest.mark.skipif(reason is not None, reason=reason or "")

KERNEL = f"console=ttyS0 {labs.KERNEL_QUIRKS}"


@pytest.fixture(scope="module")
def site():
    with labs.Lab() as lab:
        cluster = boot_lab.BootCluster(lab)
        try:
            cluster.start_in_lab()
            cluster.define_network()
            cluster.import_lean()
            yield cluster
        finally:
            cluster.close()


def test_a_bare_machine_comes_up(site):
    machine = site.lab.machine("n1", firmware="bios")
    site.define_node("n1", machine.mac, "10.77.0.11/24", image="lean", kernel_args=KERNEL)
    machine.start()
    site.wait_up("n1", limit=120)
    phases = site.phases("n1")
    for before, after in zip(("dhcp", "loader", "kernel", "init", "joining"), ("loader", "kernel", "init", "joining", "up")):
        assert phases.index(before) < phases.index(after), phases


@pytest.mark.parametrize("name, firmware, by", [("n2", "uefi-pxe", "TFTP snponly-x64.efi: complete"),
                                               ("n3", "uefi-http", "(http): its own address")])
def test_a_machine_with_uefi_alone_fetches_its_loader_and_comes_up(site, name, firmware, by):
    machine = site.lab.machine(name, firmware=firmware, memory=384)
    site.define_node(name, machine.mac, f"10.77.0.1{name[1:]}/24", image="lean", kernel_args=KERNEL)
    machine.start()
    site.wait_up(name, limit=180)
    machine.stop()
    phases = site.phases(name)
    assert phases.index("dhcp") < phases.index("loader") < phases.index("kernel"), phases
    log = next((site.run / "boot1").rglob(f"{name}.log")).read_text()
    assert by in log, log
