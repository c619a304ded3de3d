"""Completion as a person meets it: bash, zsh and fish, each interactive on a terminal, with the script of
`drover completion` and the Tab key."""
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time

import cluster as c
import pytest

LONG = "gateway-with-a-long-name"

# Each reads `line` up to the cursor when asked with ^G, so that what Tab made of it is compared exactly.
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"],
             "bind 'set bell-style none'; bind 'set show-all-if-ambiguous on'; "
             "show() { printf '<<%s>>' \"$READLINE_LINE\"; }; bind -x '\"\\C-g\": show'; "
             "source <(drover completion bash)"),
    "zsh": (["zsh", "-f", "-i"],
            "unsetopt beep zle_bracketed_paste 2>/dev/null; unset zle_bracketed_paste; "
            "autoload -Uz compinit && compinit -u -D; "
            "show() { print -rn -- \"<<$BUFFER>>\" }; zle -N show; bindkey '^G' show; "
            "source <(drover completion zsh)"),
    "fish": (["fish", "--no-config", "--interactive"],
             "function show; printf '<<%s>>' (commandline); end; bind \\cg show; "
             "drover completion fish | source"),
}


class Terminal:
    """An interactive shell on a terminal of its own."""

    def __init__(self, shell, environment, folder):
        command, setup = SHELLS[shell]
        self.seen = ""
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, environment)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        # The word is put together by the shell: its echo of this line must not look like the answer.
        self.type(f"{setup}; echo rea''dy\r")
        self.wait_for("ready")

    def type(self, keys):
        os.write(self.master, keys.encode())

    def read(self, limit):
        ready, _, _ = select.select([self.master], [], [], limit)
        if not ready:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:  # the shell has ended
            return False
        self.seen += re.sub(r"\x1b(\[[0-9;?>]*[a-zA-Z]|\][^\x07]*\x07|[()][A-Z0-9]|[=>])", "", data.decode())
        return True

    def wait_for(self, pattern, limit=30):
        end = time.monotonic() + limit
        while not (found := re.search(pattern, self.seen, re.DOTALL)):
            assert self.read(max(0, end - time.monotonic())), f"no /{pattern}/ in {self.seen!r}"
        self.seen = self.seen[found.end():]
        return found

    def line_after_tab(self, typed):
        """The command line that Tab makes of `typed`; it is thrown away then."""
        self.type("\x15" + typed + "\t\x07")
        line = self.wait_for("<<(.*?)>>").group(1)
        self.type("\x15")
        return line

    def listed_after_tab(self, typed, last):
        """What the terminal shows after Tab up to the candidate `last`."""
        self.seen = ""
        self.type("\x15" + typed + "\t\t")
        text = self.wait_for(f".*?{re.escape(last)}").group(0)
        self.type("\x15\x15")
        return text

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.master)


@pytest.fixture(scope="module")
def one():
    with c.Cluster("shells") as cluster:
        for name in ("n1", "n2", LONG):
            cluster.cli("node", "add", name, "description=here", check=0)
        cluster.cli("group", "add", "storage", "nodes=n[1-2]", check=0)
        yield cluster


@pytest.fixture(scope="module", params=SHELLS)
def terminal(request, one, tmp_path_factory):
    if not shutil.which(request.param):
        pytest.skip(f"no {request.param} here")
    folder = tmp_path_factory.mktemp("shell")
    (folder / "cluster-of-mine.yaml").write_text("kind: drover-cluster\n")
    environment = {**one.environment, "PATH": f"{c.BIN}:/usr/bin:/bin", "TERM": "xterm", "HOME": str(folder),
                   "PS1": "$ ", "DROVER_SOCKET": str(one.master.socket)}
    terminal = Terminal(request.param, environment, folder)
    yield terminal
    terminal.close()


@pytest.mark.parametrize("typed, completed", [
    ("drover hea", "drover health "),
    ("drover node attr", "drover node attributes "),
    ("drover node list --no-h", "drover node list --no-header "),
    ("drover node list -o ya", "drover node list -o yaml "),
    ("drover node list --output=ya", "drover node list --output=yaml "),
    ("drover node show gate", f"drover node show {LONG} "),
    ("drover node show n1,gate", f"drover node show n1,{LONG} "),
    ("drover node show 'n[1-2],gate", f"drover node show 'n[1-2],{LONG}' "),
    ("drover node show \"n[1-2],gate", f"drover node show \"n[1-2],{LONG}\" "),
    ("drover node show @stor", "drover node show @storage "),
    ("drover node show compute@gate", f"drover node show compute@{LONG} "),
    ("drover --timeout 5s node show gate", f"drover --timeout 5s node show {LONG} "),
    ("drover group show stor", "drover group show storage "),
    ("drover node set n1 serv", "drover node set n1 service="),
    ("drover node set n1 service=main", "drover node set n1 service=maintenance "),
    ("drover apply -f cluster-of", "drover apply -f cluster-of-mine.yaml "),
    ("drover import hosts cluster-of", "drover import hosts cluster-of-mine.yaml "),
    ("drover node show no-such-node", "drover node show no-such-node"),
])
def test_tab_completes(terminal, typed, completed):
    assert terminal.line_after_tab(typed) == completed


def test_tab_lists_what_there_is(terminal):
    listed = terminal.listed_after_tab("drover node show n", "n2")
    assert "n1" in listed


def test_a_dead_master_costs_a_moment_and_says_nothing(one, terminal):
    one.master.pause()
    try:
        began = time.monotonic()
        assert terminal.line_after_tab("drover node show gate") == "drover node show gate"
        assert time.monotonic() - began < 5
    finally:
        one.master.resume()
