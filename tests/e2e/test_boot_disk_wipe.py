"""Mode disk: a disk with another's data is left alone until `disk_wipe` says otherwise, and a machine that its disk
started meets a new version of its image and goes over to it."""
import boot_lab
import cluster as c
import lab as labs
import pytest
from test_boot_disk import MIB, Boot, import_root, pytestmark as needs

pytestmark = needs


@pytest.fixture(name="site", scope="module")
def fixture_site(tmp_path_factory):
    with labs.Lab() as lab:
        cluster = boot_lab.BootCluster(lab, "wipe")
        try:
            cluster.start_in_lab()
            cluster.define_network(pool="10.77.0.200-10.77.0.220")
            cluster.folder = tmp_path_factory.mktemp("roots")
            import_root(cluster, "first")
            yield cluster
        finally:
            cluster.close()


def test_a_foreign_disk_is_wiped_on_demand_and_a_started_disk_goes_over_to_a_new_image(site):
    machine = site.lab.machine("n1", firmware="bios", memory=512, disk=512)
    foreign = bytes(446) + b"\x80\x01\x01\x00\x83\xfe\xff\xff" + (2048).to_bytes(4, "little") + \
        (500_000).to_bytes(4, "little") + bytes(48) + b"\x55\xaa" + b"dear data " * 100_000
    machine.disk_file.write_bytes(foreign)
    site.define_node("n1", machine.mac, "10.77.0.11/24", image="small", boot_mode="disk",
                     kernel_args=f"console=ttyS0 {labs.KERNEL_QUIRKS}")

    def on_disk():
        with open(machine.disk_file, "rb") as file:
            return file.read(len(foreign))
    boot = Boot(site, machine)
    boot.wait("no disk may be written: vda")
    c.wait_for("its phase says so", lambda: site.api.nodes()["n1"]["phase"]["state"] == "error", limit=30)
    assert on_disk() == foreign, "not one byte of it is another"
    machine.stop()

    # By UEFI, which can start what is written then.
    site.cli("node", "set", "n1", "attributes.disk_wipe=true", check=0)
    machine.firmware = "uefi-pxe"
    boot = Boot(site, machine)
    boot.wait("image: boot 1 of first")
    site.wait_up("n1")
    assert b"dear data" not in on_disk()[:MIB] and "is partitioned and takes the image" in boot.log(), boot.log()
    machine.stop()

    # Its disk starts it, and drover-boot names another version: that is written and run, whatever `disk_wipe` says.
    site.cli("node", "unset", "n1", "attributes.disk_wipe", check=0)
    import_root(site, "second")
    machine.disk_first = True
    boot = Boot(site, machine)
    boot.wait("image: boot 1 of second")
    boot.wait_answer()
    assert "is partitioned and takes the image" in boot.log(), boot.log()
