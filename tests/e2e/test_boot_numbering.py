"""Machines that nobody knows become the nodes of a rack by themselves, in the order in which they are switched on."""
import boot_lab
import cluster as c
import lab as labs
import pytest

reason = labs.missing() or (None if labs.kernel() else "no kernel with modules is installed")
pytestmark = pytest.mark.skipif(reason is not None, reason=reason or "")


def mac_of(cluster, name):
    return cluster.api.nodes()[name]["spec"]["interfaces"][0]["mac"]


def test_machines_are_numbered_as_they_arrive_until_there_are_no_names():
    with labs.Lab() as lab:
        cluster = boot_lab.BootCluster(lab)
        try:
            cluster.start_in_lab()
            cluster.define_network(unknown="number", number_nodes="n[1-2]", number_by="arrival")
            cluster.import_lean()
            for number in (1, 2):  # their addresses are said, their MACs are not
                cluster.define_node(f"n{number}", "", f"10.77.0.{10 + number}/24", image="lean",
                                    kernel_args=f"console=ttyS0 {labs.KERNEL_QUIRKS}")
            machines = [lab.machine(name, firmware="bios") for name in ("first", "second", "third")]
            for number, machine in enumerate(machines[:2], 1):
                machine.start()
                cluster.wait_up(f"n{number}", limit=180)
                assert mac_of(cluster, f"n{number}") == machine.mac
                machine.stop()
            # Nobody typed anything, and the log says why they are who they are.
            whys = [change["why"] for change in cluster.api.changes("&kind=node&key=n2")
                    if change["after"] and change["after"]["spec"]["interfaces"][0]["mac"] == machines[1].mac]
            assert whys[0].startswith("numbered by network lab"), whys

            machines[2].start()  # there is no third name
            waiting, = c.wait_for("the third machine waits", lambda: [
                row for row in cluster.cli_json("boot", "unknown")["items"] if row["mac"] == machines[2].mac])
            assert not waiting["ignored"], waiting
            assert waiting["why"], waiting  # why it has no name
            assert mac_of(cluster, "n1") == machines[0].mac and mac_of(cluster, "n2") == machines[1].mac
        finally:
            cluster.close()
