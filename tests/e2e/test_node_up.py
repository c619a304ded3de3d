"""What nodes do before they are up: steps and files on real agents, hooks on the master; and on a machine that boots."""
import pathlib
import shutil

import boot_lab
import cluster as c
import lab as labs
import pytest


def hook(folder, name, text):
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)


def phase(cluster, name):
    return cluster.api.nodes()[name]["phase"]


def last(cluster, name):
    return cluster.api.get(f"/nodes/{name}/steps")["last"] or {"state": "none"}


def test_steps_hooks_and_files_of_a_real_agent(tmp_path):
    hooks = tmp_path / "hooks"
    hook(hooks, "20-tell", f'echo "$1 $DROVER_STATE $DROVER_NODE" >> {tmp_path}/told; echo said\n')
    with c.Cluster("nodeup", master_flags=("--hooks", str(hooks))) as cluster:
        cluster.form(0, aggregators=[("agg1", "127.0.0.1")])
        cluster.api.json("POST", "/groups", {"name": "rack1", "nodes": ""})
        cluster.api.json("POST", "/nodes", {"name": "n1"})
        cluster.api.json("POST", "/groups/rack1/members", {"add": "n1"})
        steps = tmp_path / "steps.yaml"
        steps.write_text(f"""
- {{name: touch, kind: command, command: [touch, {tmp_path}/touched]}}
- {{name: tell, kind: command, command: [/bin/sh, -c, 'echo $DROVER_NODE; exit 1'], on_failure: continue}}
- {{name: write, kind: file, path: {tmp_path}/written, content: 'by a step', mode: '600'}}
""")
        cluster.cli("steps", "set", "group/rack1", steps, "--why", "first", check=0)
        motd = tmp_path / "motd"
        motd.write_text("hello ${name}\n")
        cluster.cli("overlay", "set", "group/rack1", tmp_path / "placed", motd, "--template", "--mode", "0640", check=0)
        cluster.add("compute", "n1")
        cluster.wait_up("n1")
        assert (tmp_path / "touched").exists()
        assert (tmp_path / "written").read_text() == "by a step" and (tmp_path / "written").stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "placed").read_text() == "hello n1\n" and (tmp_path / "placed").stat().st_mode & 0o777 == 0o640
        assert (tmp_path / "told").read_text() == "n1 node_up n1\n"
        shown = cluster.cli("node", "steps", "n1", "-o", "wide", check=0).stdout
        assert "group rack1" in shown and "20-tell" in shown and "timed_out" not in shown and "failed" in shown, shown
        run = last(cluster, "n1")
        assert run["state"] == "done" and [s["status"] for s in run["steps"]] == ["ok", "failed", "ok"], run
        assert run["steps"][1]["output"] == "n1\n" and run["hooks"][0]["output"] == "said\n", run

        # A link that breaks, and an agent that is started again, are no boot.
        (tmp_path / "touched").unlink()
        cluster["n1"].kill()
        c.wait_for("it is lost", lambda: phase(cluster, "n1")["state"] == "lost")
        cluster["n1"].start()
        cluster.wait_up("n1")
        assert not (tmp_path / "touched").exists() and (tmp_path / "told").read_text().count("n1 node_up") == 1

        # Files follow their definition at once, and one that did not change is not written.
        before = (tmp_path / "placed").stat().st_ino
        motd.write_text("bye ${name}\n")
        cluster.cli("overlay", "set", "group/rack1", tmp_path / "placed", motd, "--template", check=0)
        c.wait_for("the file is the new one", lambda: (tmp_path / "placed").read_text() == "bye n1\n", limit=5)
        assert (tmp_path / "placed").stat().st_ino != before
        before = (tmp_path / "placed").stat().st_ino
        cluster.cli("overlay", "set", "n1", tmp_path / "own", motd, check=0)
        c.wait_for("the other is there too", lambda: (tmp_path / "own").exists(), limit=5)
        assert (tmp_path / "own").read_text() == "bye ${name}\n", "no template"
        assert (tmp_path / "placed").stat().st_ino == before
        c.wait_for("the master knows", lambda: "current" in cluster.cli("overlay", "status", check=0).stdout, limit=5)
        cluster.cli("overlay", "unset", "group/rack1", check=0)
        c.wait_for("it is gone", lambda: not (tmp_path / "placed").exists(), limit=5)
        assert (tmp_path / "own").exists()

        # A step that fails and a hook that fails are an error with the reason; mended, the node is up.
        cluster.api.json("PATCH", "/steps/group/rack1", {"steps": [
            {"name": "hang", "kind": "command", "command": ["sleep", "600"], "timeout_s": 1},
            {"name": "after", "kind": "command", "command": ["true"]}]})
        cluster.cli("node", "steps", "n1", "--run", check=0)
        c.wait_for("it is in error", lambda: phase(cluster, "n1")["state"] == "error")
        assert phase(cluster, "n1")["why"] == "step 1 of 2, hang: it took longer than 1 s", phase(cluster, "n1")
        assert last(cluster, "n1")["steps"][1]["status"] == "skipped"
        cluster.cli("steps", "unset", "group/rack1", check=0)
        hook(hooks, "30-bad", "echo no; exit 7\n")
        cluster.cli("node", "steps", "n1", "--run", check=0)
        c.wait_for("the hook fails", lambda: phase(cluster, "n1")["why"] == "hook 30-bad: it ended with status 7")
        (hooks / "30-bad").unlink()
        cluster.cli("node", "steps", "n1", "--run", check=0)
        cluster.wait_up("n1")

        # What it did is known to a master that was restarted, and nothing runs again.
        told = (tmp_path / "told").read_text()
        cluster.master.kill()
        cluster.start_master()
        cluster.wait_up("n1")
        assert last(cluster, "n1")["state"] == "done" and (tmp_path / "told").read_text() == told


reason = labs.missing() or (None if labs.kernel() else "no kernel with modules is installed")
if not reason and not (shutil.which("mksquashfs") and pathlib.Path("/bin/busybox").exists()):
    reason = "squashfs-tools or busybox-static is not installed"

INIT = """#!/bin/busybox sh
say() { /bin/busybox echo "$*" > /dev/kmsg; }
while :; do
  now="motd: $(/bin/busybox cat /etc/motd 2>&1) mounts: $(/bin/busybox grep -c ' /scratch tmpfs ' /proc/mounts)"
  [ "$now" = "$before" ] || say "$now"
  before="$now"
  /bin/busybox sleep 1
done
"""


@pytest.mark.skipif(reason is not None, reason=reason or "")
def test_a_machine_that_boots_takes_its_steps_and_gets_its_files(tmp_path):
    with labs.Lab() as lab:
        site = boot_lab.BootCluster(lab)
        try:
            site.start_in_lab()
            site.define_network()
            root = tmp_path / "root"
            for name in ("bin", "sbin", "etc", "proc", "sys", "dev", "run", "tmp", "lib"):
                (root / name).mkdir(parents=True)
            shutil.copy("/bin/busybox", root / "bin/busybox")
            (root / "sbin/init").write_text(INIT)
            (root / "sbin/init").chmod(0o755)
            kernel, modules = labs.kernel()
            site.cli("image", "import", "tiny", str(root), "--kernel", kernel, "--modules", modules,
                     "--agent", c.BIN / "drover-compute", "--images", site.run / "images", check=0, timeout=180)
            machine = lab.machine("n1", firmware="bios", memory=384)
            site.define_node("n1", machine.mac, "10.77.0.11/24", image="tiny",
                             kernel_args=f"console=ttyS0 {labs.KERNEL_QUIRKS}")
            site.api.json("PATCH", "/steps/node/n1", {"steps": [
                {"name": "scratch", "kind": "mount", "source": "tmpfs", "target": "/scratch", "type": "tmpfs",
                 "options": "nosuid,size=1m"},
                {"name": "look", "kind": "command", "command": ["/bin/busybox", "df", "/scratch"]}]})
            site.api.json("PATCH", "/overlays/node/n1", {"files": {"/etc/motd": {"content": "first"}}})
            machine.start()
            machine.wait_console("motd: first mounts: 1", limit=180)
            site.wait_up("n1", limit=60)
            assert "node_up" in site.phases("n1")
            run = last(site, "n1")
            assert "/scratch" in run["steps"][1]["output"], run
            site.api.json("PATCH", "/overlays/node/n1", {"files": {"/etc/motd": {"content": "second"}}})
            machine.wait_console("motd: second", limit=20)
            site.api.json("PATCH", "/steps/node/n1", {"steps": [
                {"name": "look", "kind": "command", "command": ["/bin/busybox", "false"]}]})
            site.cli("node", "steps", "n1", "--run", check=0)
            c.wait_for("the node is in error", lambda: phase(site, "n1")["state"] == "error")
            assert phase(site, "n1")["why"] == "step 1 of 1, look: it ended with status 1"
        finally:
            site.close()
