"""Images by the command line, with the real tools: import, versions, tags, diff, rollback, verify, gc."""
import os
import pathlib
import shutil

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
