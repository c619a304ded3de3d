"""A cluster in a lab's network that boots its own nodes: a master, an aggregator and a boot daemon, with one
network, one lean image, and nodes whose machines are switched on when a test says so.
"""
import pathlib
import shutil
import subprocess

import cluster as c
import lab as labs


class BootCluster(c.Cluster):
    """All daemons run in the lab's network namespace; their sockets are files, so `api` and `cli` reach them."""

    def __init__(self, lab, name="lab"):
        self.lab = lab
        super().__init__(name, timing=())
        self.server_address = labs.GATEWAY

    def start_in_lab(self):
        """The three daemons, joined and linked."""
        flags = self.master.flags
        flags[flags.index("--http-listen") + 1] = f"127.0.0.1:{self.http_port}"
        flags[flags.index("--tree-listen") + 1] = f"{labs.GATEWAY}:{self.tree_port}"
        self.start_master()
        self.add_in_lab("aggregator", "agg1", "--listen", f"{labs.GATEWAY}:9800,[{labs.GATEWAY6}]:9800")
        self.add_in_lab("boot", "boot1", "--http-listen", f"{labs.GATEWAY}:8080,[{labs.GATEWAY6}]:8080",
                        "--https-listen", f"{labs.GATEWAY}:8443,[{labs.GATEWAY6}]:8443", "--images", self.run / "images")
        c.wait_for("the daemons are linked",
                   lambda: self.up("aggregator") == {"agg1"} and self.up("boot") == {"boot1"})
        return self

    def add_in_lab(self, role, name, *flags):
        self.join(role, name)
        return self._add(role, name, flags).start()

    def join(self, role, name, token=None, folder=None, check=0):
        token = token or self.token(role, name)
        done = self.lab.command(c.BIN / "drover", "join", "--server", self.server, "--token", token, "--role", role,
                                "--name", name, "--dir", folder or self.run / name, env=self.environment)
        assert done.returncode == check, done
        return done

    def _add(self, role, name, flags):
        daemon = InLab(self, role, name, flags)
        self.daemons[name] = daemon
        return daemon

    def define_network(self, **more):
        body = {"name": "lab", "prefix": "10.77.0.0/24", "mode": "full", "gateway": labs.GATEWAY, **more}
        self.api.json("POST", "/networks", body)

    def import_lean(self, name="lean"):
        kernel, modules = labs.kernel()
        self.cli("image", "import", name, "--kernel", kernel, "--modules", modules, "--agent", c.BIN / "drover-compute",
                 "--images", self.run / "images", check=0, timeout=180)

    def define_node(self, name, mac, address, **attributes):
        spec = {"interfaces": [{"name": "eth0", "mac": mac, "addresses": [address]}], "attributes": attributes}
        self.api.json("POST", "/nodes", {"name": name, "spec": spec})

    def phases(self, name):
        """Every phase that the node was in, oldest first, as the change log has them."""
        seen = []
        for change in self.api.changes(f"&kind=node&key={name}"):
            phase = (change["after"] or {}).get("phase", {}).get("state")
            if phase and (not seen or seen[-1] != phase):
                seen.append(phase)
        return seen


class InLab(c.Daemon):
    def start(self, *extra):
        import os
        space = f"/run/netns/{self.cluster.lab.name}"
        original = subprocess.Popen

        def inside(command, **options):
            return original(["nsenter", f"--net={space}", *command], **options)
        subprocess.Popen = inside
        try:
            return super().start(*extra)
        finally:
            subprocess.Popen = original
