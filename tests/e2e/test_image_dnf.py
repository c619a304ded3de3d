"""`drover image build` with dnf for real: a tiny repository of signed packages, made here, becomes a root and an image."""
import contextlib
import json
import os
import shutil
import subprocess

import cluster as c
import pytest
from test_images import kernel

TOOLS = ("dnf", "rpmbuild", "rpmsign", "createrepo_c", "gpg", "busybox", "mksquashfs")
absent = next((tool for tool in TOOLS if not shutil.which(tool)), None)
pytestmark = pytest.mark.skipif(absent is not None or os.geteuid() != 0, reason=f"needs root; {absent} is not installed")

SPEC = """Name: {name}
Version: 1.5
Release: 1
Summary: A package of a test
License: none
AutoReqProv: no
{needs}
%global debug_package %{{nil}}
%global __os_install_post %{{nil}}
%description
A package of a test.
%install
cp -a {tree}/. %{{buildroot}}/
{after}
%files
{files}
"""
USER = "Drover Test <test@example.invalid>"


class Repository:
    """A folder of packages as dnf reads it, and the key that they are signed with."""

    def __init__(self, folder):
        self.folder = folder
        self.packages = folder / "packages"
        self.packages.mkdir()
        self.key = folder / "key.asc"
        self.home = folder / "gpg"
        self.home.mkdir(mode=0o700)
        self.gpg("--batch", "--passphrase", "", "--quick-generate-key", USER, "rsa2048", "sign", "never")
        self.key.write_text(self.gpg("--armor", "--export", USER))

    def gpg(self, *words):
        return subprocess.run(["gpg", "--homedir", self.home, *words], check=True, capture_output=True, text=True).stdout

    def add(self, name, files, needs="", after="", signed=True):
        """`files`: contents, or links as ("link", target), by path."""
        tree = self.folder / name
        for path, content in files.items():
            place = tree / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, tuple):
                place.symlink_to(content[1])
            else:
                place.write_bytes(content)
                place.chmod(0o755 if "/bin/" in path else 0o644)
        spec = self.folder / f"{name}.spec"
        spec.write_text(SPEC.format(name=name, needs=needs, tree=tree, after=after, files="\n".join("/" + f for f in files)))
        subprocess.run(["rpmbuild", "-bb", "--quiet", "--target", "x86_64", "--define", f"_topdir {self.folder}/build",
                        "--define", f"_rpmdir {self.packages}", spec], check=True, capture_output=True)
        if signed:
            made = next(self.packages.rglob(f"{name}-1.5-1*.rpm"))
            subprocess.run(["rpmsign", "--define", f"_gpg_name {USER}", "--define", f"_gpg_path {self.home}",
                            "--define", f"__gpg {shutil.which('gpg')}", "--addsign", made],
                           check=True, capture_output=True)

    def finish(self):
        subprocess.run(["createrepo_c", "--quiet", self.packages], check=True)


@pytest.fixture(scope="module", name="repository")
def fixture_repository(tmp_path_factory):
    made = Repository(tmp_path_factory.mktemp("repository"))
    shell = {f"usr/bin/{name}": ("link", "busybox") for name in ("sh", "mkdir", "dirname", "cat", "chmod", "rm", "touch")}
    busybox = shutil.which("busybox")
    with open(busybox, "rb") as file:
        made.add("tiny-base", {"usr/bin/busybox": file.read(), "etc/os-release": b"ID=tiny\nVERSION_ID=9\n", **shell},
                 after="%post -p /usr/bin/sh\ntouch /etc/from-a-scriptlet")
    made.add("tiny-kernel", {"lib/modules/6.1.0-9.x86_64/vmlinuz": kernel("6.1.0-9.x86_64 (a@b)"),
                             "lib/modules/6.1.0-9.x86_64/modules.dep": b""}, needs="Requires: tiny-base")
    made.add("unsigned", {"etc/unsigned": b"nobody's\n"}, signed=False)
    made.finish()
    with contextlib.suppress(OSError):
        yield made
    subprocess.run(["gpgconf", "--homedir", made.home, "--kill", "all"], check=False, capture_output=True)


def recipe_of(repository, packages="[tiny-base]", keys=True):
    return (f"kind: drover-recipe\nname: tiny\nbuilder: dnf\nsuite: 9\nkernel: tiny-kernel\n"
            f"mirrors: ['file://{repository.packages}']\n" + (f"keys: ['file://{repository.key}']\n" if keys else "") +
            f"packages: {packages}\n"
            "files:\n  - {path: /etc/built/by, content: \"a recipe's file\\n\", mode: 0640}\n"
            "  - {path: /etc/from-beside, source: beside}\n"
            "commands:\n  - '[ -c /dev/null ] && [ -e /proc/self/fd ] && echo x >/dev/null'\n  - touch /etc/\"$(cat /etc/from-beside)\"\n  - rm /etc/from-beside\n"
            "excludes: [usr/bin/touch]\n")


def test_dnf_makes_a_root_out_of_signed_packages_and_refuses_others(repository):
    with c.Cluster("dnf") as cluster:
        recipe = cluster.run / "tiny.yaml"
        (cluster.run / "beside").write_text("named-so")
        images = cluster.run / "images"

        def build(text, check):
            recipe.write_text(text)
            return cluster.cli("image", "build", recipe, "--agent", c.BIN / "drover-compute", "--images", images,
                               check=check, timeout=180)
        build(recipe_of(repository), 0)
        shown = cluster.cli_json("image", "show", "tiny")
        shown = shown.get("items", [shown])[0]
        assert shown["source"] == "recipe tiny of 9" and shown["kernel"]["version"] == "6.1.0-9.x86_64", shown
        root = images / "blobs" / shown["root"]["sha256"][:2] / shown["root"]["sha256"]
        listed = subprocess.run(["unsquashfs", "-lln", root], check=True, capture_output=True, text=True).stdout
        for wanted in ("-rw-r----- 0/0", "etc/built/by", "etc/from-a-scriptlet", "etc/named-so", "usr/bin/busybox"):
            assert wanted in listed, listed
        for unwanted in ("etc/from-beside", "usr/bin/touch", "dev/null", "proc/self"):
            assert unwanted not in listed, listed
        assert not list((images / "tmp").iterdir()), "nothing of the build is left"
        before = json.dumps(shown)

        # Who signed nothing is not installed, nor what nobody has; the reason is dnf's own.
        refused = build(recipe_of(repository, "[tiny-base, unsigned]"), None)
        assert refused.returncode != 0 and "unsigned" in refused.stderr and "sign" in refused.stderr, refused
        assert build(recipe_of(repository, keys=False), None).returncode != 0
        missing = build(recipe_of(repository, "[no-such-package]"), None)
        assert missing.returncode != 0 and "no-such-package" in missing.stderr, missing
        failed = build(recipe_of(repository).replace("rm /etc/from-beside", "exit 7"), None)
        assert failed.returncode != 0, failed
        assert not list((images / "tmp").iterdir())
        after = cluster.cli_json("image", "show", "tiny")
        assert json.dumps(after.get("items", [after])[0]) == before, "what could not be built is no version"

        # A site that signs nothing says so.
        build(recipe_of(repository, "[tiny-base, unsigned]", keys=False) + "keys: [none]\n", 0)
