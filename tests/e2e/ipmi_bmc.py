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
  addr {host} {port}
  priv_limit admin
  allowed_auths_admin none md2 md5 straight
  guid a123456789abcdefa123456789abcdef
endlan
chassis_control "{folder}/chassis"
{sol}
user 2 true "root" "{password}" admin 10 none md2 md5 straight
"""
_MACHINE = """mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02
mc_add_fru_data 0x20 0 {size} data {bytes}
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


def _area(head, fields):
    """One area of a FRU: version, length in eights, the fields, end, padding, checksum."""
    body = head + b"".join(bytes([0xC0 | len(field)]) + field.encode() for field in fields) + b"\xc1"
    size = -(-(len(body) + 3) // 8) * 8
    area = (bytes([1, size // 8]) + body).ljust(size - 1, b"\0")
    return area + bytes([-sum(area) % 256])


def fru(serial):
    """Platform Management FRU Information Storage Definition 1.0, sections 8 and 10 to 12."""
    areas = [_area(b"\x17", ("CH-1", "CH-" + serial)), _area(bytes(4), ("Contoso", "Board", "B-" + serial, "BP-1", "f")),
             _area(b"\0", ("Contoso", "Model 7", "PP-1", "1.0", serial, "tag", "f"))]
    starts, at = [], 1
    for area in areas:
        starts.append(at)
        at += len(area) // 8
    head = bytes([1, 0, *starts, 0, 0])
    return head + bytes([-sum(head) % 256]) + b"".join(areas)


class IpmiBmc:
    def __init__(self, folder: pathlib.Path, password="calvin", host="127.0.0.1", serial_port=None):
        """`serial_port`: where the machine's serial line is, TCP on loopback; None: there is no SOL."""
        folder.mkdir()
        self.folder = folder
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind((host, 0))
            self.port = free.getsockname()[1]
        names = {"host": host, "port": self.port, "folder": folder, "password": password,
                 "sol": f'sol "tcp:127.0.0.1:{serial_port}" 115200' if serial_port else ""}
        (folder / "lan.conf").write_text(_LAN.format(**names))
        chip = fru("S-7")
        (folder / "machine").write_text(_MACHINE.format(size=len(chip), bytes=" ".join(f"{byte:#04x}" for byte in chip)))
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
