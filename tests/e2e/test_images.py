"""Images by the command line, with the real tools: import, versions, tags, diff, rollback, verify, gc."""
import gzip
import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import tarfile

import pytest

import cluster as c

pytestmark = pytest.mark.skipif(shutil.which("mksquashfs") is None, reason="squashfs-tools is not installed")


@pytest.fixture(scope="module")
def cluster():
    with c.Cluster("images") as made:
        yield made.form(0)


def kernel(release):
    """A file that says of itself that it is an x86 kernel of that release (Documentation/x86/boot.rst)."""
    out = bytearray(0x1000)
    out[0x202:0x206] = b"HdrS"
    out[0x20e:0x210] = (0x400).to_bytes(2, "little")
    out[0x600:0x600 + len(release)] = release.encode()
    return bytes(out)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("tree")
    for path, content in {"boot/vmlinuz-6.1.0-test": kernel("6.1.0-test (a@b)"),
                          "usr/lib/modules/6.1.0-test/modules.dep": b"",
                          "etc/os-release": b"ID=test\n", "etc/motd": b"first\n",
                          "etc/machine-id": b"0123456789abcdef0123456789abcdef\n"}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return root


class Images:
    """drover image with a folder of its own."""

    def __init__(self, cluster, folder):
        self.cluster = cluster
        self.folder = folder

    def run(self, *words, check=0):
        return self.cluster.cli("image", *words, "--images", str(self.folder), check=check)

    def blobs(self):
        return [path for path in (self.folder / "blobs").rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def images(cluster, tmp_path_factory):
    return Images(cluster, tmp_path_factory.mktemp("images") / "store")


def take(images, name, tree, *more, check=0):
    owners = [] if os.geteuid() == 0 else ["--all-root"]
    return images.run("import", name, str(tree), "--level", "1", *owners, *more, check=check)


def test_a_folder_is_imported_once(cluster, images, tree):
    tried = take(images, "site", tree, "--dry-run")
    assert "vmlinuz-6.1.0-test" in tried.stdout and not images.folder.exists()
    first = take(images, "site", tree, "--description", "the site's own", "--why", "first light")
    assert "kernel 6.1.0-test, root" in first.stdout, first.stdout
    assert len(images.blobs()) == 3
    again = take(images, "site", tree)
    assert "as before: the same files" in again.stdout
    assert len(images.blobs()) == 3
    shown = cluster.cli_json("image", "show", "site")
    shown = shown.get("items", [shown])[0]
    assert shown["arch"] == "x86_64" and shown["root"]["format"] == "squashfs" and shown["history"] == []
    assert "first light" in cluster.cli("history", "image/site", check=0).stdout
    assert cluster.cli("image", "list", "-o", "name", check=0).stdout == "site\n"


def test_a_new_version_is_compared_and_taken_back(cluster, images, tree):
    cluster.cli("image", "tag", "site", "prod", check=0)
    before = cluster.cli_json("image", "show", "site")
    (tree / "etc/motd").write_bytes(b"second edition\n")
    (tree / "etc/new").write_bytes(b"new\n")
    take(images, "site", tree)
    differs = images.run("diff", "site:prod", "site", check=1)
    assert "/etc/motd" in differs.stdout and "/etc/new" in differs.stdout
    assert "/etc/os-release" not in differs.stdout and "kernel" not in differs.stdout
    assert images.run("diff", "site:prod", "site:prod").stdout == "the two are the same\n"
    cluster.cli("image", "rollback", "site", "--why", "it broke", check=0)
    after = cluster.cli_json("image", "show", "site")
    after, before = (shown.get("items", [shown])[0] for shown in (after, before))
    assert after["digest"] == before["digest"] and len(after["history"]) == 1


def test_what_boots_it_keeps_it(cluster, images):
    cluster.cli("profile", "add", "default", "image=site:prod", check=0)
    kept = cluster.cli("image", "remove", "site", check=5)
    assert "booted by profile 'default'" in kept.stderr
    assert cluster.cli("image", "untag", "site", "prod", check=5).stderr.count("site:prod")
    wrong = cluster.cli("profile", "set", "default", "image=no/such", check=2)
    assert "NAME:TAG" in wrong.stderr
    cluster.cli("profile", "remove", "default", check=0)


def test_files_are_verified_and_mended(cluster, images, tree):
    assert "are whole" in images.run("verify").stdout
    victim = max(images.blobs(), key=lambda path: path.stat().st_size)
    bytes_before = victim.read_bytes()
    victim.write_bytes(b"rotten" + bytes_before[6:])
    found = images.run("verify", check=1)
    assert "holds something else" in found.stdout, found.stdout
    victim.unlink()
    assert "there is no blob" in images.run("verify", check=1).stdout
    victim.write_bytes(bytes_before)
    images.run("verify")


def test_unused_files_go_and_no_others(cluster, images, tree):
    assert images.run("gc", "--dry-run").stdout.startswith("0 files would be removed")
    assert len(images.blobs()) == 4
    gone = images.run("gc", "--keep", "0")
    assert gone.stdout.startswith("1 files removed"), gone.stdout
    images.run("verify")
    cluster.cli("image", "remove", "site", check=0)
    # A folder of which the cluster knows nothing may be another's.
    assert "another cluster's" in images.run("gc", check=5).stderr
    images.run("gc", "--force")
    assert images.blobs() == []


def test_bad_sources_say_why_and_leave_nothing(cluster, images, tree, tmp_path):
    (tmp_path / "text").write_text("no image")
    assert "neither a folder nor a tar" in take(images, "bad", tmp_path / "text", check=2).stderr
    assert "is not there" in take(images, "bad", tmp_path / "none", check=1).stderr
    (tmp_path / "empty").mkdir()
    assert "has no kernel" in take(images, "bad", tmp_path / "empty", check=1).stderr
    assert take(images, "no spaces", tree, check=2).stderr.count("letters, digits")
    assert take(images, "bad", tree, "--level", "99", check=2).stderr.count("1 to 22")
    assert cluster.cli("image", "show", "bad", check=1).stderr.count("there is no image")
    assert images.blobs() == [] and not list((images.folder / "tmp").glob("*"))


def test_a_kernel_alone_is_a_lean_image(cluster, images):
    kernels = sorted(path for path in pathlib.Path("/boot").glob("vmlinuz-*")
                     if pathlib.Path("/lib/modules", path.name[len("vmlinuz-"):], "modules.dep").exists())
    if not kernels:
        pytest.skip("this host has no kernel with modules")
    made = images.run("import", "lean", "--kernel", str(kernels[-1]))
    assert "no root (lean)" in made.stdout, made.stdout
    shown = cluster.cli_json("image", "show", "lean")
    shown = shown.get("items", [shown])[0]
    assert shown["root"] is None and shown["kernel"]["version"] == kernels[-1].name[len("vmlinuz-"):]
    assert shown["initrds"][0]["what"] == "drover" and shown["initrds"][0]["size"] > 1_000_000


# --- images of containers ---------------------------------------------------------------------

def layer(entries, packed=gzip.compress):
    """One layer: {path: bytes, None for a folder, ("link", to) or ("hard", to)}, in that order."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, what in entries.items():
            info = tarfile.TarInfo(path)
            info.mtime, info.mode = 1_700_000_000, 0o755
            if what is None:
                info.type = tarfile.DIRTYPE
            elif isinstance(what, tuple):
                info.type = tarfile.SYMTYPE if what[0] == "link" else tarfile.LNKTYPE
                info.linkname = what[1]
            else:
                info.size = len(what)
            archive.addfile(info, io.BytesIO(what) if isinstance(what, bytes) else None)
    return packed(out.getvalue())


def layout(folder, layers, kind="application/vnd.oci.image.layer.v1.tar+gzip"):
    """Writes an OCI layout of one image with these layers."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)

    def blob(data, media_type):
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}
    config = blob(json.dumps({"architecture": "amd64", "os": "linux"}).encode(), "application/vnd.oci.image.config.v1+json")
    manifest = {"schemaVersion": 2, "config": config, "layers": [blob(data, kind) for data in layers]}
    named = blob(json.dumps(manifest).encode(), "application/vnd.oci.image.manifest.v1+json")
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [named]}))
    return folder


LOWER = {"etc/": None, "etc/motd": b"lower\n", "etc/gone": b"x\n", "lib": ("link", "usr/lib"), "usr/lib/": None,
         "usr/lib/a": b"a\n", "var/cache/": None, "var/cache/old": b"x\n", "opt": ("link", "usr/opt"),
         "boot/vmlinuz-6.1.0-test": b""}
UPPER = {"etc/.wh.gone": b"", "etc/motd": b"upper\n", "var/cache/.wh..wh..opq": b"", "var/cache/new": b"n\n",
         "opt/": None, "opt/tool": b"t\n", "usr/lib/b": ("hard", "usr/lib/a"), "usr/lib/a": b"a2\n"}


def test_an_image_of_containers_is_unpacked_layer_by_layer(cluster, images, tmp_path):
    lower = {**LOWER, "boot/vmlinuz-6.1.0-test": kernel("6.1.0-test (a@b)")}
    upper = {**UPPER}
    upper["usr/lib/a"], upper["usr/lib/b"] = upper.pop("usr/lib/a"), upper.pop("usr/lib/b")
    folder = layout(tmp_path / "oci", [layer(lower), layer(upper)])
    done = take(images, "box", folder)
    assert "kernel 6.1.0-test, root" in done.stdout, done.stdout
    shown = cluster.cli_json("image", "show", "box")
    digest = shown.get("items", [shown])[0]["root"]["sha256"]
    root = images.folder / "blobs" / digest[:2] / digest
    out = tmp_path / "tree"
    subprocess.run(["unsquashfs", "-no-progress", "-dest", out, root], check=True, capture_output=True)
    found = {str(path.relative_to(out)): path for path in out.rglob("*")}
    assert found["etc/motd"].read_text() == "upper\n" and "etc/gone" not in found
    assert found["var/cache/new"].exists() and "var/cache/old" not in found
    assert found["opt"].is_dir() and not found["opt"].is_symlink() and found["opt/tool"].exists()
    assert os.readlink(found["lib"]) == "usr/lib" and found["usr/lib/b"].read_text() == "a2\n"
    assert not [name for name in found if ".wh." in name]

    # The same as one file, as skopeo and podman write it, is the same image.
    packed = tmp_path / "box.tar"
    with tarfile.open(packed, "w") as archive:
        for name in ("blobs", "index.json", "oci-layout"):
            archive.add(folder / name, name)
    assert "as before: the same files" in take(images, "box", packed).stdout
    # And with layers that are not packed.
    plain = layout(tmp_path / "plain", [layer(lower, bytes), layer(upper, bytes)], "application/vnd.oci.image.layer.v1.tar")
    assert "as before: the same files" in take(images, "box", plain).stdout


def test_layers_that_reach_out_or_are_spoiled_are_refused(images, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("s\n")
    base = {"boot/vmlinuz-6.1.0-test": kernel("6.1.0-test (a@b)"), "out": ("link", str(outside))}
    for name, more in {"write": {"out/secret": b"mine\n"}, "whiteout": {"out/.wh.secret": b""},
                       "hard": {"etc/secret": ("hard", "out/secret")}, "dots": {"../../secret": b"mine\n"}}.items():
        folder = layout(tmp_path / name, [layer(base), layer(more)])
        refused = take(images, "bad", folder, check=None)
        assert refused.returncode == 4, (name, refused)
        assert (outside / "secret").read_text() == "s\n", name
    folder = layout(tmp_path / "spoiled", [layer(base)])
    for blob in (folder / "blobs" / "sha256").iterdir():
        if blob.stat().st_size > 300:
            data = bytearray(blob.read_bytes())
            data[-1] ^= 1
            blob.write_bytes(data)
    spoiled = take(images, "bad", folder, check=None)
    assert spoiled.returncode != 0 and "holds something else" in spoiled.stderr
    assert not list((images.folder / "tmp").iterdir()), "nothing of them is left"
