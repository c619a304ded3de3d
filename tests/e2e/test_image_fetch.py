"""Files of images on one host, boot daemons on others: an import on the manager serves all of them."""
import hashlib
import http.client
import os
import re
import shutil

import pytest

import cluster as c
from test_images import kernel

pytestmark = pytest.mark.skipif(shutil.which("mksquashfs") is None, reason="squashfs-tools is not installed")
OFF = ("--dhcp=false", "--tftp=false", "--dns=false", "--netconsole=false", "--advertise=false",
       "--http-listen", "127.0.0.1:0", "--https-listen", "127.0.0.1:0")


def port_of(boot):
    line = boot.wait_log(r"machines fetch scripts and kernels at=http://127\.0\.0\.1:\d+")
    return int(re.search(r":(\d+)$", line.strip()).group(1))


def fetch(port, digest):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", f"/boot/blobs/{digest}")
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def test_boot_daemons_elsewhere_have_what_one_manager_imported(tmp_path):
    tree = tmp_path / "tree"
    for path, content in {"boot/vmlinuz-6.1.0-test": kernel("6.1.0-test (a@b)"), "etc/os-release": b"ID=test\n",
                          "usr/share/data": os.urandom(40 << 20)}.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes(content)
    folder = tmp_path / "images"
    with c.Cluster("fetch", master_flags=("--images", str(folder))) as cluster:
        boot = cluster.add("boot", "boot1", *OFF, "--images", tmp_path / "none")
        boot.wait_log("following the master's changes")
        owners = [] if os.geteuid() == 0 else ["--all-root"]
        cluster.cli("image", "import", "site", tree, "--images", folder, "--level", "1", *owners, check=0)
        shown = cluster.cli_json("image", "show", "site")
        shown = shown.get("items", [shown])[0]
        names = [shown["kernel"]["sha256"], shown["initrds"][0]["sha256"], shown["root"]["sha256"]]
        blobs = boot.state / "images" / "blobs"

        def held(digest):
            path = blobs / digest[:2] / digest
            return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == digest
        c.wait_for("all of it is at the boot daemon, unasked", lambda: all(held(name) for name in names))
        assert (boot.state / "images" / "blobs" / names[2][:2] / names[2]).stat().st_size == shown["root"]["size"]
        status, body = fetch(port_of(boot), names[0])
        assert status == 200 and hashlib.sha256(body).hexdigest() == names[0]
        assert fetch(port_of(boot), names[2])[0] in (401, 403), "a root is for who has a token"

        # Cut off in the middle, it goes on from there: a half that is here is not fetched again.
        boot.kill()
        root = blobs / names[2][:2] / names[2]
        half = root.read_bytes()[:root.stat().st_size // 2]
        root.unlink()
        (boot.state / "images" / "tmp").mkdir(exist_ok=True)
        (boot.state / "images" / "tmp" / f"{names[2]}.fetch").write_bytes(half)
        offset = boot.log_size()
        boot.start()
        assert f"from={len(half)}" in boot.wait_log("going on with a file of an image", offset)
        c.wait_for("the root is whole again", lambda: held(names[2]))

        # Without its master it has what it has; files that no image names any more go.
        cluster.master.kill()
        assert fetch(port_of_last(boot), names[1])[0] == 200
        cluster.start_master()
        cluster.cli("image", "remove", "site", check=0)
        c.wait_for("its files are gone", lambda: not any(path.is_file() for path in blobs.rglob("*")))
        # Nobody but a boot daemon gets files from a master.
        assert cluster.api.ask("GET", "/../../blobs/" + names[0]).status >= 400
        connection = c.UnixConnection(str(cluster.master.socket), 10)
        connection.request("GET", "/blobs/" + names[0])
        assert connection.getresponse().status == 403
        connection.close()


def port_of_last(boot):
    lines = re.findall(r"machines fetch scripts and kernels at=http://127\.0\.0\.1:(\d+)", boot.log())
    return int(lines[-1])
