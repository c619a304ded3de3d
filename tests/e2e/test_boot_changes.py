"""A machine whose image is changed and rolled back, and whose kernel dies: what it runs is what the image says, and its
phase and log say where and why it stopped.
"""
import json
import pathlib
import shutil

import boot_lab
import cluster as c
import lab as labs
import pytest

reason = labs.missing() or (None if labs.kernel() else "no kernel with modules is installed")
if not reason and not (shutil.which("mksquashfs") and pathlib.Path("/bin/busybox").exists()):
    reason = "squashfs-tools or busybox-static is not installed"
pytestmark = pytest.mark.skipif(reason is not None, reason=reason or "")

KERNEL = f"console=ttyS0 {labs.KERNEL_QUIRKS} sysrq_always_enabled"
INIT = """#!/bin/busybox sh
echo "told: version $(/bin/busybox cat /etc/version)" > /dev/kmsg
while :; do /bin/busybox sleep 1000; done
"""
CRASH = {"steps": [{"name": "crash", "kind": "command",
                    "command": ["/bin/busybox", "sh", "-c", "echo c > /proc/sysrq-trigger"]}]}


@pytest.fixture(name="site", scope="module")
def fixture_site():
    with labs.Lab() as lab:
        cluster = boot_lab.BootCluster(lab)
        try:
            cluster.start_in_lab()
            cluster.define_network()
            yield cluster
        finally:
            cluster.close()


def import_version(site, version):
    """The image `tiny` in another version, whose init says which; its digest."""
    root = site.run / f"root-{version}"
    for name in ("bin", "sbin", "etc", "proc", "sys", "dev", "run", "tmp", "lib"):
        (root / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", root / "bin/busybox")
    (root / "etc/version").write_text(version + "\n")
    (root / "sbin/init").write_text(INIT)
    (root / "sbin/init").chmod(0o755)
    kernel, modules = labs.kernel()
    site.cli("image", "import", "tiny", root, "--kernel", kernel, "--modules", modules, "--agent",
             c.BIN / "drover-compute", "--images", site.run / "images", check=0, timeout=180)
    return digest(site)


def digest(site):
    return json.loads(site.cli("image", "show", "tiny", "-o", "json", check=0).stdout)["digest"]


def phase(site):
    return site.api.nodes()["n1"]["phase"]


def log(site, pattern):
    return site.cli("boot", "log", "n1", "--grep", pattern, check=0).stdout


def said(site, version):
    """How often the image's init has said that it is of this version."""
    return log(site, f"told: version {version}").count("told:")


def runs(site, version, times):
    c.wait_for(f"version {version} runs", lambda: said(site, version) == times, limit=120)


def test_an_image_is_changed_and_rolled_back_and_a_panic_says_where_and_why(site):
    machine = site.lab.machine("n1", firmware="bios", memory=384)
    site.define_node("n1", machine.mac, "10.77.0.11/24", image="tiny", kernel_args=KERNEL)
    first = import_version(site, "one")
    machine.start()
    site.wait_up("n1", limit=180)
    runs(site, "one", 1)

    # Another version changes nothing that runs. The kernel dies, and the node is not just "lost".
    second = import_version(site, "two")
    assert second != first
    machine.monitor("send-key", keys=[{"type": "qcode", "data": key} for key in ("alt", "sysrq", "c")])
    c.wait_for("the phase says why", lambda: phase(site)["state"] == "error", limit=60)
    why = phase(site)["why"]
    assert "its kernel stopped while it was up: Kernel panic - not syncing: sysrq triggered crash" in why, why
    assert phase(site)["who"] == "boot/boot1"
    assert " panic: " in log(site, "Kernel panic"), log(site, "panic")
    phases = site.phases("n1")
    assert phases[-2:] == ["lost", "error"], phases

    # Its next boot is of the version that is current then.
    machine.reset()
    runs(site, "two", 1)
    site.wait_up("n1", limit=60)

    # Rolled back; and this time it dies on its way up.
    site.cli("image", "rollback", "tiny", "--why", "the second one fails", check=0)
    assert digest(site) == first
    site.api.json("PATCH", "/steps/node/n1", CRASH)
    machine.reset()
    c.wait_for("the phase says where and why",
               lambda: phase(site)["state"] == "error" and "Kernel panic" in phase(site)["why"], limit=120)
    assert "node_up" in site.phases("n1")[-4:], site.phases("n1")
    # What init said just before the kernel died may or may not have got out.
    told = said(site, "one")
    assert told in (1, 2) and said(site, "two") == 1
    assert site.api.ask("DELETE", "/steps/node/n1").status == 204
    machine.reset()
    site.wait_up("n1", limit=180)
    c.wait_for("version one runs again", lambda: said(site, "one") > told, limit=120)
    assert said(site, "two") == 1
