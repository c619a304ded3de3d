"""Emulated BMCs as a process of their own: drover-sim bmcs behind TLS with a certificate of their own making."""
import json
import pathlib
import subprocess

import cluster as c

BIN = c.BIN


class Bmcs:
    """Use as a context manager. `endpoints` are "127.0.0.1:PORT", in the order of their numbers."""

    def __init__(self, folder, *flags, name="bmc", port=0):
        self.folder, self.name = pathlib.Path(folder), name
        self.certificate, self.key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        if not self.certificate.exists():
            self.new_certificate()
        self.flags = ["--certificate", self.certificate, "--key", self.key, "--port", port, *flags]
        self.process = None

    def new_certificate(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "1", "-subj", "/CN=emulated BMC", "-keyout", str(self.key),
                        "-out", str(self.certificate)], check=True, capture_output=True)

    def start(self):
        self.process = subprocess.Popen([str(BIN / "drover-sim"), "bmcs", *map(str, self.flags)],
                                        stdout=subprocess.PIPE, text=True, preexec_fn=c._die_with_parent)
        self.endpoints = [bmc["endpoint"] for bmc in json.loads(self.process.stdout.readline())["bmcs"]]
        return self

    def port(self, index=0):
        return int(self.endpoints[index].rsplit(":", 1)[1])

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)
        if self.process:
            self.process.stdout.close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
