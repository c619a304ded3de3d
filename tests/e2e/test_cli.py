"""The command line as people use it: on a terminal, with the Tab key, on a cluster of 10,000 nodes."""
import fcntl
import json
import os
import pty
import re
import resource
import select
import shutil
import signal
import struct
import subprocess
import termios
import time

import cluster as c
import pytest


@pytest.fixture(scope="module")
def one():
    with c.Cluster("cli") as cluster:
        yield cluster.form(2, aggregators=(("agg1", "127.0.0.1"),))


class Screen:
    """As much of a terminal as `drover` asks for: text at places, wiped lines, reverse, two screens."""

    TOKEN = re.compile(r"\x1b\[(\??)([0-9;]*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)|\x1b")

    def __init__(self, width, height):
        self.width, self.height, self.own, self.cursor = width, height, False, True
        self.wipe()

    def wipe(self):
        self.rows, self.row, self.column = [""] * self.height, 0, 0

    def feed(self, text):
        for private, numbers, final, line_end, plain in self.TOKEN.findall(text):
            if plain:
                line = self.rows[self.row].ljust(self.column)
                self.rows[self.row] = line[:self.column] + plain + line[self.column + len(plain):]
                self.column += len(plain)
            elif line_end == "\n":
                self.row, self.column = min(self.row + 1, self.height - 1), 0
            elif final == "H":
                row, column = ([int(n) for n in numbers.split(";")] + [1])[:2] if numbers else (1, 1)
                self.row, self.column = min(row, self.height) - 1, column - 1
            elif final == "K":
                self.rows[self.row] = self.rows[self.row][:self.column]
            elif final == "J":
                if numbers == "2":
                    row, column = self.row, self.column
                    self.wipe()
                    self.row, self.column = row, column
                else:
                    self.rows[self.row] = self.rows[self.row][:self.column]
                    self.rows[self.row + 1:] = [""] * (self.height - self.row - 1)
            elif private and numbers == "1049":
                self.own = final == "h"
            elif private and numbers == "25":
                self.cursor = final == "h"

    def text(self):
        return "\n".join(self.rows)


class Terminal:
    """`drover` on a pseudo-terminal of a given size."""

    def __init__(self, cluster, *arguments, width=80, height=24):
        self.master, self.slave = pty.openpty()
        self.screen = Screen(width, height)
        self.before = termios.tcgetattr(self.slave)
        self.resize(width, height, tell=False)
        env = {**cluster.environment, "DROVER_SOCKET": str(cluster.master.socket), "TERM": "xterm"}

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen([str(c.BIN / "drover"), *arguments], stdin=self.slave, stdout=self.slave,
                                        stderr=self.slave, env=env, preexec_fn=own_terminal, cwd="/")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def resize(self, width, height, tell=True):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        if tell:
            self.screen = Screen(width, height)

    def type(self, keys):
        os.write(self.master, keys.encode())

    def read(self, seconds=0.05):
        if select.select([self.master], [], [], seconds)[0]:
            try:
                self.screen.feed(os.read(self.master, 1 << 16).decode(errors="replace"))
            except OSError:
                pass

    def wait_for(self, what, pattern, limit=20.0):
        end = time.monotonic() + limit
        while not re.search(pattern, self.screen.text(), re.MULTILINE):
            assert time.monotonic() < end, f"{what}: /{pattern}/ is not on the screen:\n{self.screen.text()}"
            self.read()

    def leave(self, limit=10.0):
        end = time.monotonic() + limit
        while self.process.poll() is None:
            assert time.monotonic() < end, "it did not leave"
            self.read()
        self.read()
        return self.process.returncode


def test_top_is_steered_by_keys_alone(one):
    with Terminal(one, "top") as top:
        top.wait_for("both nodes", r"^n1 .*up(.|\n)*^n2 .*up")
        assert top.screen.own and not top.screen.cursor
        assert "cluster cli" in top.screen.rows[0] and len(top.screen.rows[0]) <= 80
        assert top.screen.rows[23].startswith("enter details")
        top.type("/n2\r")
        top.wait_for("the filter", r"^nodes 1 ")
        assert not re.search(r"^n1 ", top.screen.text(), re.MULTILINE)
        top.type("\x1b")
        top.wait_for("no filter", r"^nodes 2 ")
        top.type("\x1b[B\r")
        top.wait_for("details of n2", r"^name +n2$")
        top.type("\x1b")
        top.wait_for("the list again", r"^NODE ")
        top.type("d")
        top.wait_for("daemons", r"^agg1 +aggregator +up")
        top.type("?")
        top.wait_for("help", r"^enter +everything about the chosen node")
        top.type("?")
        one.cli("node", "set", "n1", "service=maintenance", "--why", "new DIMM", check=0)
        top.wait_for("the change", r"node/n1 service\.state: .*maintenance")
        top.wait_for("the new state", r"^n1 .*maintenance")
        top.resize(100, 30)
        top.process.send_signal(signal.SIGWINCH)
        top.wait_for("a larger screen", r"^enter details.*\Z")
        assert top.screen.rows[29].startswith("enter details")
        top.type("q")
        assert top.leave() == 0
        assert not top.screen.own and top.screen.cursor
        assert termios.tcgetattr(top.slave) == top.before, "the terminal is as it was"


def test_top_leaves_the_terminal_as_it_was_when_interrupted(one):
    with Terminal(one, "top") as top:
        top.wait_for("a screen", r"^NODE ")
        top.type("\x03")
        assert top.leave() == 0
        assert termios.tcgetattr(top.slave) == top.before
    refused = one.cli("top")
    assert refused.returncode == 2 and "terminal" in refused.stderr


def test_watch_draws_a_list_anew(one):
    with Terminal(one, "node", "list", "--watch", "-o", "wide") as watch:
        watch.wait_for("the list", r"^n2 +compute +up")
        one.cli("node", "set", "n2", "service=admin_reserved", "--why", "mine", check=0)
        watch.wait_for("the change", r"^n2 .*admin_reserved")
        assert "Ctrl-C leaves" in watch.screen.rows[0]


def test_watch_writes_json_lines_into_a_pipe(one):
    env = {**one.environment, "DROVER_SOCKET": str(one.master.socket)}
    process = subprocess.Popen([str(c.BIN / "drover"), "node", "list", "n1", "--watch"], stdout=subprocess.PIPE,
                               env=env, text=True)
    try:
        first = json.loads(process.stdout.readline())
        assert (first["event"], first["item"]["name"]) == ("added", "n1")
        one.cli("node", "set", "n1", "flag=warning", "--why", "odd noise", check=0)
        while True:
            line = json.loads(process.stdout.readline())
            assert line["event"] == "changed"
            if line["item"]["flag"] == "warning":
                break
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(not shutil.which("groff"), reason="no groff here")
def test_manual_pages_are_clean(one, tmp_path):
    one.cli("man", "--dir", tmp_path, check=0)
    pages = sorted(tmp_path.iterdir())
    assert tmp_path / "drover.1" in pages and tmp_path / "drover-node.1" in pages
    for page in pages:
        done = subprocess.run(["groff", "-man", "-ww", "-Tutf8", str(page)], capture_output=True, text=True)
        assert done.returncode == 0 and done.stderr == "", (page, done.stderr)
        assert "drover" in done.stdout
    for daemon in ("master", "aggregator", "utility", "compute"):
        page = subprocess.run([c.BIN / f"drover-{daemon}", "--man"], capture_output=True, text=True, check=True).stdout
        done = subprocess.run(["groff", "-man", "-ww", "-Tutf8"], input=page, capture_output=True, text=True)
        assert done.stderr == "" and f"drover-{daemon}" in done.stdout, done.stderr
        shown = re.sub(".\b", "", done.stdout)  # bold is a letter struck twice
        assert "--state=PATH" in shown.replace("\u2010", "-").replace("\u2212", "-")
