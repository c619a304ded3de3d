"""`drover lab` as people type it: a machine with UEFI alone is found by its BMC, adopted, switched on by it and comes
up, is shown, is switched off by its BMC, and all of it goes."""
import os
import re
import subprocess

import cluster as c
import lab as labs
import pytest

reason = labs.missing() or (None if labs.kernel() else "no kernel with modules is installed")
if not reason and not (labs.OVMF / "OVMF_CODE_4M.fd").exists():
    reason = "ovmf is not installed"
pytestmark = pytest.mark.skipif(reason is not None, reason=reason or "")


def console(folder, environment):
    """The serial line of a real machine: it was held while the machine booted, and can be typed to."""
    environment = {**environment, "DROVER_SOCKET": str(folder / "master.sock")}

    def drover(*words, **more):
        return subprocess.run([c.BIN / "drover", "console", "n1", *words], env=environment, capture_output=True,
                              text=True, errors="replace", timeout=60, check=True, **more).stdout
    log = drover("--log")
    assert "note: open by socket" in log and "Linux version" in log, log[-3000:]
    assert "Linux version" in drover("--replay", "--speed", "0")
    assert "drover" in drover(input="\r")  # what was said last is shown to who comes


def test_a_lab_with_uefi_comes_up_is_shown_and_goes(tmp_path):
    folder, network = tmp_path / "lab", f"drover-lab-{os.getpid()}"
    environment = {**os.environ, "DROVER_LAB_DIR": str(folder), "DROVER_LAB_NET": network}

    def lab(*words, check=0):
        done = subprocess.run([c.BIN / "drover", "lab", *words], env=environment, capture_output=True, text=True,
                              timeout=400)
        assert done.returncode == check, (words, done)
        return done.stdout + done.stderr
    try:
        shown = lab("up", "--nodes", "1", "--uefi", "--memory", "384")
        assert "n1: off" in shown and "n1: on" in shown and "all up " in shown, shown
        # Nothing about the node is typed in: it is found, looked through and adopted.
        for words in ("$ drover discover scan 10.77.0.0/24", "10.77.0.101: Redfish 1.15.0 at port 443",
                      "addresses: no BMC (", "10.77.0.101: 1 machine", "1 created, 0 changed"):
            assert words in shown, (words, shown)
        assert "drover node add" not in shown
        stages = [stage for stage in ("dhcp", "loader", "kernel", "init", "joining", "up")
                  if re.search(rf" {stage}\?? ", shown)]
        assert len(stages) >= 4 and stages[-1] == "up", shown  # it looks five times a second
        assert "n1 runs" in lab("status") and "boot1 runs" in lab("status")
        assert "there is a lab already" in lab("up", check=1)
        console(folder, environment)
        off = subprocess.run([c.BIN / "drover", "power", "force-off", "n1", "--yes"], capture_output=True, text=True,
                             env={**environment, "DROVER_SOCKET": str(folder / "master.sock")}, timeout=60)
        assert off.stdout == "n1: off\n", off
        c.wait_for("the machine is gone", lambda: "n1 has ended" in lab("status"))
    finally:
        gone = lab("down")
    assert "the lab is down" in gone and not folder.exists()
    assert network not in subprocess.run(["ip", "netns"], capture_output=True, text=True).stdout
    assert "no lab is running" in lab("status")
