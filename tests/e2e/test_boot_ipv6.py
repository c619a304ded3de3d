"""A network of IPv6 alone: iPXE is told everything by DHCPv6, and the machine comes up over it."""
import pathlib
import re

import boot_lab
import lab as labs
import pytest

IPXE = pathlib.Path("/usr/lib/ipxe/ipxe.lkrn")
reason = labs.missing() or next((f"there is no {what}" for what, there in (
    ("kernel with modules", labs.kernel()), (str(IPXE), IPXE.exists())) if not there), None)
pytestmark = pytest.mark.skipif(reason is not None, reason=reason or "")


def test_a_machine_comes_up_over_ipv6_alone():
    with labs.Lab() as lab:
        site = boot_lab.BootCluster(lab)
        try:
            site.start_in_lab()
            site.api.json("POST", "/networks", {"name": "lab", "prefix6": "fd77::/64", "domain": "lab.test"})
            site.import_lean()
            # iPXE itself is loaded by QEMU: firmware tries IPv4 for minutes before it comes to this.
            machine = lab.machine("n1", firmware="kernel", kernel=str(IPXE), memory=384)
            site.api.json("POST", "/nodes", {"name": "n1", "spec": {
                "interfaces": [{"name": "eth0", "mac": machine.mac, "addresses": ["fd77::11/64"]}],
                "attributes": {"image": "lean", "kernel_args": f"console=ttyS0 {labs.KERNEL_QUIRKS}"}}})
            machine.start()
            site.wait_up("n1", limit=180)
            log = "".join(path.read_text() for path in site["boot1"].state.rglob("n1.log"))
            assert re.search(r"DHCPv6 REQUEST from .* \(ipxe\): its own address fd77::11", log), log
            assert "was given its boot script at fd77::11" in log
            phases = site.phases("n1")
            for before, after in zip(("dhcp", "loader", "kernel", "init", "joining"),
                                     ("loader", "kernel", "init", "joining", "up")):
                assert phases.index(before) < phases.index(after), phases
        finally:
            site.close()
