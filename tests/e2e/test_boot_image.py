"""A real Debian with systemd, built from a recipe and booted over the network in image mode: from power on to `up`
with the agent as a service, and down again in order.

The root takes minutes and Debian's mirror; it is kept in the build folder until the recipe changes.
"""
import hashlib
import json
import shutil
import subprocess

import boot_lab
import cluster as c
import lab as labs
import pytest

reason = labs.missing() or next((f"{tool} is not installed" for tool in ("mmdebstrap", "mksquashfs")
                                 if not shutil.which(tool)), None)
pytestmark = pytest.mark.skipif(reason is not None, reason=reason or "")

RECIPE = """\
kind: drover-recipe
name: debian12
description: Debian 12 with systemd
suite: bookworm
kernel: linux-image-cloud-amd64
packages: [systemd-sysv, udev, dbus, iproute2, kmod]
files:
  - path: /etc/built-by
    content: "a recipe's file\\n"
    mode: 0640
  - path: /etc/from-beside
    source: beside
commands:
  - systemctl mask systemd-networkd-wait-online.service
  - apt-get clean && rm -rf /var/lib/apt/lists/* /usr/share/doc/* /usr/share/locale/*
excludes: ["usr/share/man/*"]
"""


@pytest.fixture(name="site", scope="module")
def fixture_site():
    with labs.Lab() as lab:
        cluster = boot_lab.BootCluster(lab)
        try:
            cluster.start_in_lab()
            cluster.define_network(pool="10.77.0.200-10.77.0.220")
            yield cluster
        finally:
            cluster.close()


def make_image(site):
    """The image debian12; its root's file."""
    kept = c.BIN.parent / f"debian-root-{hashlib.sha256(RECIPE.encode()).hexdigest()[:16]}.squashfs"
    flags = ["--agent", c.BIN / "drover-compute", "--images", site.run / "images"]
    if kept.exists():
        site.cli("image", "import", "debian12", kept, *flags, check=0, timeout=180)
        return kept
    recipe = site.run / "debian.yaml"
    recipe.write_text(RECIPE)
    (site.run / "beside").write_text("a file beside the recipe\n")
    done = site.cli("image", "build", recipe, *flags, check=None, timeout=580)
    if done.returncode != 0 and "apt" in done.stderr and "update" in done.stderr:
        pytest.skip(f"Debian's mirror is not in reach: {done.stderr[-300:]}")
    assert done.returncode == 0, done
    shown = json.loads(site.cli("image", "show", "debian12", "-o", "json", check=0).stdout)
    assert shown["source"] == "recipe debian12 of bookworm"
    assert not list((site.run / "images" / "tmp").iterdir()), "nothing of the build is left"
    digest = shown["root"]["sha256"]
    for old in kept.parent.glob("debian-root-*.squashfs"):
        old.unlink()
    shutil.copy(site.run / "images" / "blobs" / digest[:2] / digest, kept)
    return kept


def test_a_built_debian_boots_to_systemd_with_the_agent_as_a_service(site):
    root = make_image(site)

    def inside(path):
        return subprocess.run(["unsquashfs", "-cat", root, path], check=True, capture_output=True, text=True).stdout
    assert inside("etc/built-by") == "a recipe's file\n"
    assert inside("etc/from-beside") == "a file beside the recipe\n"
    listed = subprocess.run(["unsquashfs", "-lln", root, "etc/built-by", "usr/share/man"], check=True,
                            capture_output=True, text=True).stdout
    assert "-rw-r----- 0/0" in listed and "man1" not in listed, listed

    machine = site.lab.machine("n1", firmware="bios", memory=1024, cpus=2)
    site.define_node("n1", machine.mac, "10.77.0.11/24", image="debian12",
                     kernel_args=f"console=ttyS0 {labs.KERNEL_QUIRKS}")
    machine.start()
    site.wait_up("n1", limit=240)
    phases = site.phases("n1")
    for before, after in zip(("loader", "kernel", "init", "image", "joining"), ("kernel", "init", "image", "joining", "up")):
        assert phases.index(before) < phases.index(after), phases
    machine.wait_console(r"systemd\[1\]: Detected architecture|Welcome to .*Debian")
    machine.wait_console(r"Started .*drover-compute|Started .*agent for compute nodes")
    machine.wait_console(r"Reached target .*multi-user\.target|login:")
    assert site.cli("call", "ping", "n1", check=0)

    # systemd, not Drover's init, ends the node, in its order.
    site.cli("node", "poweroff", "n1", "--yes", check=0)
    c.wait_for("the machine is off", lambda: not machine.running(), limit=90)
    assert "poweroff.target" in machine.text() or "Power Off" in machine.text(), machine.text()[-2000:]


def test_recipes_that_cannot_be_built_say_why(site):
    recipe = site.run / "bad.yaml"

    def build(text, *words, check):
        recipe.write_text(text)
        return site.cli("image", "build", recipe, *words, "--agent", c.BIN / "drover-compute", "--images",
                        site.run / "images", check=check)
    good = "kind: drover-recipe\nsuite: bookworm\nkernel: linux-image-amd64\npackages: [systemd-sysv]\n"
    assert "the image has no name" in build(good, check=2).stderr
    assert "packages/1" in build(good.replace("systemd-sysv", "a, '--x'"), "x", check=2).stderr
    planned = build(good, "x", "--dry-run", "-o", "json", check=0).stdout
    assert "--include=systemd-sysv,linux-image-amd64" in json.loads(planned)["arguments"]
    path = site.environment["PATH"]
    site.environment["PATH"] = str(site.run)
    try:
        failed = build(good, "x", check=None)
    finally:
        site.environment["PATH"] = path
    assert failed.returncode != 0 and "mmdebstrap is not installed" in failed.stderr
    assert "apt install mmdebstrap" in failed.stderr
    missing = good + "files: [{path: /x, source: absent}]\n"
    assert "absent is not there" in build(missing, "x", check=None).stderr
