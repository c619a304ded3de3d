"""A private cluster of real processes on loopback: starts, watches, harms and ends its own daemons.

Needs nothing but the built programs (folder in DROVER_BIN). Every wait is for a condition; a wait that
fails says what was last seen, and conftest.py adds the tails of all logs.
"""
import contextlib
import ctypes
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

BIN = pathlib.Path(os.environ.get("DROVER_BIN", "build/dev/bin")).resolve()
# Quick enough that the whole suite takes minutes, slow enough for a loaded machine.
QUICK = ("--tree-heartbeat", "200ms", "--tree-silence", "2s")
QUICK_HOLD = ("--tree-hold", "2s")  # goes with it to the master, whose option alone it is
SILENCE = 2.0  # of QUICK, in seconds
PATIENCE = 120.0  # limit of every wait: a condition that comes at all comes far sooner

live_clusters = []  # whose logs a failure shows


class Timeout(AssertionError):
    """A condition did not come true in time."""


def wait_for(what, condition, limit=PATIENCE, every=0.02):
    """Waits until `condition()` is truthy and returns its value.

    Exceptions of an unreachable or refusing daemon count as "not yet"; the last one is told on failure.
    """
    end = time.monotonic() + limit
    while True:
        try:
            value = condition()
            last = repr(value)
            if value:
                return value
        except (OSError, http.client.HTTPException, Problem, KeyError, StopIteration) as error:
            last = repr(error)
        if time.monotonic() >= end:
            raise Timeout(f"{what}: not within {limit:.1f} s; last: {last[:2000]}")
        time.sleep(every)


def free_port():
    """A TCP port that nobody uses, on IPv4 and IPv6, outside the range of outgoing connections."""
    while True:
        port = random.SystemRandom().randrange(20000, 32000)
        with contextlib.ExitStack() as stack:
            try:
                for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
                    probe = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    if family == socket.AF_INET6:
                        probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                    probe.bind((host, port))
            except OSError:
                continue
        return port


class Problem(Exception):
    """An answer of status 400 and above."""

    def __init__(self, answer):
        super().__init__(f"{answer.status}: {answer.body[:1000]!r}")
        self.answer = answer
        self.status = answer.status


class Answer:
    """One HTTP answer."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path, timeout):
        super().__init__("drover", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Api:
    """The HTTP API at one daemon's socket."""

    def __init__(self, path):
        self.path = str(path)

    def ask(self, method, target, body=None, headers=None, timeout=30.0, base="/api/v1"):
        """Sends one request and returns the answer, whatever its status."""
        connection = UnixConnection(self.path, timeout)
        with contextlib.closing(connection):
            headers = dict(headers or {})
            if body is not None:
                kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
                headers.setdefault("Content-Type", kind)
                body = json.dumps(body)
            connection.request(method, base + target, body=body, headers=headers)
            return Answer(connection.getresponse())

    def json(self, method, target, body=None, headers=None, timeout=30.0):
        """The answer's JSON; raises Problem when it is refused."""
        answer = self.ask(method, target, body, headers, timeout)
        if answer.status >= 400:
            raise Problem(answer)
        return answer.json

    def get(self, target, timeout=30.0):
        return self.json("GET", target, timeout=timeout)

    def nodes(self):
        return {node["name"]: node for node in self.get("/nodes")["items"]}

    def changes(self, query=""):
        """All changes, oldest first, page by page."""
        out, page = [], None
        while True:
            target = "/changes?limit=1000" + query + (f"&page={page}" if page else "")
            answer = self.get(target)
            out += answer["items"]
            page = answer.get("next_page")
            if not page:
                return out

    def call(self, nodes, method="ping", timeout_ms=20000, payload=""):
        body = {"method": method, "nodes": nodes, "payload": payload, "timeout_ms": timeout_ms}
        return self.json("POST", "/calls", body, timeout=timeout_ms / 1000 + 30)


class Watch:
    """An open /watch; iterates (event, id, data), ends with the connection."""

    def __init__(self, path, query="", timeout=PATIENCE):
        self.connection = UnixConnection(str(path), timeout)
        self.connection.request("GET", "/api/v1/watch" + query, headers={"Accept": "text/event-stream"})
        self.response = self.connection.getresponse()
        if self.response.status >= 400:
            raise Problem(Answer(self.response))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def __iter__(self):
        event = {}
        while True:
            try:
                line = self.response.readline()
            except (http.client.HTTPException, ConnectionError):
                return
            if not line:
                return
            line = line.decode().rstrip("\n")
            if not line:
                if event:
                    yield event.get("event"), int(event.get("id", 0)), json.loads(event.get("data", "null") or "null")
                event = {}
            elif not line.startswith(":"):
                key, _, value = line.partition(": ")
                event[key] = value

    def changes(self):
        for event, sequence, data in self:
            if event == "change":
                yield sequence, data


def _die_with_parent():
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: a killed pytest leaves none


class Daemon:
    """One daemon's process, files and API."""

    def __init__(self, cluster, role, name, flags=()):
        self.cluster, self.role, self.name, self.flags = cluster, role, name, list(flags)
        self.state = cluster.run / name
        self.socket = cluster.run / f"{name}.sock"
        self.log_path = cluster.run / f"{name}.log"
        self.api = Api(self.socket)
        self.process = None
        self.paused = False

    def start(self, *extra):
        """Starts the process; does not wait for anything."""
        assert not self.running(), f"{self.name} runs already"
        self.state.mkdir(exist_ok=True)
        command = [BIN / f"drover-{self.role}", "--state", self.state, "--socket", self.socket]
        config = self.state / f"{self.role}.toml"
        if self.role != "master":
            command += ["--config", config]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [str(part) for part in [*command, *self.flags, *extra]], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env=self.cluster.environment, preexec_fn=_die_with_parent)
        return self

    def running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()
        self.paused = False

    def stop(self, limit=20.0):
        """SIGTERM; returns the exit status."""
        self.process.terminate()
        return self.process.wait(limit)

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)
        self.paused = True

    def resume(self):
        self.process.send_signal(signal.SIGCONT)
        self.paused = False

    def log(self, offset=0):
        data = self.log_path.read_bytes()[offset:] if self.log_path.exists() else b""
        return data.decode(errors="replace")

    def log_size(self):
        return self.log_path.stat().st_size if self.log_path.exists() else 0

    def wait_log(self, pattern, offset=0, limit=PATIENCE):
        """Waits for a line that matches; returns it."""
        def found():
            match = re.search(f"^.*(?:{pattern}).*$", self.log(offset), re.MULTILINE)
            return match and match.group(0)
        return wait_for(f"{self.name} logs /{pattern}/", found, limit)

    def local(self):
        return self.api.get("/local")

    def local_links(self):
        return {link["role"]: link for link in self.local()["links"]}


class Cluster:
    """Use as a context manager. Daemons are attributes of the cluster by their names."""

    def __init__(self, name="e2e", timing=QUICK, master_flags=()):
        self.run = pathlib.Path(tempfile.mkdtemp(prefix="drover-e2e-", dir="/tmp"))
        self.run.chmod(0o711)  # another user must get to the sockets, as in /run/drover
        self.id_name = name
        self.timing = timing
        self.http_port, self.tree_port = free_port(), free_port()
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.run), "LANG": "C.UTF-8"}
        self.daemons = {}
        flags = ["--name", "master", "--cluster", name,
                 "--http-listen", f"127.0.0.1:{self.http_port},[::1]:{self.http_port}",
                 "--tree-listen", f"127.0.0.1:{self.tree_port},[::1]:{self.tree_port}"]
        self.master = self._add("master", "master", [*flags, *timing, *(QUICK_HOLD if timing else ()), *master_flags])
        live_clusters.append(self)

    def __enter__(self):
        try:
            self.start_master()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, failure, *_):
        if failure is not None and self in live_clusters:  # a fixture's cluster is shown by conftest.py
            for title, text in self.tails():
                print(f"--- log of {title}\n{text}")
        self.close()

    def __getitem__(self, name):
        return self.daemons[name]

    def _add(self, role, name, flags):
        self.daemons[name] = Daemon(self, role, name, flags)
        return self.daemons[name]

    @property
    def api(self):
        return self.master.api

    @property
    def server(self):
        return f"https://127.0.0.1:{self.http_port}"

    @property
    def ca_pem(self):
        return self.master.state / "ca" / "ca.pem"

    def start_master(self, *extra):
        self.master.start(*extra)
        wait_for("the master answers", lambda: self.api.get("/version"))

    def close(self):
        """Ends exactly the processes that were started here, and removes their files."""
        for daemon in self.daemons.values():
            if daemon.running():
                daemon.process.kill()
        for daemon in self.daemons.values():
            if daemon.process is not None:
                daemon.process.wait()
        if not os.environ.get("DROVER_E2E_KEEP"):
            shutil.rmtree(self.run, ignore_errors=True)
        if self in live_clusters:
            live_clusters.remove(self)

    def tails(self, lines=25):
        for name, daemon in self.daemons.items():
            state = "running" if daemon.running() else f"ended: {daemon.process and daemon.process.returncode}"
            yield f"{self.id_name}/{name} ({state})", "\n".join(daemon.log().splitlines()[-lines:])

    # --- the command line ---

    def cli(self, *arguments, socket_of=None, check=None, user=None, timeout=90, text=None, environment=None):
        """Runs `drover`; `check` is the exit code to insist on."""
        env = {**self.environment, "DROVER_SOCKET": str((socket_of or self.master).socket),
               **(environment or {})}
        done = subprocess.run([str(BIN / "drover"), *map(str, arguments)], env=env, input=text, text=True,
                              capture_output=True, timeout=timeout, user=user, group=user,
                              extra_groups=[] if user is not None else None, cwd="/")
        if check is not None:
            assert done.returncode == check, (arguments, done.returncode, done.stdout, done.stderr)
        return done

    def cli_json(self, *arguments, **options):
        return json.loads(self.cli(*arguments, "-o", "json", check=options.pop("check", 0), **options).stdout)

    # --- members ---

    def token(self, role, names=None, *flags):
        names = ["--names", names] if names else []
        return self.cli("token", "create", "--role", role, *names, *flags, "-o", "name", check=0).stdout.strip()

    def join(self, role, name, token=None, folder=None, check=0):
        """`drover join` into the daemon's folder."""
        folder = folder or self.run / name
        return self.cli("join", "--server", self.server, "--token", token or self.token(role, name),
                        "--role", role, "--name", name, "--dir", folder, check=check)

    def add(self, role, name, *flags, start=True):
        """Joins a daemon and starts it."""
        self.join(role, name)
        daemon = self._add(role, name, [*self.timing, *flags])
        return daemon.start() if start else daemon

    def add_aggregator(self, name, host="127.0.0.1", *flags):
        """`host` as in an endpoint: 127.0.0.1 or [::1]."""
        port = free_port()
        daemon = self.add("aggregator", name, "--listen", f"{host}:{port}", *flags)
        daemon.host, daemon.port = host.strip("[]"), port
        return daemon

    def form(self, computes, aggregators=(("agg1", "127.0.0.1"), ("agg2", "[::1]")), utilities=()):
        """Aggregators, utilities and computes n1..; waits until all is up and every compute has two links."""
        for name, host in aggregators:
            self.add_aggregator(name, host)
        def all_linked():
            self.check_running(name for name, _ in aggregators)
            return self.up("aggregator") == {name for name, _ in aggregators}
        wait_for("the aggregators are linked", all_linked)
        names = [f"n{i}" for i in range(1, computes + 1)]
        for name in utilities:
            self.add("utility", name)
        for name in names:
            self.add("compute", name)
        self.wait_up(*names, *utilities)
        if len(aggregators) > 1:
            self.wait_redundant(*names)
        return self

    def up(self, role):
        """Names of the daemons of a role that health calls up."""
        return {d["name"] for d in self.api.get("/health")["daemons"] if d["role"] == role and d["state"] == "up"}

    def phase(self, name, api=None):
        phase = (api or self.api).get(f"/nodes/{name}")["phase"]
        return phase["state"] if phase["confirmed"] else phase["state"] + "?"

    def check_running(self, names):
        """A daemon that has ended will not come up: says so at once."""
        for name in names:
            process = self.daemons[name].process if name in self.daemons else None
            if process is not None and process.poll() is not None:
                raise AssertionError(f"{name} has ended with status {process.returncode}")

    def wait_phase(self, name, state, limit=PATIENCE):
        return wait_for(f"{name} is {state}", lambda: self.phase(name) == state, limit)

    def wait_up(self, *names, limit=PATIENCE):
        def all_up():
            nodes = self.api.nodes()
            down = {n: nodes.get(n, {}).get("phase") for n in names
                    if n not in nodes or nodes[n]["phase"]["state"] != "up" or not nodes[n]["phase"]["confirmed"]}
            if down:
                self.check_running(down)
                raise KeyError(down)
            return True
        wait_for(f"{', '.join(names)} up", all_up, limit)

    def wait_redundant(self, *names, limit=PATIENCE):
        """Until each compute is linked to two aggregators and the master knows both."""
        def all_two():
            nodes = self.api.nodes()
            missing = {n: nodes[n]["agent"] for n in names
                       if not (nodes[n]["agent"]["primary"] and nodes[n]["agent"]["secondary"])}
            if missing:
                raise KeyError(missing)
            return True
        wait_for(f"two paths to {', '.join(names)}", all_two, limit)

    def primary(self, name):
        return self.api.get(f"/nodes/{name}")["agent"]["primary"]
