"""Plays drover-boot's part towards booted machines: /boot/v1/* over TLS, blobs over plain HTTP.

For tests of what runs on the machines alone. Remembers all it was told; its answers can be replaced.
"""
import http.server
import json
import pathlib
import ssl
import subprocess
import threading
import time

TOKEN = "abcdefghijklmnopqrstuvwxyz234567"


def openssl(*arguments, **options):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, **options).stdout


class Authority:
    """A cluster's CA in a folder, with the certificate of a boot daemon."""

    def __init__(self, folder, cluster="lab-1"):
        self.folder = pathlib.Path(folder)
        self.cluster = cluster
        self.ca = self.folder / "ca.pem"
        self._ca_key = self.folder / "ca.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                "-keyout", self._ca_key, "-out", self.ca, "-subj", "/CN=lab CA",
                "-addext", "basicConstraints=critical,CA:true", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        self.sha256 = openssl("x509", "-in", self.ca, "-noout", "-fingerprint", "-sha256").decode() \
            .strip().split("=")[1].replace(":", "").lower()
        request = openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                          "-keyout", self.folder / "boot.key", "-subj", "/CN=boot")
        (self.folder / "boot.pem").write_bytes(self.sign(request, "boot", "boot1") + self.ca.read_bytes())

    def sign(self, request, role, name):
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName=critical,URI:drover://{self.cluster}/{role}/{name}\n"
                              "basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\n"
                              "extendedKeyUsage=serverAuth,clientAuth\n")
        return openssl("x509", "-req", "-CA", self.ca, "-CAkey", self._ca_key, "-days", "7",
                       "-extfile", extensions, input=request)


class BootServer:
    def __init__(self, lab, name="n1", aggregators=("10.77.0.1:9800",), tls_port=8443, http_port=8080):
        self.lab = lab
        self.name = name
        self.authority = Authority(lab.folder)
        self.stages = []  # (seconds since the start, what was told)
        self.lines = []
        self.log_posts = 0
        self.enrolments = 0
        self.blobs = {}
        self.ranges = []
        self.cut_after = None  # bytes after which the next blob's connection breaks
        self.aggregators = list(aggregators)
        self.answers = {}  # what ("stage", "log", "enrol") -> (status, body) in place of the usual
        self.began = time.monotonic()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(lab.folder / "boot.pem", lab.folder / "boot.key")
        self._serve(tls_port, context)
        self._serve(http_port, None)

    def _serve(self, port, context):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                if context is not None:
                    self.request = context.wrap_socket(self.request, server_side=True)
                super().setup()

            def log_message(self, *_):
                pass

            def answer(self, status, body=b"", **headers):
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, text = outer.post(self.path, self.headers.get("Authorization"), body)
                self.answer(status, text.encode())

            def do_GET(self):
                outer.blob(self)

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        server = Server(("", port), Handler, bind_and_activate=False)
        server.socket.close()
        server.socket = self.lab.listen(port)
        server.server_address = server.socket.getsockname()
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def post(self, path, authorization, body):
        what = path.rsplit("/", 1)[1]
        if authorization != f"Boot {TOKEN}":
            return 403, json.dumps({"detail": "no such boot token"})
        if what in self.answers:
            answer = self.answers[what]
            return answer() if callable(answer) else answer
        if what == "stage":
            self.stages.append((time.monotonic() - self.began, json.loads(body)))
            return 204, ""
        if what == "log":
            self.log_posts += 1
            self.lines += body.decode(errors="replace").splitlines()
            return 204, ""
        self.enrolments += 1
        certificate = self.authority.sign(json.loads(body)["csr_pem"].encode(), "compute", self.name)
        return 200, json.dumps({"certificate_pem": certificate.decode(),
                                "ca_pem": self.authority.ca.read_text(), "cluster": self.authority.cluster,
                                "name": self.name, "role": "compute", "aggregators": self.aggregators})

    def blob(self, handler):
        path, _, query = handler.path.partition("?")
        data = self.blobs.get(path.rsplit("/", 1)[1])
        if data is None:
            return handler.answer(404)
        if query != f"t={TOKEN}":
            return handler.answer(403)
        asked = handler.headers.get("Range")
        self.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        cut, self.cut_after = self.cut_after, None
        if cut is not None:
            handler.send_response(206 if asked else 200)
            handler.send_header("Content-Length", str(len(data) - start))
            handler.end_headers()
            handler.wfile.write(data[start:start + cut])
            handler.close_connection = True
            return None
        return handler.answer(206 if asked else 200, data[start:])

    def stage_names(self):
        return [told["stage"] for _, told in self.stages]

    def command_line(self, mac, mode="lean", more=""):
        return (f"drover.node={self.name} drover.mode={mode} drover.boot=10.77.0.1:8443 "
                f"drover.http=http://10.77.0.1:8080 drover.ca={self.authority.sha256} drover.token={TOKEN} "
                f"drover.mac={mac} drover.ip=10.77.0.11/24 drover.gw=10.77.0.1 drover.ns=10.77.0.1 "
                f"drover.log=10.77.0.1:6666 {more}")
