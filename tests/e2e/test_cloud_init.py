"""cloud-init of nodes that Drover boots: documents against the boot token, secrets once and over TLS alone."""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess

import boot_lab
import cluster as c
import lab as labs
import pytest

reason = labs.missing() or (None if labs.kernel() else "no kernel with modules is installed")
if not reason and not (shutil.which("mksquashfs") and pathlib.Path("/bin/busybox").exists()):
    reason = "squashfs-tools or busybox-static is not installed"
pytestmark = pytest.mark.skipif(reason is not None, reason=reason or "")

KERNEL = f"console=ttyS0 {labs.KERNEL_QUIRKS}"
BOOT = f"http://{labs.GATEWAY}:8080"

# What cloud-init's NoCloud does with ds=nocloud;s=URL, in a few lines.
INIT = """#!/bin/busybox sh
say() { /bin/busybox echo "told: $*" > /dev/kmsg; }
url=$(/bin/busybox sed -n 's/.* ds=nocloud;s=\\([^ ]*\\).*/\\1/p' /proc/cmdline)
for name in meta-data user-data vendor-data network-config; do
  /bin/busybox wget -q -O /tmp/$name $url$name || say "no $name from $url"
  /bin/busybox sed "s/^/$name: /" /tmp/$name | while IFS= read -r line; do say "$line"; done
done
say "secret: $(/bin/busybox cat /run/drover/secrets/munge.key) $(/bin/busybox stat -c %a /run/drover/secrets/munge.key)"
say "end"
while :; do /bin/busybox sleep 1000; done
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with labs.Lab() as lab:
        cluster = boot_lab.BootCluster(lab)
        try:
            cluster.start_in_lab()
            cluster.define_network(domain="c.test")
            cluster.import_lean()
            yield cluster
        finally:
            cluster.close()


def import_root(site, folder):
    root = folder / "root"
    for name in ("bin", "sbin", "etc", "proc", "sys", "dev", "run", "tmp", "lib"):
        (root / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", root / "bin/busybox")
    (root / "sbin/init").write_text(INIT)
    (root / "sbin/init").chmod(0o755)
    kernel, modules = labs.kernel()
    site.cli("image", "import", "tiny", str(root), "--kernel", kernel, "--modules", modules,
             "--agent", c.BIN / "drover-compute", "--images", site.run / "images", check=0, timeout=180)


def define(site, folder):
    """A group's data, a node's own, and a secret."""
    (folder / "user.yaml").write_text("#cloud-config\npackages: [munge]\n")
    (folder / "munge.key").write_text("hunter2")
    site.cli("cloud-init", "set", "group/rack1", "region=north-${number}", "--user-data", folder / "user.yaml",
             "--secret", f"munge.key={folder / 'munge.key'}", "--why", "first rack", check=0)
    (folder / "own.sh").write_text("#!/bin/sh\necho own\n")
    site.cli("cloud-init", "set", "n1", "--user-data", folder / "own.sh", check=0)


def curl(site, *words):
    done = site.lab.command("curl", "-sk", "-w", "\n%{http_code}", *words, check=False)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def secrets(site, token, *more, scheme="https", port=8443):
    return curl(site, "-X", "POST", "-H", f"Authorization: Boot {token}", *more,
                f"{scheme}://{labs.GATEWAY}:{port}/boot/v1/secrets")


def test_a_node_fetches_its_documents_with_its_token_and_its_secrets_once(site, tmp_path):
    import_root(site, tmp_path)
    machine = site.lab.machine("n1", firmware="bios", memory=384)
    site.define_node("n1", machine.mac, "10.77.0.11/24", image="tiny", kernel_args=KERNEL)
    site.api.json("POST", "/groups", {"name": "rack1", "nodes": "n1"})
    define(site, tmp_path)
    shown = site.cli("cloud-init", "show", "n1", check=0).stdout
    assert "group rack1" in shown and "secret" in shown and "hunter2" not in shown, shown
    assert "hunter2" not in site.cli("cloud-init", "list", "-o", "json", check=0).stdout
    c.wait_for("the boot daemon knows it", lambda: any(
        "cloud-init" in path.read_text() for path in (site["boot1"].state / "model").glob("*")), limit=10)
    machine.start()
    machine.wait_console("told: end", limit=180)
    told = machine.text()
    for line in ("meta-data: local-hostname: n1", "meta-data: hostname: n1.c.test", "meta-data: region: north-1",
                 "user-data: packages: [munge]", "user-data: echo own", "vendor-data: #cloud-config",
                 f'macaddress: "{machine.mac}"', "network-config:       - 10.77.0.11/24", "secret: hunter2 400"):
        assert f"told: {line}" in told or line in told, (line, told[-3000:])
    site.wait_up("n1", limit=60)

    # Whoever has the token now, at the node's own address, gets the documents and never again the secrets.
    token = next(word for word in told.split() if word.startswith("drover.token=")).split("=")[1]
    machine.stop()
    site.lab.command("ip", "address", "add", "10.77.0.11/24", "dev", bridge(site))
    mine = ("--interface", "10.77.0.11")
    assert curl(site, *mine, f"{BOOT}/cloud-init/nocloud/{token}/meta-data")[0] == 200
    status, body = secrets(site, token, *mine)
    assert status == 403 and "have been given" in body and "hunter2" not in body, body
    assert secrets(site, token)[0] in (401, 403), "from another address"
    assert curl(site, f"{BOOT}/cloud-init/nocloud/{token}/meta-data")[0] == 403
    assert curl(site, *mine, f"{BOOT}/cloud-init/nocloud/{'a' * 32}/meta-data")[0] == 401

    # In the clear there are none at all.
    status, body = secrets(site, token, *mine, scheme="http", port=8080)
    assert status == 403 and "TLS alone" in body, body

    # OpenCHAMI's paths go by the address that asks.
    meta = curl(site, *mine, f"{BOOT}/cloud-init/meta-data")[1]
    assert "local-hostname: n1" in meta and "local_ipv4: 10.77.0.11" in meta and "rack1:" in meta, meta
    vendor = curl(site, *mine, f"{BOOT}/cloud-init/vendor-data")[1]
    assert vendor == f"#include\n{BOOT}/cloud-init/rack1.yaml\n", vendor
    assert curl(site, *mine, f"{BOOT}/cloud-init/user-data")[1] == "#!/bin/sh\necho own\n"
    assert "packages" in curl(site, *mine, f"{BOOT}/cloud-init/rack1.yaml")[1]
    assert curl(site, f"{BOOT}/cloud-init/meta-data")[0] == 422


def admin(site, method, path, body=None):
    """OpenCHAMI's admin resources, as its client asks: no Content-Type; (status, body)."""
    with contextlib.closing(c.UnixConnection(str(site.master.socket), 30)) as connection:
        connection.request(method, "/cloud-init/admin" + path, body=json.dumps(body) if body is not None else None)
        response = connection.getresponse()
        return response.status, response.read().decode()


def bridge(site):
    """The interface of the lab's network that has the gateway's address."""
    lines = site.lab.command("ip", "-o", "-4", "address").stdout.splitlines()
    return next(line.split()[1] for line in lines if f" {labs.GATEWAY}/" in line)


def test_documents_are_served_while_the_master_is_away_and_secrets_are_not(site):
    site.define_node("n2", "52:54:00:77:00:22", "10.77.0.12/24", image="tiny")
    group = {"name": "compute", "meta-data": {"rack": "x9"},  # what its client calls plain is base64 on the wire
             "file": {"content": "I2Nsb3VkLWNvbmZpZwpydW5jbWQ6IFtdCg==", "encoding": "plain", "filename": ""}}
    assert admin(site, "POST", "/groups", group)[0] == 201 and admin(site, "POST", "/groups", group)[0] == 409
    assert admin(site, "POST", "/cluster-defaults", {"cloud_provider": "drover", "nid-length": 3})[0] == 201
    kept = admin(site, "GET", "/groups"), admin(site, "GET", "/cluster-defaults")
    assert '"content":"#cloud-config\\nruncmd: []\\n"' in kept[0][1] and '"nid-length":3' in kept[1][1], kept
    site.cli("cloud-init", "set", "n2", "tier=2", check=0)
    pathlib.Path(site.run / "key").write_text("swordfish")
    site.cli("cloud-init", "set", "n2", "--secret", f"key={site.run / 'key'}", check=0)
    boot = site["boot1"]
    site.lab.command("ip", "address", "add", "10.77.0.12/24", "dev", bridge(site))
    mine = ("--interface", "10.77.0.12")

    def script():
        text = curl(site, *mine, f"{BOOT}/boot/v1/bootscript?mac=52:54:00:77:00:22")[1]
        return text if "drover.secrets=yes" in text else None
    c.wait_for("the boot daemon knows of the secret", script)
    site.master.kill()
    boot.kill()
    boot.start()
    boot.wait_log("starting from the copy of the model on disk")
    token = c.wait_for("a script", script).split("drover.token=")[1].split()[0]
    assert "tier: \"2\"" in curl(site, *mine, f"{BOOT}/cloud-init/nocloud/{token}/meta-data")[1]
    assert "runcmd" in curl(site, *mine, f"{BOOT}/cloud-init/compute.yaml")[1]
    status, body = secrets(site, token, *mine)
    assert status in (502, 503, 504), body
    # Nothing was given, so the token still has its right when a master is back; and then no more.
    site.start_master()
    assert kept == (admin(site, "GET", "/groups"), admin(site, "GET", "/cluster-defaults")), "it was on the disk"
    status, body = c.wait_for("the secrets come", lambda: (lambda got: got if got[0] == 200 else None)(
        secrets(site, token, *mine)))
    assert "swordfish" in body
    assert secrets(site, token, *mine)[0] == 403
    files = [path for path in pathlib.Path(site.run).rglob("*") if path.is_file() and os.access(path, os.R_OK)]
    found = [path for path in files if path.name != "key" and b"swordfish" in path.read_bytes()]
    assert not found, found
    database = subprocess.run(["grep", "-c", "swordfish", site.run / "m1" / "drover.db"], capture_output=True, text=True)
    assert database.stdout.strip() in ("0", ""), database
