"""A running cluster is backed up, its master dies with all it had, and another one is made of the backup:
the nodes come back by themselves, and everything is there."""
import os
import pathlib
import shutil

import cluster as c


def test_a_cluster_moves_to_another_machine_by_its_backup():
    with c.Cluster("moved") as cluster:
        cluster.form(2)
        cluster.cli("node", "set", "n1", "service=in_service", "--why", "first", check=0)
        changes = cluster.api.changes()
        backup = cluster.run / "drover.backup"
        cluster.cli("backup", backup, check=0)
        assert os.stat(backup).st_mode & 0o777 == 0o600, "it holds the CA's key"
        assert cluster.cli("backup", backup).returncode == 5, "an earlier one is not overwritten"
        assert not list(cluster.run.glob("*.partial")) and not list(cluster.master.state.glob("*.tmp*"))
        nodes = cluster.api.nodes()

        # A master that runs is not restored over; a damaged backup is not restored at all.
        assert cluster.cli("restore", backup, "--dir", cluster.master.state, "--force").returncode == 5
        bad = cluster.run / "bad.backup"
        data = bytearray(backup.read_bytes())
        data[len(data) // 2] ^= 1
        bad.write_bytes(data)
        refused = cluster.cli("restore", bad, "--dir", cluster.run / "new")
        assert refused.returncode != 0 and "damaged" in refused.stderr, refused.stderr

        cluster.master.kill()
        shutil.rmtree(cluster.master.state)
        told = cluster.cli("restore", backup, "--dir", cluster.run / "elsewhere", check=0)
        assert "next: " in told.stderr
        key = pathlib.Path(cluster.run / "elsewhere" / "ca" / "ca.key")
        assert os.stat(key).st_mode & 0o777 == 0o600
        assert cluster.cli("restore", backup, "--dir", cluster.run / "elsewhere").returncode == 5, "not empty"
        cluster.master.state = cluster.run / "elsewhere"
        cluster.start_master()
        cluster.wait_up("n1", "n2")
        cluster.wait_redundant("n1", "n2")
        again = cluster.api.nodes()
        assert {n: again[n]["id"] for n in again} == {n: nodes[n]["id"] for n in nodes}
        assert again["n1"]["service"]["state"] == "in_service"
        log = cluster.api.changes()
        assert log[:len(changes)] == changes, "the history is whole"
        assert [change["sequence"] for change in log] == list(range(1, len(log) + 1))
        restores = [change for change in log if change["kind"] == "restore"]
        assert len(restores) == 1, "the master says who restored what"
        assert restores[0]["sequence"] > len(changes) and restores[0]["actor"].startswith("user:")
        assert str(backup) in restores[0]["why"], restores[0]["why"]
        assert [item["target"] for item in cluster.api.get("/audit")["items"] if item["method"] == "RESTORE"] == [str(backup)]
        cluster.master.kill()
        cluster.start_master()
        cluster.wait_up("n1", "n2")
        assert [change for change in cluster.api.changes() if change["kind"] == "restore"] == restores, "once"
        # It is the same authority: new hosts join.
        cluster.add("compute", "n3")
        cluster.wait_up("n1", "n2", "n3")


def test_an_encrypted_backup_opens_with_its_passphrase_alone():
    with c.Cluster("sealed") as cluster:
        cluster.join("compute", "n1")
        backup, key = cluster.run / "drover.backup", cluster.run / "pass"
        key.write_text("correct horse battery staple\n")
        cluster.cli("backup", "--passphrase-file", key, backup, check=0)
        assert os.stat(backup).st_mode & 0o777 == 0o600
        data = backup.read_bytes()
        assert data.startswith(b"drover-sealed 1\n") and b"PRIVATE KEY" not in data and b"sqlite" not in data.lower()
        assert not list(cluster.run.glob("*.partial"))
        short = cluster.cli("backup", "--passphrase-file", "-", cluster.run / "short", text="short\n")
        assert short.returncode == 2 and "at least 12" in short.stderr and not (cluster.run / "short").exists()

        into = ("--dir", cluster.run / "elsewhere")
        without = cluster.cli("restore", backup, *into)
        assert without.returncode == 2 and "--passphrase-file" in without.stderr, without.stderr
        wrong = cluster.cli("restore", backup, *into, "--passphrase-file", "-", text="correct horse battery stapl3")
        assert wrong.returncode == 4 and "passphrase" in wrong.stderr, wrong.stderr
        assert not (cluster.run / "elsewhere").exists()
        cluster.master.kill()
        cluster.cli("restore", backup, *into, "--passphrase-file", key, check=0)
        cluster.master.state = cluster.run / "elsewhere"
        cluster.start_master()
        assert "n1" in cluster.api.nodes()


def test_history_and_revert_on_the_command_line():
    with c.Cluster("undo") as cluster:
        cluster.join("compute", "n1")
        cluster.cli("node", "set", "n1", "flag=warning", "--why", "fan", check=0)
        last = cluster.api.changes()[-1]
        assert last["via"].startswith("master/"), last
        shown = cluster.cli("history", "n1", check=0).stdout
        assert "flag: ok -> warning" in shown and "fan" in shown, shown
        tried = cluster.cli("revert", last["sequence"], "--dry-run", check=0).stdout
        assert "flag: warning -> ok" in tried, tried
        assert cluster.api.get("/nodes/n1")["flag"] == "warning"
        cluster.cli("revert", last["sequence"], "--why", "it is quiet", check=0)
        assert cluster.api.get("/nodes/n1")["flag"] == "ok"
        assert cluster.cli("revert", 999999).returncode == 1
        assert cluster.cli("revert", "x").returncode == 2


def test_daemons_that_renewed_since_the_backup_renew_again_with_the_restored_master():
    timing = ("--tree-heartbeat", "200ms", "--tree-silence", "20s")
    with c.Cluster("renewed", timing=timing, master_flags=["--certificate-lifetime", "20s"]) as cluster:
        cluster.form(1, aggregators=[("agg1", "127.0.0.1")])
        token = cluster.cli("credential", "create", "--role", "viewer", "keeper", "-o", "name", check=0).stdout.strip()
        backup = cluster.run / "drover.backup"
        cluster.cli("backup", backup, check=0)
        daemons = [cluster[name] for name in ("agg1", "n1")]

        def certificates():
            return [(d.state / "identity" / "identity.pem").read_bytes() for d in daemons]

        def renewed_since(before):
            return lambda: all(now != then for now, then in zip(certificates(), before))
        # Twice: what a daemon got in the second in which it joined ends no later than its first one.
        for _ in range(2):
            c.wait_for("everybody has renewed", renewed_since(certificates()))
        cluster.master.kill()
        shutil.rmtree(cluster.master.state)
        cluster.cli("restore", backup, "--dir", cluster.master.state, check=0)
        then = certificates()
        mark = cluster.master.log_size()
        cluster.start_master()
        cluster.wait_up("n1")
        c.wait_for("and once more", renewed_since(then))
        assert "holds another key" not in cluster.master.log(mark)
        # The keys that sign tokens are in the backup.
        remote = ("--server", cluster.server, "--ca", cluster.ca_pem)
        done = cluster.cli("whoami", *remote, "-o", "name", environment={"DROVER_TOKEN": token}, check=0)
        assert done.stdout == "credential:keeper\n"
