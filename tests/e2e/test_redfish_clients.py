"""The emulated BMCs before clients that we did not write: DMTF's redfishtool and OpenStack's sushy (which Ironic uses).
What is tested against these BMCs says something about real ones only if others take them for BMCs too.
"""
import json
import os
import shutil
import subprocess
import sys

import pytest

import bmcs
import cluster as c

SUSHY = """
import json, sys, time
import sushy
root = sushy.Sushy(f"https://{sys.argv[1]}", username="root", password="calvin", verify=False)
system, = root.get_system_collection().get_members()
seen = [system.power_state.value]
system.set_system_boot_options(sushy.BootSource.PXE, enabled=sushy.BootSourceOverrideEnabled.ONCE)
system.refresh(force=True)
boot = system.boot.target.value, system.boot.enabled.value
for wanted in (sushy.ResetType.ON, sushy.ResetType.FORCE_OFF):
    state = sushy.PowerState.ON if wanted == sushy.ResetType.ON else sushy.PowerState.OFF
    system.reset_system(wanted)
    end = time.monotonic() + 20
    while system.power_state != state and time.monotonic() < end:
        time.sleep(0.02)
        system.refresh(force=True)
    seen.append(system.power_state.value)
manager, = root.get_manager_collection().get_members()
chassis = root.get_chassis_collection().get_members()[0]
print(json.dumps({
    "power": seen, "boot": boot, "uuid": system.uuid, "serial": system.serial_number,
    "cores": [one.total_cores for one in system.processors.get_members()],
    "macs": [one.mac_address for one in system.ethernet_interfaces.get_members()],
    "drives": [drive.capacity_bytes for unit in system.storage.get_members() for drive in unit.drives],
    "firmware": manager.firmware_version,
    "degrees": [one.reading_celsius for one in chassis.thermal.temperatures],
    "supplies": len(chassis.power.power_supplies)}))
"""


@pytest.fixture(scope="module")
def bmc(tmp_path_factory):
    with bmcs.Bmcs(tmp_path_factory.mktemp("bmc"), "--count", 1, "--power-time", 200) as made:
        yield made.endpoints[0]


def plain_environment():
    """Without what would make requests look for our certificate among the system's."""
    return {key: value for key, value in os.environ.items() if "BUNDLE" not in key}


@pytest.mark.skipif(not shutil.which("redfishtool"), reason="redfishtool is not installed")
def test_redfishtool_reads_it_and_switches_it(bmc):
    def tool(*words, auth="Basic"):
        done = subprocess.run(["redfishtool", "-r", bmc, "-u", "root", "-p", "calvin", "-S", "Always", "-A", auth, *words],
                              capture_output=True, text=True, timeout=60, env=plain_environment())
        assert done.returncode == 0, done
        return json.loads(done.stdout) if done.stdout.strip() else None

    def power():
        return tool("Systems", "-F", "get")["PowerState"]
    assert tool("Systems", "-F", auth="Session")["Id"] == "Node0"  # signs in and out
    assert power() == "Off"
    for order, state in (("On", "On"), ("ForceOff", "Off")):
        tool("Systems", "-F", "reset", order)
        c.wait_for(f"it is {state}", lambda: power() == state)
    boot = tool("Systems", "-F", "setBootOverride", "Once", "Pxe")["Boot"]
    assert (boot["BootSourceOverrideTarget"], boot["BootSourceOverrideEnabled"]) == ("Pxe", "Once"), boot
    assert tool("Systems", "-F", "Processors", "list")["Members@odata.count"] == 2
    assert tool("Chassis", "-F", "Thermal")["Temperatures"] and tool("Chassis", "-F", "Power")["PowerSupplies"]
    assert tool("Managers", "-F", "get")["FirmwareVersion"]


@pytest.mark.skipif(subprocess.run([sys.executable, "-c", "import sushy"], capture_output=True).returncode != 0,
                    reason="python3-sushy is not installed")
def test_sushy_reads_it_and_switches_it(bmc):
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", SUSHY, bmc], capture_output=True, text=True, timeout=120,
                          env=plain_environment())
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["power"] == ["Off", "On", "Off"] and seen["boot"] == ["Pxe", "Once"], seen
    assert len(seen["cores"]) == 2 and len(set(seen["macs"])) == len(seen["macs"]) > 0 and seen["drives"], seen
    assert seen["uuid"] and seen["serial"] and seen["firmware"] and seen["degrees"] and seen["supplies"] == 2, seen
