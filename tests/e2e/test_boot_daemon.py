"""The boot daemon as a member of the tree: it joins, copies the model, and outlives its master."""
import cluster as c


def status(cluster, name="boot1"):
    return cluster[name].local()


def test_a_boot_daemon_keeps_the_model_without_a_master():
    with c.Cluster() as cluster:
        cluster.api.json("POST", "/nodes", {"name": "n1", "spec": {"description": "first"}})
        boot = cluster.add("boot", "boot1", "--dhcp=false", "--tftp=false", "--dns=false",
                           "--netconsole=false", "--advertise=false",
                           "--http-listen", "127.0.0.1:0", "--https-listen", "127.0.0.1:0")
        c.wait_for("the boot daemon is linked", lambda: cluster.up("boot") == {"boot1"})
        boot.wait_log("following the master's changes")

        # What changes is on its disk before long, and the change of states alone is not.
        snapshot = (boot.state / "model" / "snapshot").read_text()
        assert '"n1"' in snapshot and snapshot.splitlines()[-1].split(" ", 1)[1].startswith('{"kind":"sequence"')
        cluster.api.json("POST", "/nodes", {"name": "n2", "spec": {"description": "second"}})

        def logged():
            return any("second" in path.read_text() for path in (boot.state / "model").glob("changes.*"))
        c.wait_for("the change is on the boot daemon's disk", logged)

        # It starts from there while no master is.
        cluster.master.kill()
        boot.kill()
        offset = boot.log_size()
        boot.start()
        line = boot.wait_log("starting from the copy of the model on disk", offset)
        assert "nodes=2" in line, line
        assert cluster["boot1"].local()["degraded"]

        # And follows the master again, from where it was.
        cluster.start_master()
        boot.wait_log("following the master's changes", offset)
        cluster.api.json("POST", "/nodes", {"name": "n3", "spec": {}})
        c.wait_for("the change came", lambda: any(
            '"n3"' in path.read_text() for path in (boot.state / "model").glob("changes.*")))
