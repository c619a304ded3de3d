"""An emulated BMC that speaks IPMI alone: ipmi_sim of OpenIPMI, with a file for the machine's power."""
import pathlib
import shutil
import socket
import subprocess

import cluster as c

missing = [tool for tool in ("ipmi_sim", "ipmitool") if shutil.which(tool) is None]

_LAN = """name "bmc"
set_working_mc 0x20
startlan 1
  addr 127.0.0.1 {port}
  priv_limit admin
  allowed_auths_admin none md2 md5 straight
  guid a123456789abcdefa123456789abcdef
endlan
chassis_control "{folder}/chassis"
user 2 true "root" "{password}" admin 10 none md2 md5 straight
"""
_MACHINE = """mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02
mc_enable 0x20
"""
# Called as: get power | get boot | set power 0 | set power 1 | set reset 1 | set shutdown 1 | set boot pxe
_CHASSIS = """#!/bin/sh
cd "{folder}"
echo "$*" >>asked
case "$1 $2" in
  "get power") echo "power:$(cat power 2>/dev/null || echo 0)" ;;
  "get boot") echo "boot:$(cat boot 2>/dev/null || echo none)" ;;
  "set power" | "set boot") echo "$3" >"$2" ;;
  "set shutdown") [ -e deaf ] || echo 0 >power ;;
esac
"""


class IpmiBmc:
    def __init__(self, folder: pathlib.Path, password="calvin"):
        folder.mkdir()
        self.folder = folder
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        names = {"port": self.port, "folder": folder, "password": password}
        (folder / "lan.conf").write_text(_LAN.format(**names))
        (folder / "machine").write_text(_MACHINE)
        (folder / "chassis").write_text(_CHASSIS.format(**names))
        (folder / "chassis").chmod(0o700)
        (folder / "state").mkdir()
        self.log = open(folder / "log", "wb")
        self.process = subprocess.Popen(["ipmi_sim", "-n", "-c", folder / "lan.conf", "-f", folder / "machine", "-s",
                                         folder / "state"], stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        c.wait_for("the BMC listens", self._listens)

    def _listens(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()
        return f":{self.port:04X} " in pathlib.Path("/proc/net/udp").read_text()

    def asked(self, words):
        path = self.folder / "asked"
        return path.read_text().splitlines().count(words) if path.exists() else 0

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.log.close()
