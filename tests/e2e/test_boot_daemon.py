"""The boot daemon as a member of the tree: it joins, copies the model, and outlives its master."""
import cluster as c
import recipes


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


def test_a_boot_script_of_the_sites_own_is_inherited_and_checked_where_it_is_set():
    with c.Cluster() as cluster:
        cluster.api.json("POST", "/images", recipes.image_body("lean", 1))
        cluster.api.json("POST", "/nodes", {"name": "n1", "spec": {
            "interfaces": [{"name": "eth0", "mac": "52:54:00:00:00:01", "addresses": ["10.0.0.1/24"]}]}})
        document = cluster.run / "site.yaml"

        def apply(template, check):
            document.write_text("kind: drover-cluster\nversion: 1\nprofiles:\n  base:\n    attributes:\n"
                                "      image: lean\n      boot_mode: lean\n      x.colour: blue\n"
                                "      boot_template: |\n" + "".join(f"        {line}\n" for line in template)
                                + "  gpu:\n    inherits: [base]\n")
            return cluster.cli("apply", "-f", document, "--yes", check=check)
        wrong = apply(["#!ipxe", "kernel {{kernal.url}}"], check=None)
        assert wrong.returncode != 0, wrong
        assert "line 2: there is no variable 'kernal.url'; did you mean kernel.url?" in wrong.stderr, wrong
        assert "base" not in cluster.cli("profile", "list", "-o", "name", check=0).stdout
        apply(["#!ipxe", "echo {{attr.x.colour}} ${net0/mac}", "kernel {{kernel.url}} {{args}}"], check=0)

        cluster.cli("node", "set", "n1", "profiles+=gpu", check=0)
        shown = cluster.cli_json("boot", "show", "n1")
        template = next(value for value in shown["values"] if value["name"] == "template")
        assert template == {"name": "template", "value": "boot_template", "origin": "profile base of profile gpu"}
        lines = shown["script"].splitlines()
        assert lines[:2] == ["#!ipxe", "echo blue ${net0/mac}"] and lines[2].startswith("kernel http://SERVER:"), lines
        # Lists stay lists: what holds several lines is shown in one.
        listed = cluster.cli("node", "attributes", "n1", check=0).stdout
        assert len([line for line in listed.splitlines() if " boot_template " in line]) == 1, listed
        assert "{{kernel.url}}" not in [line.strip() for line in listed.splitlines()], listed
        # What is exported is what was applied.
        exported = cluster.cli("export", "-o", "json", check=0).stdout
        assert "echo {{attr.x.colour}} ${net0/mac}\\nkernel" in exported, exported
