"""An isolated network on this machine with virtual machines that boot from it.

A Lab is a network namespace with a bridge (10.77.0.1/24, fd77::1/64) and nothing else; what is run in it
by `run()`, and sockets made by `socket()`, see no other network. Its machines are QEMU under emulation
(`tcg`: /dev/kvm may be there and hang), with an empty disk or none, that boot like real ones: by the BIOS's
PXE, by UEFI's PXE or HTTP, or straight from a kernel. Needs root and the packages that PACKAGES names.

    with Lab() as lab:
        boot = lab.run("drover-boot", "--listen", ...)
        node = lab.machine("n1", firmware="bios")
        node.start()
        node.wait_console(r"login:|drover", 60)
"""
import contextlib
import ctypes
import glob
import json
import os
import pathlib
import re
import shutil
import signal
import socket as sockets
import subprocess
import tempfile
import threading

from cluster import PATIENCE, wait_for

PACKAGES = "qemu-system-x86 ipxe ipxe-qemu ovmf seabios linux-image-cloud-amd64 iproute2"
GATEWAY = "10.77.0.1"
GATEWAY6 = "fd77::1"
OVMF = pathlib.Path("/usr/share/OVMF")
TOOLS = ("qemu-system-x86_64", "ip")
# Under load the emulated timer is late: without these kernels panic or distrust their clock.
KERNEL_QUIRKS = "no_timer_check tsc=reliable"
CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)
_count = 0


def missing():
    """Why no lab can be made here; None when it can."""
    if os.geteuid() != 0:
        return "only root can make a network namespace"
    for tool in TOOLS:
        if shutil.which(tool) is None:
            return f"{tool} is not installed (packages: {PACKAGES})"
    probe = subprocess.run(["ip", "netns", "add", f"drover-probe-{os.getpid()}"], capture_output=True)
    if probe.returncode != 0:
        return f"no network namespace can be made: {probe.stderr.decode().strip()}"
    subprocess.run(["ip", "netns", "del", f"drover-probe-{os.getpid()}"], check=True)
    return None


def kernel():
    """(kernel image, folder of its modules) of an installed Debian kernel, the newest; None without one."""
    for image in sorted(glob.glob("/boot/vmlinuz-*-amd64"), reverse=True):
        modules = pathlib.Path("/lib/modules") / image.split("vmlinuz-")[1]
        if (modules / "modules.dep").exists():
            return image, str(modules)
    return None


def _with_parent():
    _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Lab:
    """Everything in it ends and goes with it."""

    def __init__(self):
        global _count
        _count += 1
        self.name = f"drover-{os.getpid()}-{_count}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="drover-lab-"))
        self.machines = {}
        self.processes = []
        self._taps = 0

    def __enter__(self):
        try:
            self._ip(f"netns add {self.name}")
            self._ip(f"-n {self.name} link set lo up")
            self._ip(f"-n {self.name} link add br0 type bridge stp_state 0 forward_delay 0")
            self._ip(f"-n {self.name} addr add {GATEWAY}/24 dev br0")
            self._ip(f"-n {self.name} addr add {GATEWAY6}/64 dev br0 nodad")
            self._ip(f"-n {self.name} link set br0 up")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, failure, *_):
        if failure is not None:  # the folder is gone when the test's report is made
            for title, text in self.tails():
                print(f"---- {title}\n{text}")
        self.close()

    @staticmethod
    def _ip(arguments):
        done = subprocess.run(["ip", *arguments.split()], capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"ip {arguments}: {done.stderr.strip()}")
        return done.stdout

    def close(self):
        for machine in self.machines.values():
            machine.stop()
        for process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *command, log=None, **options):
        """Starts a program in the lab's network; its output goes to the file `log` in the lab's folder."""
        name = log or pathlib.Path(str(command[0])).name + ".log"
        with open(self.folder / name, "ab") as output:
            process = subprocess.Popen(
                ["ip", "netns", "exec", self.name, *map(str, command)], stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT, preexec_fn=_with_parent, **options)
        self.processes.append(process)
        return process

    def command(self, *command, check=True, timeout=60, **options):
        """Runs a program in the lab's network to its end; a CompletedProcess with text."""
        done = subprocess.run(["ip", "netns", "exec", self.name, *map(str, command)],
                              capture_output=True, text=True, timeout=timeout, **options)
        if check and done.returncode != 0:
            raise AssertionError(f"{command}: {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def socket(self, family=sockets.AF_INET, kind=sockets.SOCK_STREAM):
        """A socket of this process that lives in the lab's network."""
        made = []

        def make():
            space = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
            try:
                if _libc.setns(space, CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
                made.append(sockets.socket(family, kind))
            finally:
                os.close(space)

        thread = threading.Thread(target=make)  # a thread of its own, since setns is for good
        thread.start()
        thread.join()
        return made[0]

    def listen(self, port, address=GATEWAY):
        server = self.socket()
        server.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
        server.bind((address, port))
        server.listen(64)
        return server

    def tap(self):
        """A new network card's other end on the bridge; its name."""
        self._taps += 1
        name = f"tap{self._taps}"
        self._ip(f"netns exec {self.name} ip tuntap add {name} mode tap")
        self._ip(f"-n {self.name} link set {name} master br0 up")
        return name

    def machine(self, name, **options):
        self.machines[name] = Machine(self, name, **options)
        return self.machines[name]

    def tails(self, lines=40):
        """(title, last lines) of every log, for a failed test."""
        for path in sorted(self.folder.glob("*.log")):
            yield path.name, "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


class Machine:
    """One virtual machine with one network card and no operating system.

    firmware: "bios" (SeaBIOS and the card's iPXE), "uefi-pxe", "uefi-http" (OVMF's own clients), or "kernel"
    (`kernel`, `initrd` and `append` at once). `card` is QEMU's model; other than virtio-net-pci needs drivers
    that the cloud kernel lacks. `memory` in MiB. `disk`: size in MiB of an empty disk; with `disk_first` the
    firmware boots it and no network. Firmware and order may be changed between two starts. `secure`: UEFI with
    Secure Boot on and the keys that machines are sold with.
    """

    def __init__(self, lab, name, firmware="bios", mac=None, memory=256, cpus=1, card="virtio-net-pci",
                 kernel=None, initrd=None, append="", disk=0, disk_first=False, secure=False, extra=()):
        self.lab = lab
        self.name = name
        self.firmware = firmware
        number = len(lab.machines) + 1
        self.mac = mac or f"52:54:00:77:00:{number:02x}"
        self.uuid = f"00000000-0000-4000-8000-{number:012x}"
        self.memory = memory
        self.cpus = cpus
        self.card = card
        self.kernel = kernel
        self.initrd = initrd
        self.append = append
        self.disk = disk
        self.disk_first = disk_first
        self.secure = secure
        self.extra = tuple(extra)
        self.console = lab.folder / f"{name}.console.log"
        self.process = None
        self._tap = lab.tap()

    def arguments(self):
        uefi = self.firmware.startswith("uefi")
        out = ["qemu-system-x86_64", "-accel", "tcg,thread=single" if self.cpus == 1 else "tcg",
               "-m", str(self.memory), "-smp", str(self.cpus), "-display", "none", "-no-user-config",
               "-nodefaults", "-serial", f"file:{self.console}", "-uuid", self.uuid,
               "-smbios", f"type=1,manufacturer=Drover,product=lab,serial=LAB-{self.name}",
               "-qmp", f"unix:{self.qmp},server=on,wait=off",
               "-netdev", f"tap,id=n0,ifname={self._tap},script=no,downscript=no",
               "-device", f"{self.card},netdev=n0,mac={self.mac}" + ("" if self.disk_first else ",bootindex=1")
               + (",romfile=" if uefi else ""),
               "-device", "virtio-rng-pci"]
        if uefi:
            variables = self.lab.folder / f"{self.name}.vars"
            keys = ".ms" if self.secure else ""
            if not variables.exists():
                shutil.copy(OVMF / f"OVMF_VARS_4M{keys}.fd", variables)
            if self.secure:  # the variables are out of the system's reach
                out += ["-global", "driver=cfi.pflash01,property=secure,value=on"]
            out += ["-M", "q35" + (",smm=on" if self.secure else ""),
                    "-drive", f"if=pflash,format=raw,readonly=on,file={OVMF / f'OVMF_CODE_4M{keys}.fd'}",
                    "-drive", f"if=pflash,format=raw,file={variables}"]
        if self.firmware == "uefi-http":
            for version in ("4", "6"):
                out += ["-fw_cfg", f"name=opt/org.tianocore/IPv{version}PXESupport,string=n"]
        if self.firmware == "kernel":
            out += ["-kernel", self.kernel, "-append", self.append]
            out += ["-initrd", self.initrd] if self.initrd else []
        if self.disk:
            with open(self.disk_file, "ab") as file:
                file.truncate(self.disk << 20)
            out += ["-drive", f"if=none,id=d0,format=raw,file={self.disk_file},cache=unsafe",
                    "-device", "virtio-blk-pci,drive=d0,serial=LAB-DISK" + (",bootindex=0" if self.disk_first else "")]
        return [*out, *self.extra]

    @property
    def disk_file(self):
        return self.lab.folder / f"{self.name}.disk"

    @property
    def qmp(self):
        return self.lab.folder / f"{self.name}.qmp"

    def start(self):
        """Power on."""
        self.process = self.lab.run(*self.arguments(), log=f"{self.name}.qemu.log")
        return self

    def running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """Power off at once, as by pulling the plug."""
        if self.running():
            self.process.kill()
        if self.process is not None:
            self.process.wait()

    def monitor(self, command, **arguments):
        """A command of QEMU's machine protocol: "system_reset", "system_powerdown", "query-status", .."""
        with contextlib.closing(sockets.socket(sockets.AF_UNIX)) as channel:
            channel.settimeout(30)
            channel.connect(str(self.qmp))
            lines = channel.makefile("rw")
            lines.readline()
            for one in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
                lines.write(json.dumps(one) + "\n")
                lines.flush()
                answer = json.loads(lines.readline())
                while "event" in answer:
                    answer = json.loads(lines.readline())
            return answer.get("return")

    def reset(self):
        """The reset button."""
        self.monitor("system_reset")

    def text(self):
        return self.console.read_text(errors="replace") if self.console.exists() else ""

    def wait_console(self, pattern, limit=PATIENCE):
        """The first match of `pattern` on the serial console."""
        return wait_for(f"{self.name}'s console shows /{pattern}/",
                        lambda: re.search(pattern, self.text()), limit, every=0.05)
