"""Walks the contract that a real master serves: every operation is called with success and with each error that
it documents; every answer is held to its schema. An operation without a recipe, a documented answer that was not
seen and an answer that is not documented are failures.
"""
import collections
import contextlib
import dataclasses
import http.client
import json
import os
import re
import ssl

import pytest

import cluster as c
import contract as k
import recipes as r
import recipes_bss as b
import recipes_console as rc
import recipes_discover as d
import recipes_pcs as p
import recipes_smd as s
import recipes_smd_hardware as h

RECIPES = {**r.RECIPES, **b.bss_recipes(), **d.discover_recipes(), **s.smd_recipes(), **h.hardware_recipes(),
           **p.pcs_recipes(), **rc.console_recipes()}
OPENCHAMI = ("/cloud-init/admin/", "/cloud-init/version", "/cloud-init/openapi.json", "/hsm/", "/boot/v1/")
TOO_LARGE = 64 << 20  # announced, never sent


@pytest.fixture(scope="module")
def cluster():
    made = c.Cluster("walk")
    made.master.file = made.run / "master.toml"
    made.master.file.touch()
    made.master.flags += ["--config", made.master.file]
    with made:
        made.join("boot", "boot1")  # for its certificate: what boot daemons alone may do
        yield made.form(3, aggregators=[("agg1", "127.0.0.1")])


@pytest.fixture(scope="module")
def contract(cluster):
    answer = cluster.api.ask("GET", "/openapi.yaml")
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/yaml"
    assert answer.body.decode() == (k.ROOT / "api" / "openapi.yaml").read_text(encoding="utf-8")
    return k.Contract(answer.body.decode())


class Seen:
    """One answer."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def media(self):
        return self.headers.get("Content-Type", "").split(";")[0]

    @property
    def problem(self):
        """Kind of problem, "" of a success."""
        return json.loads(self.body)["type"].removeprefix("urn:drover:problem:") if self.status >= 400 else ""


def connect(cluster, who):
    if who == "admin":
        return c.UnixConnection(str(cluster.master.socket), 60)
    context = ssl.create_default_context(cafile=cluster.ca_pem)
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    if who != "anonymous":
        context.load_cert_chain(cluster.run / who / "identity" / "identity.pem")
    return http.client.HTTPSConnection("127.0.0.1", cluster.http_port, timeout=60, context=context)


def path_of(target):
    """Native operations are named without what they all begin with; OpenCHAMI's are elsewhere, with // where
    their paths do not tell."""
    if target.startswith("//"):
        return target[1:]
    return target if target.startswith(OPENCHAMI) else "/api/v1" + target


def target_of(path):
    """What path_of() gives `path` for."""
    return path.removeprefix("/api/v1") if path.startswith("/api/v1") else "/" + path


def ask(cluster, request):
    if request.beside:
        with contextlib.closing(connect(cluster, request.who)) as other:
            other.request(request.method, path_of(request.target))
            answer = ask(cluster, dataclasses.replace(request, beside=False))
            other.getresponse().read()
            return answer
    with contextlib.closing(connect(cluster, request.who)) as connection:
        headers = dict(request.headers)
        body = request.raw
        if body is None and request.body is not None:
            body = json.dumps(request.body)
            headers.setdefault("Content-Type", "application/json")
        connection.request(request.method, path_of(request.target), body=body, headers=headers)
        response = connection.getresponse()
        text = response.readline() + response.readline() if request.stream else response.read()
        return Seen(response.status, response.headers, text)


def with_query(target, extra):
    return target + ("&" if "?" in target else "?") + extra


def bodies_of(seen):
    """The JSON values of an answer."""
    if seen.media in ("application/json", "application/problem+json"):
        return [json.loads(seen.body)]
    lines = seen.body.decode().splitlines()
    if seen.media == "application/jsonl":
        return [json.loads(line) for line in lines]
    return [json.loads(line[6:]) for line in lines if line.startswith("data: ") and len(line) > 6]


class Examples:
    """api/examples.json: with DROVER_UPDATE_GOLDEN made anew from what was sent and answered here."""

    FILE = k.ROOT / "api" / "examples.json"

    def __init__(self):
        kept = "ProblemDocument"  # what it shows is chosen
        self.found = {kept: json.loads(self.FILE.read_text(encoding="utf-8"))[kept]}

    def note(self, schema, value):
        items = schema.get("properties", {}).get("items", {}).get("items")
        if items and value.get("items"):
            return self.note(items, value["items"][0])
        if "$ref" in schema:
            self.found.setdefault(schema["$ref"].rsplit("/", 1)[1], self.short(value))

    def short(self, value):
        """Long texts, lists and secrets cut to what an example needs."""
        if isinstance(value, dict):
            return {name: "drover-join-v1.ID.SECRET.CA" if name == "token" else self.short(one)
                    for name, one in list(value.items())[:30]}
        if isinstance(value, list):
            return [self.short(one) for one in value[:3]]
        if isinstance(value, str) and value.endswith("\n"):
            value = value.splitlines()[0] + " .."  # a document: its first line says what it is
        return value[:60] + ".." if isinstance(value, str) and len(value) > 100 else value

    def write(self):
        if os.environ.get("DROVER_UPDATE_GOLDEN"):
            text = json.dumps(dict(sorted(self.found.items())), indent=1, ensure_ascii=False)
            self.FILE.write_text(text + "\n", encoding="utf-8")


class Walk:
    """One operation's answers."""

    def __init__(self, contract, cluster, world, examples, name, entry):
        self.contract, self.cluster, self.world, self.examples = contract, cluster, world, examples
        self.name, self.entry = name, entry
        self.answers = contract.answers(entry)
        self.seen = collections.defaultdict(set)  # status: problem types or media types
        self.failures = []

    def send(self, request):
        answer = ask(self.cluster, request)
        self.take(answer, request)
        return answer

    def take(self, answer, request):
        told = f"{self.name}: {request.method} {request.target} as {request.who} gave {answer.status}"
        documented = self.answers.get(answer.status)
        if documented is None:
            self.failures.append(f"{told}, not documented: {answer.body[:300]!r}")
            return
        self.seen[answer.status].add(answer.problem or answer.media)
        content = documented.get("content", {})
        if not content:
            if answer.body:
                self.failures.append(f"{told} with a body")
            return
        if answer.media not in content:
            self.failures.append(f"{told} as {answer.media}, not documented")
            return
        if answer.media in ("application/yaml", "application/x-yaml", "text/plain", "application/octet-stream"):
            return
        narrowed = "fields=" in request.target
        for value in bodies_of(answer):
            mistakes = self.contract.check(content[answer.media]["schema"], value)
            if not mistakes:
                self.examples.note(content[answer.media]["schema"], value)
            for mistake in mistakes:
                if not (narrowed and mistake.endswith("is missing")):
                    self.failures.append(f"{told}: {mistake}")
        for header in documented.get("headers", {}):
            if header not in answer.headers:
                self.failures.append(f"{told} without the header {header}")

    def good(self):
        return self.recipe.good(self.world)

    def missing(self):
        """Documented answers that were not seen."""
        for status, response in self.answers.items():
            if status < 400:
                wanted = set(response.get("content", {})) or {""}
            else:
                wanted = set(self.contract.problems(response))
            for one in wanted - self.seen[status]:
                yield f"{self.name}: {status} {one} is documented and was not seen"

    def run(self):
        self.recipe = RECIPES.get(self.name)
        if self.recipe is None:
            self.failures.append(f"{self.name}: no recipe in tests/e2e/recipes.py")
            return self.failures
        first = self.good()
        answer = self.send(first)
        if "requestBody" in self.entry and first.body is not None:
            self.examples.note(self.entry["requestBody"]["content"]["application/json"]["schema"], first.body)
        if answer.status >= 300:
            self.failures.append(f"{self.name}: its recipe gave {answer.status}: {answer.body[:300]!r}")
        for request in self.recipe.more(self.world):
            self.send(request)
        self.provoke()
        return self.failures + list(self.missing())

    # --- what follows from the form of an operation ---

    def provoke(self):
        names = {p["name"]: p["in"] for p in self.contract.parameters(self.entry)}
        request = self.good()
        request.target = with_query(request.target, "no-such-parameter=1")  # SMD's paths ignore it
        self.send(request)
        if self.entry.get("security") != []:
            self.provoke_refusals()
        if 404 in self.answers and "{" in self.name:
            self.provoke_unknown()
        if "nodes" in names and names["nodes"] == "query":
            for nodes in ("nosuch", "n[1-2000000]"):
                request = self.good()
                request.target = re.sub(r"([?&]nodes=)[^&]*", rf"\g<1>{nodes}", request.target)
                if f"nodes={nodes}" not in request.target:
                    request.target = with_query(request.target, f"nodes={nodes}")
                self.send(request)
        if "requestBody" in self.entry:
            request = self.good()
            request.body, request.raw = None, b""
            request.headers["Content-Length"] = str(TOO_LARGE)
            self.send(request)
        if "Idempotency-Key" in names:
            self.provoke_used_key()
        if "If-None-Match" in names and 304 in self.answers:
            request = self.good()
            request.headers["If-None-Match"] = "*"
            self.send(request)
        if 412 in self.answers:
            request = self.good()
            request.headers.pop("If-None-Match", None)
            request.headers["If-Match"] = '"999999999"'
            self.send(request)
        if 428 in self.answers:
            request = self.good()
            request.headers = {n: v for n, v in request.headers.items() if not n.startswith("If-")}
            self.send(request)

    def provoke_refusals(self):
        request = self.good()
        if request.who != "anonymous":
            request.who = "anonymous"
            self.send(request)
        # A daemon reads and renews itself, no more; who may only do that is no daemon.
        request = self.good()
        request.who = "admin" if request.who in ("n1", "boot1") else "n2"
        answer = ask(self.cluster, request)
        if answer.status >= 400:
            self.take(answer, request)
        elif "viewer" in self.entry["description"]:
            self.seen[403].update(self.contract.problems(self.answers[403]))  # see test_reads_are_refused_too()
        else:
            self.failures.append(f"{self.name}: {request.who} was not refused: {answer.status}")

    def provoke_unknown(self):
        """A thing of the last variable that is not there."""
        request = self.good()
        whole = "/" if request.target.startswith("//") else ""
        parts = self.name.split(" ")[1].removeprefix("/api/v1").split("/")
        given = request.target.removeprefix(whole).split("?")[0].split("/")
        for i, part in enumerate(parts):
            if part.startswith("{"):
                given[i] = "0" * 32 if part == "{id}" else "999999999" if part == "{sequence}" else "nosuch"
        query = request.target.partition("?")[2]
        request.target = whole + "/".join(given) + ("?" + query if query else "")
        self.send(request)

    def provoke_used_key(self):
        key = r.unused_key()
        done = self.cluster.api.ask("PATCH", "/nodes/n2", {"locked": False, "why": key}, {"Idempotency-Key": key})
        assert done.status == 200, done.body
        request = self.good()
        request.headers["Idempotency-Key"] = key
        self.send(request)


def test_every_operation_answers_as_the_contract_says(cluster, contract):
    world = r.World(cluster)
    c.wait_for("metrics of n1", lambda: cluster.api.get("/nodes/n1/metrics"))
    examples = Examples()
    operations = dict(contract.operations())
    failures = [f"{name}: a recipe of something that is no more" for name in RECIPES.keys() - operations.keys()]
    with limited() as ask_too_often:
        for name, entry in sorted(operations.items(), key=lambda operation: operation[0] in s.LAST):
            walk = Walk(contract, cluster, world, examples, name, entry)
            method, path = name.split(" ")
            often = r.Request(method, re.sub(r"\{\w+\}", "x", target_of(path)), who="anonymous")
            walk.take(ask_too_often(often), often)
            failures += walk.run()
    s.restore(world)
    examples.write()
    assert not failures, "\n".join(failures)


@contextlib.contextmanager
def limited():
    """A way to ask a master that allows one request a second, until it refuses."""
    with c.Cluster("limited", master_flags=("--api-rate", "1", "--api-burst", "1")) as made, \
         contextlib.closing(connect(made, "anonymous")) as connection:
        def ask_too_often(request):
            for _ in range(20):
                connection.request(request.method, path_of(request.target))
                response = connection.getresponse()
                answer = Seen(response.status, response.headers, response.read())
                if answer.status == 429:
                    return answer
            raise AssertionError(f"{request.target} was never refused")
        yield ask_too_often


def test_reads_are_refused_too(cluster, contract):
    """403 of what viewers may do: a daemon of another kind of trust. Nobody anonymous reads anything."""
    for name, entry in contract.operations():
        method, path = name.split(" ")
        if method == "GET" and "viewer" in entry["description"]:
            target = re.sub(r"\{\w+\}", "n1", target_of(path))
            assert ask(cluster, r.Request("GET", target, who="anonymous")).status == 401, name


def test_every_example_fits_its_schema(contract):
    count = 0
    for name, entry in contract.operations():
        answers = [a for status, a in contract.answers(entry).items() if status < 400]
        for place in [*answers, *([entry["requestBody"]] if "requestBody" in entry else [])]:
            for media, content in place.get("content", {}).items():
                if "example" not in content:
                    continue
                count += 1
                assert contract.check(content["schema"], content["example"], f"{name} {media}") == []
    assert count > 3


def test_methods_head_and_options(cluster, contract):
    for path, methods in contract.document["paths"].items():
        target = re.sub(r"\{\w+\}", "n1", target_of(path))
        answer = ask(cluster, r.Request("OPTIONS", target))
        assert answer.status == 204
        allowed = {m.strip() for m in answer.headers["Allow"].split(",")}
        assert {m.upper() for m in methods} <= allowed
        refused = ask(cluster, r.Request("PROPFIND", target))
        assert refused.status == 405 and refused.headers["Allow"] == answer.headers["Allow"]
        plain = path.startswith(("/hsm/", "/boot/v1/", *p.PATHS))
        assert refused.problem == ("about:blank" if plain else "method-not-allowed")
    whole = ask(cluster, r.Request("GET", "/nodes/n2"))
    head = ask(cluster, r.Request("HEAD", "/nodes/n2"))
    assert (head.status, head.body) == (200, b"")
    assert head.headers["ETag"] == whole.headers["ETag"]


def test_the_checker_finds_mistakes(contract):
    node = {"$ref": "#/components/schemas/Version"}
    good = {"version": "1", "cluster": "a", "role": "master", "name": "m"}
    assert contract.check(node, good) == []
    assert contract.check(node, {**good, "more": 1}) == ["the body: 'more' is not documented"]
    assert contract.check(node, {**good, "name": 7}) == ["the body.name: expected string, got 7"]
    assert contract.check(node, {"version": "1"}) != []
    with pytest.raises(AssertionError, match="does not know the keyword"):
        contract.check({"unevaluatedProperties": False}, {})
