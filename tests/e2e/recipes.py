"""How every operation of the contract is called with success, and what provokes its own errors.

The walk (test_contract.py) provokes by itself what follows from an operation's form: bad parameters, no or
too small rights, too large bodies, unknown things, used keys, stale revisions, too many requests.
"""
import dataclasses
import subprocess
import time
import uuid

import bmcs


@dataclasses.dataclass
class Request:
    method: str
    target: str
    body: object = None
    headers: dict = dataclasses.field(default_factory=dict)
    who: str = "admin"
    stream: bool = False  # read the first bytes alone
    raw: bytes | None = None  # in place of body
    beside: bool = False  # the same request is under way already, on another connection


@dataclasses.dataclass
class Recipe:
    """`good` makes one request that succeeds, a new one each time; `more` those for everything else."""
    good: object
    more: object = lambda world: ()


def image_body(name, number=0, **more):
    """A version of an image, as POST /images takes it."""
    digest = f"{number:064x}"
    return {"name": name, "arch": "x86_64", "kernel": {"sha256": digest, "size": 9, "version": "6.1.0"},
            "initrds": [{"sha256": digest, "size": 5, "what": "drover"}],
            "root": {"sha256": digest, "size": 7, "format": "squashfs"}, **more}


class World:
    """What the recipes stand on: a cluster with three nodes that are up."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.count = 0

    @staticmethod
    def wait(condition):
        for _ in range(600):
            if condition():
                return
            time.sleep(0.05)
        raise AssertionError("it did not come to be")

    def fresh(self, stem="x"):
        self.count += 1
        return f"{stem}{self.count}"

    def make(self, where, body):
        """A new thing of a list; its name."""
        self.cluster.api.json("POST", where, body)
        return body["name"]

    def node(self, **spec):
        """A new node that nobody else uses."""
        return self.make("/nodes", {"name": self.fresh("t"), "spec": spec})

    def group(self, **more):
        return self.make("/groups", {"name": self.fresh("g"), "nodes": "n1", **more})

    def profile(self, **more):
        return self.make("/profiles", {"name": self.fresh("p"), "attributes": {"x.rack": "7"}, **more})

    def mac(self):
        self.count += 1
        return f"52:54:00:99:{self.count >> 8 & 255:02x}:{self.count & 255:02x}"

    def node_mac(self):
        """The MAC of a new node."""
        mac = self.mac()
        self.node(interfaces=[{"name": "eth0", "mac": mac}])
        return mac

    def machine(self):
        """A machine that no node is known by; its MAC."""
        mac = self.mac()
        self.cluster.api.json("POST", "/boot/unknown", {"mac": mac})
        return mac

    def network(self, **more):
        return self.make("/networks", network_body(self, **more))

    def image(self, versions=1):
        """A new image, with so many versions, the first of which has the tag prod."""
        name = self.fresh("i")
        for number in range(versions):
            self.cluster.api.json("POST", "/images", image_body(name, number))
            if number == 0:
                self.cluster.api.json("POST", f"/images/{name}/tags", {"tag": "prod"})
        return name

    def token(self, role="compute", **more):
        return self.cluster.api.json("POST", "/tokens", {"role": role, **more})

    def csr(self):
        done = subprocess.run(
            ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
             "/CN=x", "-keyout", "/dev/null"], capture_output=True, text=True, check=True, timeout=60)
        return done.stdout

    def operation(self, ended=False):
        """Id of a call to n1, or of one to n3, which was just stopped and so does not answer for a while."""
        if not ended:
            slow = self.cluster["n3"]
            slow.resume()
            self.cluster.wait_up("n3")
            slow.pause()
        operation = self.cluster.api.json(
            "POST", "/calls", {"method": "ping", "nodes": "n1" if ended else "n3", "timeout_ms": 60000},
            {"Prefer": "respond-async"})
        if ended:
            operation = self.cluster.api.get(f"/operations/{operation['id']}?wait=60")
            assert operation["state"] == "done", operation
        return operation["id"]


def apply_body(node, name, query="", **fields):
    document = {"kind": "drover-cluster", "version": 1, "nodes": {node: fields or {"attributes": {"rack": "r1"}}}}
    return Request("POST", f"/apply?name={name}{query}", {"document": document, "why": "new rack"})


def apply_more(world):
    """A field that the document and somebody else changed, differently."""
    node, mine, other = world.fresh("a"), world.fresh("d"), world.fresh("d")
    yield apply_body(node, mine, description="a")
    yield apply_body(node, other, description="b")
    yield apply_body(node, mine, description="c")  # 409


def bmc_node(world):
    """A new node with a BMC that is there and has been spoken to; the BMC is the same for all."""
    if not hasattr(world, "bmcs"):
        world.bmcs = bmcs.Bmcs(world.cluster.run).start()
        world.cluster.api.ask("PUT", "/bmc-credentials/default/default", {"user": "root", "password": "calvin"})
    port = world.bmcs.port()
    node = world.node(bmc={"address": "127.0.0.1"}, attributes={"bmc_port": str(port)})
    operation = world.cluster.api.json("POST", "/power", {"nodes": node, "action": "status"})
    ended = world.cluster.api.get(f"/operations/{operation['id']}?wait=60")
    assert ended["state"] == "done", ended
    return node


def one_bmc_node(world):
    """The same node each time."""
    if not hasattr(world, "with_bmc"):
        world.with_bmc = bmc_node(world)
    return world.with_bmc


def known_bmc(world):
    """ADDRESS:PORT of a BMC whose certificate is known."""
    bmc_node(world)
    time.sleep(0.3)  # its key is written beside the outcome
    return world.bmcs.endpoints[0]


def collected_bmc(world):
    """A node whose BMC was looked through."""
    node = bmc_node(world)
    operation = world.cluster.api.json("POST", "/discover", {"nodes": node})
    ended = world.cluster.api.get(f"/operations/{operation['id']}?wait=60")
    assert ended["state"] == "done", ended
    return node


def bmc_credential(world, name=None, method="PUT"):
    target = f"/bmc-credentials/group/{name or world.group()}"
    return Request(method, target, {"user": "root", "password": "calvin"} if method == "PUT" else None)


def bmc_credential_owner(world):
    name = world.group()
    world.cluster.api.ask("PUT", f"/bmc-credentials/group/{name}", {"user": "root", "password": "calvin"})
    return name


def simple(method, target, **more):
    return Recipe(lambda world: Request(method, target, **more))


def call(world, nodes="n[1-2]", **more):
    return Request("POST", "/calls", {"method": "ping", "nodes": nodes, "timeout_ms": 10000}, **more)


def join_body(world, token, name, role="compute"):
    return {"token": token, "csr_pem": world.csr(), "role": role, "name": name}


def join_more(world):
    token = world.token(names="ok1", uses=2)["token"]
    yield Request("POST", "/join", join_body(world, token, "other1"), who="anonymous")  # 403
    yield Request("POST", "/join", join_body(world, token, "ok1"), who="anonymous")
    yield Request("POST", "/join", join_body(world, token, "ok1"), who="anonymous")  # 409: another key
    revoked = world.token()
    world.cluster.api.ask("DELETE", f"/tokens/{revoked['id']}")
    yield Request("POST", "/join", join_body(world, revoked["token"], "ok2"), who="anonymous")  # 401


def calls_more(world):
    yield call(world, headers={"Accept": "application/jsonl"})
    yield call(world, headers={"Accept": "text/event-stream"})
    yield call(world, headers={"Prefer": "respond-async"})
    yield call(world, "nosuch")


def operation_more(world):
    yield Request("DELETE", f"/operations/{world.operation(ended=True)}")


def make_nodes_more(world):
    first, second = world.fresh("m"), world.node()
    yield Request("POST", f"/nodes?nodes={first}", {"role": "compute"})
    yield Request("POST", f"/nodes?nodes={world.fresh('m')},{second}", {"role": "compute"})  # 207: one is there
    yield Request("POST", "/nodes", {"name": second})  # 409
    yield Request("POST", "/nodes", {"name": world.fresh("m"), "spec": {"profiles": ["nosuch"]}})  # 404


def group_body(world, **more):
    return {"name": world.fresh("g"), "nodes": "n1", "description": "the first rack", "attributes": {"x.rack": "7"}, **more}


def profile_body(world, **more):
    return {"name": world.fresh("p"), "attributes": {"x.rack": "7"}, "inherits": [], **more}


def content_recipes(kind, body):
    """Of what a group gives its nodes: cloud-init, steps, overlays."""
    def made(world):
        owner = f"group/{world.group()}"
        world.cluster.api.json("PATCH", f"/{kind}/{owner}", body)
        return owner
    path = f"/api/v1/{kind}"
    return {
        f"GET {path}": Recipe(lambda world: Request("GET", f"/{kind}?limit=1{'' if made(world) else ''}")),
        f"GET {path}/{{kind}}/{{name}}": Recipe(
            lambda world: Request("GET", f"/{kind}/{made(world)}"), lambda world: [Request("GET", f"/{kind}/group/none")]),
        f"PATCH {path}/{{kind}}/{{name}}": Recipe(
            lambda world: Request("PATCH", f"/{kind}/group/{world.group()}", body),
            lambda world: [Request("PATCH", f"/{kind}/group/none", body)]),
        f"DELETE {path}/{{kind}}/{{name}}": Recipe(
            lambda world: Request("DELETE", f"/{kind}/{made(world)}"),
            lambda world: [Request("DELETE", f"/{kind}/group/none")]),
    }


def run_steps(world, node="n1"):
    """A run has to end before the next: nothing is defined for the node, so it does at once."""
    done = {"last": {"state": "done"}}
    world.wait(lambda: (world.cluster.api.get(f"/nodes/{node}/steps")["last"] or done["last"])["state"] != "running")
    return Request("POST", f"/nodes/{node}/steps")


def run_steps_more(world):
    """While it takes a step that lasts."""
    world.cluster.api.json("PATCH", "/steps/node/n2", {"steps": [
        {"name": "slow", "kind": "command", "command": ["sleep", "3"]}]})
    yield run_steps(world, "n2")
    yield Request("POST", "/nodes/n2/steps")  # 409
    run_steps(world, "n2")
    world.cluster.api.ask("DELETE", "/steps/node/n2")


def secret_owner(world):
    name = world.group()
    world.cluster.api.ask("PUT", f"/cloud-init/group/{name}/secrets/key", {"value": "hunter2"})
    return name


def openchami_group(world):
    """What cloud-init says of a group, made by OpenCHAMI's path."""
    name = world.group()
    world.cluster.api.json("PATCH", f"/cloud-init/group/{name}", {"meta_data": {"rack": "7"}})
    return name


def openchami_recipes():
    admin = "/cloud-init/admin"

    def body(name):
        return {"name": name, "description": "the first rack", "meta-data": {"rack": "7"},
                "file": {"content": "#cloud-config\n{}\n", "encoding": "plain", "filename": "rack.yaml"}}

    def put(world):
        name = world.fresh("g")
        return Request("PUT", f"{admin}/groups/{name}", body(name))
    return {
        f"GET {admin}/cluster-defaults": Recipe(lambda world: Request("GET", f"{admin}/cluster-defaults")),
        f"POST {admin}/cluster-defaults": Recipe(
            lambda world: Request("POST", f"{admin}/cluster-defaults",
                                  {"region": "north", "short-name": "nid", "public-keys": ["ssh-ed25519 AAAA root"]})),
        f"PUT {admin}/instance-info/{{node}}": Recipe(
            lambda world: Request("PUT", f"{admin}/instance-info/{world.node()}", {"local-hostname": "login"})),
        f"GET {admin}/groups": Recipe(
            lambda world: Request("GET", f"{admin}/groups{'' if openchami_group(world) else ''}")),
        f"POST {admin}/groups": Recipe(
            lambda world: Request("POST", f"{admin}/groups", body(world.fresh("g"))),
            lambda world: [Request("POST", f"{admin}/groups", body(openchami_group(world))),
                           Request("POST", f"{admin}/groups", {"name": "a b"})]),
        f"GET {admin}/groups/{{name}}": Recipe(
            lambda world: Request("GET", f"{admin}/groups/{openchami_group(world)}")),
        f"PUT {admin}/groups/{{name}}": Recipe(
            put, lambda world: [Request("PUT", f"{admin}/groups/other", body(world.fresh("g")))]),
        f"DELETE {admin}/groups/{{name}}": Recipe(
            lambda world: Request("DELETE", f"{admin}/groups/{openchami_group(world)}")),
        f"GET {admin}/impersonation/{{node}}/{{document}}": Recipe(
            lambda world: Request("GET", f"{admin}/impersonation/n1/meta-data"),
            lambda world: [Request("GET", f"{admin}/impersonation/n1/user-data")]),
    }


def network_body(world, **more):
    """Each one has addresses of its own."""
    name = world.fresh("w")
    number = int("".join(c for c in name if c.isdigit()) or 0)
    return {"name": name, "prefix": f"172.{16 + number // 256 % 16}.{number % 256}.0/24", "mode": "proxy", **more}


def put_new(world, where, body):
    return Request("PUT", f"{where}/{body['name']}", body, {"If-None-Match": "*"})


def put_again(world, where, name, body):
    tag = world.cluster.api.ask("GET", f"{where}/{name}").headers["ETag"]
    return Request("PUT", f"{where}/{name}", {**body, "name": name}, {"If-Match": tag})


def revert(sequence):
    return Request("POST", f"/changes/{sequence}/revert", {"why": "a mistake"})


def changed_node(world):
    """Name of a new node, and the sequence of a change of it."""
    name = world.node()
    world.cluster.api.json("PATCH", f"/nodes/{name}", {"flag": "warning", "why": "fan"})
    return name, world.cluster.api.changes()[-1]["sequence"]


def revert_more(world):
    name, sequence = changed_node(world)
    world.cluster.api.json("PATCH", f"/nodes/{name}", {"flag": "alert", "why": "fire"})
    yield revert(sequence)  # 409: changed since


def reload(world, level="debug"):
    """The master has a file to read, and something in it has changed."""
    world.cluster.master.file.write_text(f'log = {{ level = "{level}" }}\n')
    return Request("POST", "/local/reload")


def reload_more(world):
    yield reload(world, "loud")  # 400
    world.cluster.master.file.unlink()
    yield Request("POST", "/local/reload")  # 404
    yield reload(world, "info")


JWKS = {"keys": [{"kty": "EC", "crv": "P-256", "kid": "k", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                  "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}  # RFC 7515 appendix A.3


def credential(world):
    body = {"name": "ci", "role": "operator", "nodes": "n[1-2]", "ttl_s": 600}
    return world.cluster.api.json("POST", "/credentials", body)["id"]


def issuer_body(world):
    name = world.fresh("i")
    return {"name": name, "url": f"https://{name}.example", "audience": "drover", "jwks": JWKS,
            "name_claim": "preferred_username", "role_claim": "groups", "roles": {"hpc-ops": "operator"}}


def issuer(world):
    """A new issuer's name; at most 32 are taken, so it makes room."""
    for item in world.cluster.api.get("/issuers")["items"]:
        world.cluster.api.ask("DELETE", f"/issuers/{item['name']}")
    return world.make("/issuers", issuer_body(world))


def add_issuer(world):
    world.cluster.api.ask("DELETE", f"/issuers/{issuer(world)}")
    return Request("POST", "/issuers", issuer_body(world))


def revoke(world):
    name = world.fresh("r")
    world.cluster.api.json("POST", "/join", join_body(world, world.token()["token"], name))
    return Request("POST", "/certificates/revoke", {"role": "compute", "names": name, "why": "stolen"})


GRANTS = {"grants": [{"principal": "user:nobody-at-all", "role": "viewer", "nodes": "n1", "why": "an example"}]}

RECIPES = {
    "GET /api/v1/backup": Recipe(
        lambda world: Request("GET", "/backup"),
        lambda world: [Request("GET", "/backup", beside=True) for _ in range(10)]),  # 409: one is being made
    "POST /api/v1/changes/{sequence}/revert": Recipe(
        lambda world: revert(changed_node(world)[1]), revert_more),
    "GET /api/v1/audit": simple("GET", "/audit?outcome=done&limit=3"),
    "GET /api/v1/certificates": simple("GET", "/certificates?limit=3"),
    "POST /api/v1/certificates/revoke": Recipe(
        revoke, lambda world: [Request("POST", "/certificates/revoke", {"names": "nosuch", "why": "x"})]),
    "GET /api/v1/credentials": simple("GET", "/credentials?limit=3"),
    "POST /api/v1/credentials": Recipe(
        lambda world: Request("POST", "/credentials", {"name": "ci", "role": "operator", "nodes": "n[1-8]"})),
    "GET /api/v1/credentials/{id}": Recipe(lambda world: Request("GET", f"/credentials/{credential(world)}")),
    "DELETE /api/v1/credentials/{id}": Recipe(
        lambda world: Request("DELETE", f"/credentials/{credential(world)}?why=lost")),
    "GET /api/v1/grants": simple("GET", "/grants"),
    "PUT /api/v1/grants": simple("PUT", "/grants", body=GRANTS),
    "GET /api/v1/issuers": simple("GET", "/issuers"),
    "POST /api/v1/issuers": Recipe(add_issuer),
    "DELETE /api/v1/issuers/{name}": Recipe(lambda world: Request("DELETE", f"/issuers/{issuer(world)}")),
    "GET /api/v1/jwks": simple("GET", "/jwks"),
    "POST /api/v1/signing-keys": simple("POST", "/signing-keys", body={}),
    "GET /api/v1/whoami": Recipe(
        lambda world: Request("GET", "/whoami"),
        lambda world: [Request("GET", "/whoami", headers={"Authorization": "Bearer nonsense"}, who="anonymous")]),
    "POST /api/v1/calls": Recipe(call, calls_more),
    "POST /api/v1/power": Recipe(
        lambda world: Request("POST", "/power", {"nodes": bmc_node(world), "action": "on"}),
        lambda world: [Request("POST", "/power", {"nodes": "nosuch", "action": "on"})]),
    "GET /api/v1/bmc-sensors": Recipe(
        lambda world: Request("GET", f"/bmc-sensors?nodes={one_bmc_node(world)}")),
    "POST /api/v1/power-caps": Recipe(
        lambda world: Request("POST", "/power-caps", {"nodes": one_bmc_node(world), "watts": 500}),
        lambda world: [Request("POST", "/power-caps", {"nodes": "nosuch"})]),
    "GET /api/v1/bmc-credentials": simple("GET", "/bmc-credentials"),
    "PUT /api/v1/bmc-credentials/{scope}/{name}": Recipe(
        bmc_credential, lambda world: [bmc_credential(world, "none")]),
    "DELETE /api/v1/bmc-credentials/{scope}/{name}": Recipe(
        lambda world: bmc_credential(world, bmc_credential_owner(world), "DELETE"),
        lambda world: [bmc_credential(world, "none", "DELETE")]),
    "DELETE /api/v1/bmc-keys/{bmc}": Recipe(
        lambda world: Request("DELETE", f"/bmc-keys/{known_bmc(world)}"),
        lambda world: [Request("DELETE", "/bmc-keys/127.0.0.1:1")]),
    "POST /api/v1/nodes/{name}/enrol": Recipe(
        lambda world: Request("POST", f"/nodes/{world.node()}/enrol", {"csr_pem": world.csr(), "boot_id": "4711"},
                              who="boot1"),
        lambda world: [Request("POST", "/nodes/n1/enrol", {"csr_pem": "nonsense"}, who="boot1")]),
    "GET /api/v1/snapshot": simple("GET", "/snapshot"),
    "POST /api/v1/certificates/renew": Recipe(
        lambda world: Request("POST", "/certificates/renew", {"csr_pem": world.csr()}, who="n1")),
    "GET /api/v1/changes": Recipe(
        lambda world: Request("GET", "/changes?limit=3&kind=node"),
        lambda world: [Request("GET", "/changes?since=999999999")]),
    "GET /api/v1/health": simple("GET", "/health"),
    "POST /api/v1/join": Recipe(
        lambda world: Request("POST", "/join", join_body(world, world.token()["token"], world.fresh("j")),
                              who="anonymous"), join_more),
    "GET /api/v1/local": simple("GET", "/local"),
    "GET /api/v1/metrics": simple("GET", "/metrics?nodes=n1&limit=5&sort=node"),
    "GET /api/v1/names": simple("GET", "/names?kind=node&prefix=n"),
    "GET /api/v1/noderange/count": simple("GET", "/noderange/count?nodes=n[1-2]"),
    "GET /api/v1/noderange/expand": simple("GET", "/noderange/expand?nodes=n[1-2]"),
    "GET /api/v1/noderange/fold": simple("GET", "/noderange/fold?nodes=n1,n2"),
    "GET /api/v1/nodes": simple("GET", "/nodes?nodes=n[1-2]&limit=1&sort=-name&fields=name,phase.state"),
    "GET /api/v1/nodes/{name}": simple("GET", "/nodes/n1"),
    "PATCH /api/v1/nodes/{name}": Recipe(
        lambda world: Request("PATCH", "/nodes/n1", {"locked": True, "why": world.fresh()})),
    "GET /api/v1/nodes/{name}/inventory": simple("GET", "/nodes/n1/inventory"),
    "GET /api/v1/nodes/{name}/metrics": simple("GET", "/nodes/n1/metrics"),
    "GET /api/v1/inventory": simple("GET", "/inventory?nodes=n1&limit=2"),
    "GET /api/v1/bmcs": simple("GET", "/bmcs?limit=1"),
    "GET /api/v1/bmcs/{name}": Recipe(
        lambda world: Request("GET", f"/bmcs/{collected_bmc(world)}"),
        lambda world: [Request("GET", f"/bmcs/{world.node()}")]),
    "GET /api/v1/attributes": simple("GET", "/attributes?nodes=n[1-2]&limit=1"),
    "GET /api/v1/nodes/{name}/attributes": Recipe(
        lambda world: Request("GET", f"/nodes/{world.node(attributes={'x.rack': '7'})}/attributes")),
    "GET /api/v1/states": simple("GET", "/states?nodes=n[1-2]&view=csm"),
    "POST /api/v1/nodes": Recipe(
        lambda world: Request("POST", "/nodes", {"name": world.fresh("m"), "role": "compute", "spec": {
            "description": "the first rack", "attributes": {"x.rack": "${number}"}}}), make_nodes_more),
    "PATCH /api/v1/nodes": Recipe(
        lambda world: Request("PATCH", f"/nodes?nodes={world.node()},{world.node()}", {"locked": True}),
        lambda world: [Request("PATCH", f"/nodes?nodes={world.node()},n1", {"service": "soft_failure"})]),
    "DELETE /api/v1/nodes": Recipe(
        lambda world: Request("DELETE", f"/nodes?nodes={world.node()},{world.node()}"),
        lambda world: [Request("DELETE", f"/nodes?nodes={world.node()},n1")]),  # 207: n1 is up
    "DELETE /api/v1/nodes/{name}": Recipe(lambda world: Request("DELETE", f"/nodes/{world.node()}")),
    "POST /api/v1/nodes/{name}/rename": Recipe(
        lambda world: Request("POST", f"/nodes/{world.node()}/rename", {"to": world.fresh("r")}),
        lambda world: [Request("POST", f"/nodes/{world.node()}/rename", {"to": "n1"})]),
    "GET /api/v1/groups": Recipe(lambda world: Request("GET", f"/groups?limit=1{'' if world.group() else ''}")),
    "POST /api/v1/groups": Recipe(
        lambda world: Request("POST", "/groups", group_body(world)),
        lambda world: [Request("POST", "/groups", group_body(world, name=world.group())),
                       Request("POST", "/groups", group_body(world, nodes="nosuch"))]),
    "GET /api/v1/groups/{name}": Recipe(lambda world: Request("GET", f"/groups/{world.group()}")),
    "PUT /api/v1/groups/{name}": Recipe(
        lambda world: put_new(world, "/groups", group_body(world)),
        lambda world: [put_again(world, "/groups", world.group(), group_body(world)),
                       put_new(world, "/groups", group_body(world, nodes="nosuch"))]),
    "PATCH /api/v1/groups/{name}": Recipe(
        lambda world: Request("PATCH", f"/groups/{world.group()}", {"description": "changed"})),
    "DELETE /api/v1/groups/{name}": Recipe(lambda world: Request("DELETE", f"/groups/{world.group()}")),
    "POST /api/v1/groups/{name}/rename": Recipe(
        lambda world: Request("POST", f"/groups/{world.group()}/rename", {"to": world.fresh("g"), "why": "clearer"}),
        lambda world: [Request("POST", f"/groups/{world.group()}/rename", {"to": world.group()})]),
    "POST /api/v1/groups/{name}/members": Recipe(
        lambda world: Request("POST", f"/groups/{world.group()}/members", {"add": "n2", "remove": "n1"})),
    "POST /api/v1/apply": Recipe(
        lambda world: apply_body(world.fresh("a"), world.fresh("d")), apply_more),
    "GET /api/v1/export": Recipe(
        lambda world: Request("GET", f"/export?sections=nodes&nodes={world.node(nid=0)}"),
        lambda world: [Request("GET", "/export?sections=groups&name=nosuch")]),
    "GET /api/v1/nodes/{name}/boot": Recipe(
        lambda world: Request("GET", "/nodes/n1/boot"),
        lambda world: [Request("GET", f"/nodes/{world.node(attributes={'image': 'nosuch'})}/boot?loader=grub&server=10.0.0.1"),
                       Request("GET", "/nodes/nosuch/boot")]),
    "GET /api/v1/boot/progress": Recipe(
        lambda world: Request("GET", "/boot/progress?nodes=n1"),
        lambda world: [Request("GET", "/boot/progress?follow=true", stream=True),
                       Request("GET", "/boot/progress?nodes=nosuch")]),
    "GET /api/v1/boot/log": Recipe(
        lambda world: Request("GET", "/boot/log?nodes=n1&grep=error&since=2026-01-01T00:00:00Z"),
        lambda world: [Request("GET", "/boot/log?nodes=nosuch")]),
    "GET /api/v1/boot/leases": Recipe(lambda world: Request("GET", "/boot/leases?all=true")),
    "GET /api/v1/boot/unknown": simple("GET", "/boot/unknown"),
    "POST /api/v1/boot/unknown": Recipe(
        lambda world: Request("POST", "/boot/unknown", {"mac": world.mac(), "network": "boot", "why": "on its way"}),
        lambda world: [Request("POST", "/boot/unknown", {"mac": world.machine()}),
                       Request("POST", "/boot/unknown", {"mac": world.node_mac()})]),
    "PUT /api/v1/boot/unknown/{mac}": Recipe(
        lambda world: Request("PUT", f"/boot/unknown/{world.machine()}", {"ignored": True, "why": "a switch"}),
        lambda world: [Request("PUT", f"/boot/unknown/{world.mac()}", {"ignored": True})]),
    "DELETE /api/v1/boot/unknown/{mac}": Recipe(
        lambda world: Request("DELETE", f"/boot/unknown/{world.machine()}"),
        lambda world: [Request("DELETE", f"/boot/unknown/{world.mac()}")]),
    "POST /api/v1/boot/unknown/{mac}/approve": Recipe(
        lambda world: Request("POST", f"/boot/unknown/{world.machine()}/approve", {"node": world.node()}),
        lambda world: [Request("POST", f"/boot/unknown/{world.machine()}/approve", {"node": world.node(interfaces=[
            {"name": "eth0", "mac": world.mac()}])}),
                       Request("POST", f"/boot/unknown/{world.mac()}/approve", {"node": "n1"})]),
    "POST /api/v1/boot/number": Recipe(
        lambda world: Request("POST", "/boot/number", {"nodes": f"{world.fresh('m')}", "why": "rack 1"})),
    "GET /api/v1/boot-next": Recipe(lambda world: Request("GET", "/boot-next")),
    "POST /api/v1/boot-next": Recipe(
        lambda world: Request("POST", f"/boot-next?nodes={world.node()}", {"mode": "lean", "why": "memory test"}),
        lambda world: [Request("POST", f"/boot-next?nodes={world.node()}", {"profile": "nosuch"}),  # 207
                       Request("POST", f"/boot-next?nodes={world.node()}", {"image": "nosuch"})]),  # 404
    "DELETE /api/v1/boot-next": Recipe(lambda world: Request("DELETE", f"/boot-next?nodes={world.node()}")),
    "GET /api/v1/networks": Recipe(lambda world: Request("GET", f"/networks?limit=1{'' if world.network() else ''}")),
    "POST /api/v1/networks": Recipe(
        lambda world: Request("POST", "/networks", network_body(world)),
        lambda world: [Request("POST", "/networks", network_body(world, name=world.network()))]),
    "GET /api/v1/networks/{name}": Recipe(lambda world: Request("GET", f"/networks/{world.network()}")),
    "PUT /api/v1/networks/{name}": Recipe(
        lambda world: put_new(world, "/networks", network_body(world)),
        lambda world: [put_again(world, "/networks", world.network(), network_body(world)),
                       put_new(world, "/networks", network_body(world, gateway="192.0.2.1"))]),
    **openchami_recipes(),
    **content_recipes("cloud-init", {"user_data": "#cloud-config\n{}\n", "meta_data": {"region": "north"}}),
    **content_recipes("steps", {"steps": [{"name": "fuse", "kind": "module", "module": "fuse"}]}),
    **content_recipes("overlays", {"files": {"/etc/motd": {"content": "hello"}}}),
    "PUT /api/v1/cloud-init/{kind}/{name}/secrets/{secret}": Recipe(
        lambda world: Request("PUT", f"/cloud-init/group/{world.group()}/secrets/key", {"value": "hunter2"}),
        lambda world: [Request("PUT", "/cloud-init/group/none/secrets/key", {"value": "hunter2"})]),
    "DELETE /api/v1/cloud-init/{kind}/{name}/secrets/{secret}": Recipe(
        lambda world: Request("DELETE", f"/cloud-init/group/{secret_owner(world)}/secrets/key"),
        lambda world: [Request("DELETE", "/cloud-init/group/none/secrets/key")]),
    "GET /api/v1/nodes/{name}/steps": simple("GET", "/nodes/n1/steps"),
    "POST /api/v1/nodes/{name}/steps": Recipe(run_steps, run_steps_more),
    "GET /api/v1/nodes/{name}/overlay": simple("GET", "/nodes/n1/overlay"),
    "GET /api/v1/overlay-status": simple("GET", "/overlay-status?nodes=n1"),
    "GET /api/v1/nodes/{name}/cloud-init": simple("GET", "/nodes/n1/cloud-init"),
    "GET /api/v1/nodes/{name}/secrets": Recipe(lambda world: Request("GET", "/nodes/n1/secrets", who="boot1")),
    "PATCH /api/v1/networks/{name}": Recipe(
        lambda world: Request("PATCH", f"/networks/{world.network()}", {"description": "changed"})),
    "DELETE /api/v1/networks/{name}": Recipe(lambda world: Request("DELETE", f"/networks/{world.network()}")),
    "GET /api/v1/profiles": Recipe(lambda world: Request("GET", f"/profiles?limit=1{'' if world.profile() else ''}")),
    "POST /api/v1/profiles": Recipe(
        lambda world: Request("POST", "/profiles", profile_body(world)),
        lambda world: [Request("POST", "/profiles", profile_body(world, name=world.profile()))]),
    "GET /api/v1/profiles/{name}": Recipe(lambda world: Request("GET", f"/profiles/{world.profile()}")),
    "PUT /api/v1/profiles/{name}": Recipe(
        lambda world: put_new(world, "/profiles", profile_body(world)),
        lambda world: [put_again(world, "/profiles", world.profile(), profile_body(world)),
                       put_new(world, "/profiles", profile_body(world, inherits=["nosuch"]))]),
    "PATCH /api/v1/profiles/{name}": Recipe(
        lambda world: Request("PATCH", f"/profiles/{world.profile()}", {"description": "changed"})),
    "POST /api/v1/profiles/{name}/rename": Recipe(
        lambda world: Request("POST", f"/profiles/{world.profile()}/rename", {"to": world.fresh("p"), "why": "clearer"}),
        lambda world: [Request("POST", f"/profiles/{world.profile()}/rename", {"to": world.profile()})]),
    "DELETE /api/v1/profiles/{name}": Recipe(lambda world: Request("DELETE", f"/profiles/{world.profile()}")),
    "GET /api/v1/images": Recipe(lambda world: Request("GET", f"/images?limit=1{'' if world.image() else ''}")),
    "POST /api/v1/images": Recipe(
        lambda world: Request("POST", "/images", image_body(world.fresh("i"))),
        lambda world: [Request("POST", "/images", image_body(world.image(), 1))]),
    "GET /api/v1/images/{name}": Recipe(lambda world: Request("GET", f"/images/{world.image(2)}")),
    "PATCH /api/v1/images/{name}": Recipe(
        lambda world: Request("PATCH", f"/images/{world.image()}", {"description": "changed"})),
    "DELETE /api/v1/images/{name}": Recipe(lambda world: Request("DELETE", f"/images/{world.image()}")),
    "POST /api/v1/images/{name}/tags": Recipe(
        lambda world: Request("POST", f"/images/{world.image()}/tags", {"tag": "next", "version": "prod"})),
    "DELETE /api/v1/images/{name}/tags/{tag}": Recipe(
        lambda world: Request("DELETE", f"/images/{world.image()}/tags/prod")),
    "POST /api/v1/images/{name}/rollback": Recipe(
        lambda world: Request("POST", f"/images/{world.image(2)}/rollback", {"version": "prod"}),
        lambda world: [Request("POST", f"/images/{world.image()}/rollback", {})]),
    "POST /api/v1/images/{name}/prune": Recipe(
        lambda world: Request("POST", f"/images/{world.image(3)}/prune", {"keep": 1})),
    "GET /api/v1/openapi.yaml": simple("GET", "/openapi.yaml"),
    "GET /api/v1/operations": Recipe(
        lambda world: Request("GET", f"/operations?state=done&kind=call&limit=1{'' if world.operation(True) else ''}")),
    "GET /api/v1/operations/{id}": Recipe(
        lambda world: Request("GET", f"/operations/{world.operation(True)}?wait=5")),
    "DELETE /api/v1/operations/{id}": Recipe(
        lambda world: Request("DELETE", f"/operations/{world.operation()}?why=test"), operation_more),
    "GET /api/v1/settings": simple("GET", "/settings?limit=3&sort=-key"),
    "PATCH /api/v1/settings": Recipe(
        lambda world: Request("PATCH", "/settings", {
            "set": {"confirm.above": "64", "log.levels": "link=notice"}, "unset": ["tree.move_least"], "why": "big site"}),
        lambda world: [Request("PATCH", "/settings", {"set": {"nosuch": "1"}})]),
    "GET /api/v1/settings/{key}": simple("GET", "/settings/tree.heartbeat"),
    "PUT /api/v1/settings/{key}": Recipe(
        lambda world: Request("PUT", "/settings/confirm.above", {"value": "32", "why": "careful"})),
    "DELETE /api/v1/settings/{key}": simple("DELETE", "/settings/confirm.above"),
    "GET /api/v1/local/log-levels": simple("GET", "/local/log-levels"),
    "PUT /api/v1/local/log-levels": simple("PUT", "/local/log-levels", body={"levels": {"link": "debug", "*": "info"}}),
    "POST /api/v1/local/reload": Recipe(reload, reload_more),
    "GET /api/v1/tokens": simple("GET", "/tokens?limit=1"),
    "POST /api/v1/tokens": simple("POST", "/tokens", body={"role": "compute", "names": "z[1-3]", "ttl_s": 60}),
    "DELETE /api/v1/tokens/{id}": Recipe(lambda world: Request("DELETE", f"/tokens/{world.token()['id']}")),
    "GET /api/v1/version": simple("GET", "/version"),
    "GET /api/v1/watch": Recipe(
        lambda world: Request("GET", "/watch?since=1&kind=node", stream=True),
        lambda world: [Request("GET", "/watch?since=999999999")]),
}


def unused_key():
    return uuid.uuid4().hex

