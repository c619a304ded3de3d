"""Machines with serial consoles for the tests: behind a socket, behind an emulated BMC's SOL, and behind SSH."""
import socket
import threading

try:
    import paramiko
except ImportError:
    paramiko = None


class Machine:
    """A getty on a serial line: it greets, echoes, and answers each line that is typed."""

    def __init__(self, greeting=b"hello of the machine\r\nlogin: "):
        self.greeting = greeting
        self.typed = b""
        self.lines = []  # sockets
        self.lock = threading.Lock()

    def attach(self, line):
        """Talks on one connected socket until it ends."""
        with self.lock:
            self.lines.append(line)
        try:
            line.sendall(self.greeting)
            while data := line.recv(4096):
                self.typed += data
                line.sendall(data.replace(b"\r", b"\r\nanswer\r\nlogin: "))
        except OSError:
            pass
        with self.lock:
            self.lines.remove(line)
        line.close()

    def say(self, data):
        with self.lock:
            for line in self.lines:
                line.sendall(data)

    def connections(self):
        with self.lock:
            return len(self.lines)

    def drop(self):
        with self.lock:
            for line in self.lines:
                line.shutdown(socket.SHUT_RDWR)


class Listening(Machine):
    """The same behind a Unix socket (a path) or TCP on loopback (None)."""

    def __init__(self, path=None, **more):
        super().__init__(**more)
        self.path = path
        self.server = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self.server.bind(str(path) if path else ("127.0.0.1", 0))
        self.server.listen()
        self.port = None if path else self.server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                line, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.attach, args=(line,), daemon=True).start()

    def stop(self):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.drop()


class SshBmc:
    """A BMC's SSH: a password, a shell that is no console, and `console com2`, which is."""

    def __init__(self, machine, user="root", password="calvin", key=None):
        self.machine, self.user, self.password = machine, user, password
        self.key = key or paramiko.RSAKey.generate(2048)
        self.commands, self.breaks, self.refused = [], 0, 0
        self.server = socket.socket()
        self.server.bind(("127.0.0.1", 0))
        self.server.listen()
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self._session, args=(connection,), daemon=True).start()

    def _session(self, connection):
        bmc = self

        class Policy(paramiko.ServerInterface):
            def get_allowed_auths(self, username):
                return "password"

            def check_auth_password(self, username, password):
                if (username, password) == (bmc.user, bmc.password):
                    return paramiko.AUTH_SUCCESSFUL
                bmc.refused += 1
                return paramiko.AUTH_FAILED

            def check_channel_request(self, kind, chanid):
                return paramiko.OPEN_SUCCEEDED

            def check_channel_pty_request(self, *_):
                return True

            def check_channel_shell_request(self, channel):
                bmc.commands.append("")
                return True

            def check_channel_exec_request(self, channel, command):
                bmc.commands.append(command.decode())
                return True

        transport = paramiko.Transport(connection)
        try:
            transport.add_server_key(self.key)
            transport.start_server(server=Policy())
            channel = transport.accept(20)
            if channel is not None:
                self.machine.attach(channel)
        except (paramiko.SSHException, EOFError, OSError):
            pass
        transport.close()

    def stop(self):
        if self.server.fileno() >= 0:
            self.server.shutdown(socket.SHUT_RDWR)
            self.server.close()
        self.machine.drop()
