"""Bearer tokens, grants, a foreign issuer, people's certificates and revocation, on real processes over HTTPS."""
import base64
import contextlib
import http.client
import http.server
import json
import ssl
import subprocess
import threading
import time

import pytest

import cluster as c


@pytest.fixture(scope="module")
def cluster():
    with c.Cluster("auth") as made:
        yield made.form(3)


def https(cluster, method, target, token=None, body=None, cert=None):
    """One request at the master's HTTPS port; the answer whatever its status."""
    context = ssl.create_default_context(cafile=cluster.ca_pem)
    if cert:
        context.load_cert_chain(*cert)
    connection = http.client.HTTPSConnection("127.0.0.1", cluster.http_port, context=context, timeout=30)
    with contextlib.closing(connection):
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        connection.request(method, "/api/v1" + target, json.dumps(body) if body is not None else None, headers)
        return c.Answer(connection.getresponse())


def create(cluster, name, *options):
    return cluster.cli("credential", "create", *options, name, "-o", "name", check=0).stdout.strip()


def lock(cluster, node, token, locked=True):
    return https(cluster, "PATCH", f"/nodes/{node}", token, {"locked": locked, "why": "test"})


def audit(cluster, query=""):
    return cluster.api.get("/audit" + query)["items"]


def test_a_token_is_its_role_within_its_nodes_until_it_is_revoked(cluster):
    token = create(cluster, "ci", "--role", "operator", "--nodes", "n[1-2]", "--ttl", "1h")
    assert token.count(".") == 2
    assert lock(cluster, "n1", token).status == 200
    outside = lock(cluster, "n3", token)
    assert outside.status == 403
    assert "n3" in outside.json["detail"] and "n[1-2]" in outside.json["detail"]
    calls = https(cluster, "POST", "/calls", token, {"method": "ping", "nodes": "n[1-3]"})
    assert calls.status == 403
    who = https(cluster, "GET", "/whoami", token).json
    assert (who["principal"], who["role"], who["limits"]) == ("credential:ci", "operator", ["n[1-2]"])
    # It outlives the master's process, and not its revocation.
    cluster.master.stop()
    cluster.start_master()
    assert lock(cluster, "n2", token).status == 200
    cluster.cli("credential", "revoke", "ci", "--why", "test is over", check=0)
    refused = lock(cluster, "n1", token)
    assert refused.status == 401
    assert "test is over" in refused.json["detail"]
    assert cluster.cli("credential", "list", "--filter", "name=ci", check=0).stdout.count("revoked") == 1


def test_the_command_line_takes_a_token_where_ps_does_not_show_it(cluster):
    token = create(cluster, "carol", "--role", "viewer")
    path = cluster.run / "token"
    path.write_text(token + "\n")
    remote = ("--server", cluster.server, "--ca", cluster.ca_pem)
    for extra, environment, text in (
            (("--token-file", path), {}, None),
            (("--token-file", "-"), {}, token),
            ((), {"DROVER_TOKEN": token}, None),
            ((), {"DROVER_TOKEN_FILE": str(path)}, None)):
        done = cluster.cli("whoami", *remote, *extra, "-o", "name", environment=environment, text=text, check=0)
        assert done.stdout == "credential:carol\n"
    denied = cluster.cli("token", "create", *remote, "--token-file", path)
    assert denied.returncode == 4 and "needs role admin" in denied.stderr
    anonymous = cluster.cli("node", "list", *remote)
    assert anonymous.returncode == 4 and "--token-file" in anonymous.stderr
    assert cluster.cli("whoami", "--token-file", path).returncode == 2  # a socket knows who asks
    assert cluster.cli("whoami", "-o", "name", check=0).stdout.startswith("user:")


def test_refused_requests_of_every_kind_are_in_the_audit(cluster):
    limited = create(cluster, "limited", "--role", "operator", "--nodes", "n1")
    viewer = create(cluster, "viewer", "--role", "viewer")
    short = create(cluster, "short", "--role", "admin", "--ttl", "1s")
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1))
    c.wait_for("the short token has ended", lambda: https(cluster, "GET", "/whoami", short).status == 401)
    forged = limited[:-6] + ("AAAAAA" if not limited.endswith("AAAAAA") else "BBBBBB")
    body = {"locked": True}
    cases = [  # token, target, body, status, principal, in why
        (None, "/nodes/n1", body, 401, "anonymous", "no token"),
        ("nonsense", "/nodes/n1", body, 401, "anonymous", "three parts"),
        (forged, "/nodes/n1", body, 401, "anonymous", "signature"),
        (short, "/nodes/n1", body, 401, "anonymous", "expired"),
        (viewer, "/nodes/n1", body, 403, "credential:viewer", "needs role user"),
        (limited, "/nodes/n2", body, 403, "credential:limited", "may not change n2"),
        (limited, "/nodes/n1", {"locked": "maybe"}, 400, "credential:limited", "locked"),
        (limited, "/nodes/n1", {"nonsense": 1}, 400, "credential:limited", "nonsense"),
    ]
    for token, target, sent, status, _, _ in cases:
        assert https(cluster, "PATCH", target, token, sent).status == status
    records = audit(cluster, f"?since={since}&method=PATCH")[:len(cases)][::-1]
    for (_, target, _, status, principal, why), record in zip(cases, records, strict=True):
        assert (record["target"], record["status"], record["principal"]) == ("/api/v1" + target, status, principal)
        assert why in record["why"], record
        assert record["outcome"] == ("failed" if status == 400 else "refused")
        assert record["address"].startswith("127.0.0.1:")
    shown = cluster.cli("audit", "--outcome", "refused", "--principal", "credential:*", "--since", "1h", check=0).stdout
    assert "credential:limited" in shown and "may not change n2" in shown
    assert cluster.cli("audit", "--since", "yesterday").returncode == 2
    assert https(cluster, "GET", "/audit", viewer).status == 403
    # No secret is in any file of the master's that people read.
    for path in [cluster.master.log_path, *(cluster.master.state / "audit").iterdir()]:
        text = path.read_text(errors="replace")
        for token in (limited, viewer, short):
            assert token.rsplit(".", 1)[1] not in text, path


def test_grants_hold_at_once(cluster):
    token = create(cluster, "bob", "--role", "viewer")
    assert lock(cluster, "n1", token).status == 403
    cluster.cli("grant", "add", "credential:bob", "operator", "--nodes", "n1", "--why", "looks after n1", check=0)
    assert lock(cluster, "n1", token).status == 200
    assert lock(cluster, "n2", token).status == 403
    listed = cluster.cli("grant", "list", check=0).stdout
    assert "credential:bob" in listed and "looks after n1" in listed
    cluster.cli("grant", "add", "credential:*", "none", "--first", check=0)
    assert https(cluster, "GET", "/nodes", token).status == 403
    cluster.cli("grant", "remove", "credential:*", check=0)
    cluster.cli("grant", "remove", "credential:bob", check=0)
    assert lock(cluster, "n1", token).status == 403
    assert cluster.cli("grant", "remove", "credential:bob").returncode == 1
    assert cluster.cli("grant", "add", "everybody", "admin").returncode == 2
    assert cluster.cli_json("grant", "list")["items"] == []


class Issuer:
    """What an OIDC issuer is to us: keys that it serves, and tokens that it signs (RS256), made by openssl."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                 "-subj", "/CN=issuer", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "tls.key", "-out", "tls.pem")
        self.url, self.asked, self.paths = "", 0, []
        self.new_key("k1")

    def run(self, *arguments, text=None):
        return subprocess.run(["openssl", *arguments], cwd=self.folder, input=text, check=True, capture_output=True).stdout

    def new_key(self, kid):
        self.kid = kid
        self.run("genrsa", "-out", "sign.key", "2048")
        modulus = bytes.fromhex(self.run("rsa", "-in", "sign.key", "-modulus", "-noout").decode().strip().split("=")[1])
        self.jwks = {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": self.b64(modulus), "e": "AQAB"}]}

    @staticmethod
    def b64(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    def token(self, user, *groups, audience="drover", lifetime=300, issuer=None):
        now = int(time.time())
        claims = {"iss": issuer or self.url, "aud": audience, "sub": "1234", "preferred_username": user, "iat": now,
                  "exp": now + lifetime, "groups": list(groups)}
        parts = [self.b64(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": self.kid}, claims)]
        signature = self.run("dgst", "-sha256", "-sign", "sign.key", text=".".join(parts).encode())
        return ".".join([*parts, self.b64(signature)])

    @contextlib.contextmanager
    def serving(self):
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked += 1
                issuer.paths.append(self.path)
                data = json.dumps(issuer.jwks).encode()
                if self.path == "/large":
                    data = b" " * (300 << 10) + data
                self.send_response({"/keys": 200, "/large": 200, "/moved": 302}.get(self.path, 404))
                if self.path == "/moved":
                    self.send_header("Location", issuer.url + "/keys")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "tls.pem", self.folder / "tls.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


ROLES = ("--name-claim", "preferred_username", "--role-claim", "groups", "--roles", "hpc-ops=operator,staff=viewer")


def test_an_issuers_tokens_are_taken_with_keys_fetched_over_https(cluster):
    with Issuer(cluster.run / "issuer").serving() as issuer:
        cluster.cli("issuer", "add", issuer.url, "drover", "--name", "corp", "--jwks-url", issuer.url + "/keys",
                    "--issuer-ca", issuer.folder / "tls.pem", *ROLES, check=0)
        operator = issuer.token("dave", "others", "hpc-ops")
        locked = cluster.api.get("/nodes/n1")["locked"]
        assert lock(cluster, "n1", operator, not locked).status == 200
        assert https(cluster, "GET", "/whoami", operator).json["principal"] == "oidc:corp/dave"
        assert lock(cluster, "n1", issuer.token("erin", "staff")).status == 403
        assert lock(cluster, "n1", issuer.token("erin", "guests")).status == 403
        assert lock(cluster, "n1", issuer.token("dave", "hpc-ops", audience="mail")).status == 401
        assert lock(cluster, "n1", issuer.token("dave", "hpc-ops", lifetime=-3600)).status == 401
        assert lock(cluster, "n1", issuer.token("dave", "hpc-ops", issuer="https://evil.example")).status == 401
        asked = issuer.asked
        for _ in range(20):
            assert https(cluster, "GET", "/nodes", operator).status == 200
        assert issuer.asked == asked, "known keys are not fetched again"
        assert cluster.api.changes("&kind=node&key=n1")[-1]["actor"] == "oidc:corp/dave"
        cluster.cli("issuer", "remove", "corp", check=0)
        assert lock(cluster, "n1", operator).status == 401
        # Its server must prove that it is the one in the URL, to a CA that is trusted.
        cluster.cli("issuer", "add", issuer.url, "drover", "--name", "corp", "--jwks-url", issuer.url + "/keys",
                    "--issuer-ca", cluster.ca_pem, *ROLES, check=0)
        c.wait_for("the fetch has failed", lambda: cluster.api.get("/issuers")["items"][0]["problem"])
        assert lock(cluster, "n1", operator).status == 401
        cluster.cli("issuer", "remove", "corp", check=0)


def test_what_an_issuers_server_says_is_bounded_and_leads_nowhere_else(cluster):
    with Issuer(cluster.run / "hostile").serving() as issuer:
        for path, problem in (("/moved", "answered 302"), ("/large", "262144"), ("/missing", "answered 404")):
            cluster.cli("issuer", "add", issuer.url, "drover", "--name", "odd", "--jwks-url", issuer.url + path,
                        "--issuer-ca", issuer.folder / "tls.pem", *ROLES, check=0)
            told = c.wait_for("the fetch has failed", lambda: cluster.api.get("/issuers")["items"][0]["problem"])
            assert problem in told, told
            assert lock(cluster, "n1", issuer.token("dave", "hpc-ops")).status == 401
            cluster.cli("issuer", "remove", "odd", check=0)
        assert "/keys" not in issuer.paths, "a redirection is not followed"
        for url in ("http://127.0.0.1/keys", "https://user:pw@127.0.0.1/keys", "file:///etc/passwd"):
            bad = cluster.cli("issuer", "add", issuer.url, "drover", "--name", "odd", "--jwks-url", url, *ROLES)
            assert bad.returncode == 2 and "https://HOST" in bad.stderr, bad.stderr


def test_an_issuers_keys_may_come_from_a_file(cluster):
    issuer = Issuer(cluster.run / "offline")
    issuer.url = "https://id.nowhere.example"
    path = issuer.folder / "jwks.json"
    path.write_text(json.dumps(issuer.jwks))
    cluster.cli("issuer", "add", issuer.url, "drover", "--name", "file", "--jwks-file", path, *ROLES, check=0)
    assert lock(cluster, "n1", issuer.token("dave", "hpc-ops")).status == 200
    issuer.new_key("k1")  # somebody else's key under the known name
    assert lock(cluster, "n1", issuer.token("dave", "hpc-ops")).status == 401
    path.write_text("{}")
    bad = cluster.cli("issuer", "add", "https://other.example", "drover", "--name", "other", "--jwks-file", path)
    assert bad.returncode == 2 and "keys" in bad.stderr
    cluster.cli("issuer", "remove", "file", check=0)


def test_a_persons_certificate_ends_with_its_revocation(cluster):
    folder = cluster.run / "frank"
    cluster.cli("credential", "create", "--role", "operator", "--nodes", "n1", "--certificate", folder, "frank", check=0)
    assert (folder / "frank.key").stat().st_mode & 0o777 == 0o600
    files = ("--server", cluster.server, "--cert", folder / "frank.pem", "--key", folder / "frank.key", "--ca", folder / "ca.pem")
    who = cluster.cli_json("whoami", *files)
    assert (who["principal"], who["role"], who["limits"]) == ("person:frank", "operator", ["n1"])
    assert cluster.cli("credential", "create", "--certificate", folder, "frank").returncode == 5  # it is there already
    cluster.cli("credential", "revoke", "frank", "--why", "left", check=0)
    refused = cluster.cli("whoami", *files)
    assert refused.returncode == 4 and "left" in refused.stderr


def test_a_revoked_node_is_cut_within_a_second_and_may_join_anew(cluster):
    cluster.wait_redundant("n1", "n2", "n3")
    aggregators = [cluster["agg1"], cluster["agg2"]]
    marks = [agg.log_size() for agg in aggregators]
    cluster.cli("node", "revoke", "n3", "--why", "stolen", check=0)
    start = time.monotonic()
    for agg, mark in zip(aggregators, marks):
        agg.wait_log(r"cut a link.*n3", mark, limit=5)
    assert time.monotonic() - start < 1.0
    cluster.wait_phase("n3", "lost")
    cluster["n3"].wait_log(r"revoked: stolen")
    assert cluster.api.call("n[1-2]")["totals"] == {"done": 2}
    assert "stolen" in cluster.cli("certificate", "list", "--filter", "name=n3", check=0).stdout
    assert cluster.cli("node", "revoke", "n99", "--why", "x").returncode == 1
    # Who has its files is refused for good; a host with a new key takes the name.
    cluster["n3"].stop()
    old = cluster.run / "n3-stolen"
    (cluster.run / "n3").rename(old)
    token = cluster.token("compute", "n3", "--replace")
    cluster.join("compute", "n3", token)
    cluster["n3"].start()
    cluster.wait_up("n3")
    cluster.wait_redundant("n3")
    marks = [agg.log_size() for agg in aggregators]
    thief = c.Daemon(cluster, "compute", "n3-thief", [
        *cluster.timing, "--aggregators", f"127.0.0.1:{cluster['agg1'].port}"])
    old.rename(thief.state)
    cluster.daemons["n3-thief"] = thief
    thief.start()
    aggregators[0].wait_log(r"refused a link.*(revoked|another host)", marks[0])
    assert cluster.phase("n3") == "up"
    thief.kill()


def test_a_rotated_signing_key_keeps_tokens_unless_told_otherwise(cluster):
    token = create(cluster, "gina", "--role", "viewer")
    cluster.cli("credential", "rotate-key", check=0)
    assert https(cluster, "GET", "/nodes", token).status == 200
    assert len(https(cluster, "GET", "/jwks").json["keys"]) >= 2
    cluster.cli("credential", "rotate-key", "--forget-old", check=0)
    assert https(cluster, "GET", "/nodes", token).status == 401
    assert https(cluster, "GET", "/nodes", create(cluster, "gina", "--role", "viewer")).status == 200


def test_a_backup_is_in_the_audit_and_not_for_everybody(cluster):
    limited = create(cluster, "keeper", "--role", "admin", "--nodes", "n1")
    assert https(cluster, "GET", "/backup", limited).status == 403
    assert https(cluster, "GET", "/backup", create(cluster, "clerk", "--role", "operator")).status == 403
    file = cluster.run / "audited.backup"
    cluster.cli("backup", file, check=0)
    assert file.stat().st_mode & 0o777 == 0o600
    records = [(r["principal"].split("@")[0], r["outcome"]) for r in audit(cluster, "?target=/backup&limit=3")]
    user = cluster.api.get("/whoami")["principal"].split("@")[0]
    assert records == [(user, "done"), ("credential:clerk", "refused"), ("credential:keeper", "refused")]


def test_a_revocation_survives_kill_9_and_reaches_an_aggregator_that_was_away(cluster):
    cluster.wait_redundant("n1", "n2", "n3")
    token = create(cluster, "hank", "--role", "operator")
    away = cluster["agg2"]
    away.kill()
    with c.Watch(cluster.master.socket) as _:
        cluster.cli("credential", "revoke", "hank", "--why", "left", check=0)
        cluster.cli("node", "revoke", "n2", "--why", "stolen", check=0)
        cluster.master.kill()
    cluster.start_master()
    refused = https(cluster, "GET", "/nodes", token)
    assert refused.status == 401 and "left" in refused.json["detail"]
    # An aggregator that starts while no master has told it anything may let a node in; not for long.
    mark = away.log_size()
    away.start()
    away.wait_log(r"(cut|refused) a link.*n2", mark)
    cluster.wait_up("n1", "n3")
    cluster.wait_redundant("n1", "n3")
    cluster.wait_phase("n2", "lost")
    assert [link for link in cluster["n2"].local()["links"] if link["state"] == "up"] == []
    # Its requests are refused too, however they come.
    identity = cluster["n2"].state / "identity" / "identity.pem"
    direct = https(cluster, "GET", "/nodes", cert=(identity, identity))
    assert direct.status == 403 and "stolen" in direct.json["detail"]
