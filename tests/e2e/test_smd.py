"""OpenCHAMI's clients against a real master, request by request as they send them: magellan's posts, ochami's
static discovery, coresmd's polls, BSS's probe and power-control's reports. The real programs are not packaged here.
"""
import json
import pathlib
import subprocess
import sys
import urllib.parse

import pytest

import cluster as c
import recipes_smd as smd

BASE = "/hsm/v2"


@pytest.fixture(scope="module")
def receiver_certificate(tmp_path_factory):
    """Certificate and key of a receiver of notifications; its own CA."""
    folder = tmp_path_factory.mktemp("receiver")
    pem, key = folder / "receiver.pem", folder / "receiver.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                    "-subj", "/CN=receiver", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", pem],
                   check=True, capture_output=True)
    return pem, key


@pytest.fixture(scope="module")
def cluster(receiver_certificate):
    with c.Cluster("smd", master_flags=("--tls-trust", str(receiver_certificate[0]))) as made:
        yield made


@pytest.fixture(scope="module")
def token(cluster):
    made = cluster.api.json("POST", "/credentials", {"name": "magellan", "role": "operator"})
    return made["token"]


class Client:
    """curl over HTTPS, as far from our own code as a client can be."""

    def __init__(self, cluster, token=None, agent="magellan"):
        self.url = f"https://127.0.0.1:{cluster.http_port}{BASE}"
        self.common = ["curl", "-sS", "--cacert", str(cluster.ca_pem), "-A", agent, "-w", "\n%{http_code} %{content_type}"]
        if token:
            self.common += ["-H", f"Authorization: Bearer {token}"]

    def ask(self, method, path, body=None, kind="application/json"):
        """Status, media type and JSON (or text) of the answer. `kind` "": no Content-Type, as ochami sends."""
        command = [*self.common, "-X", method, self.url + path]
        if body is not None:
            command += ["-H", f"Content-Type:{' ' + kind if kind else ''}", "--data-binary", "@-"]
        text = None if body is None else json.dumps(body, indent=1)
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=True, timeout=60)
        body, _, last = done.stdout.rpartition("\n")
        status, _, media = last.partition(" ")
        return int(status), media, json.loads(body) if "json" in media else body


def test_magellan_sends_what_it_collected(cluster, token):
    magellan = Client(cluster, token)
    blade = smd.payload("x1000c0s0b0", "10.1.0.10", ["02:00:00:00:10:00"])
    nodes = [dict(blade["Systems"][0], uri=f"https://10.1.0.10/redfish/v1/Systems/Node{i}", name=f"Node{i}",
                  ethernet_interfaces=[{"uri": f"/redfish/v1/Systems/Node{i}/EthernetInterfaces/1",
                                        "mac": f"02:00:00:00:10:0{i}", "ip": ""}]) for i in (3, 1, 0, 2)]
    status, _, made = magellan.ask("POST", "/Inventory/RedfishEndpoints", dict(blade, Systems=nodes))
    assert (status, made) == (201, [{"URI": BASE + "/Inventory/RedfishEndpoints/x1000c0s0b0"}])
    status, _, _ = magellan.ask("POST", "/Inventory/RedfishEndpoints", dict(blade, Systems=nodes))
    assert status == 201  # once more
    status, _, _ = magellan.ask("PUT", "/Inventory/RedfishEndpoints/x1000c0s0b0", dict(blade, Systems=nodes))
    assert status == 200  # --force-update
    components = magellan.ask("GET", "/State/Components?type=Node")[2]["Components"]
    assert [one["ID"] for one in components] == [f"x1000c0s0b0n{i}" for i in range(4)]
    assert len({one["NID"] for one in components}) == 4
    assert {one["Role"] for one in components} == {"Compute"}
    # The same machines as everybody else sees them.
    assert set(cluster.api.nodes()) == {one["ID"] for one in components}


def test_ochami_defines_a_cluster_statically(cluster, token):
    ochami = Client(cluster, token, "ochami")
    plain = {"kind": ""}
    invented = {"ID": "x2000c0s0b0", "FQDN": "172.16.0.101", "Name": "bmc1", "MACAddr": "de:ca:fc:0f:fe:01", "SchemaVersion": 1,
                "Systems": [{"uri": "/redfish/v1/Systems/x2000c0s0b0n0", "uuid": "11111111-0000-0000-0000-000000000001",
                             "name": "node1", "ethernet_interfaces": [
                                 {"uri": "/redfish/v1/Systems/x2000c0s0b0n0/EthernetInterfaces/1",
                                  "mac": "de:ca:fc:0f:ee:01", "ip": "172.16.0.1"}]}],
                "Managers": [{"uri": "/redfish/v1/Managers/x2000c0s0b0", "name": "bmc1", "type": "BMC"}]}
    assert ochami.ask("POST", "/Inventory/RedfishEndpoints", invented, **plain)[0] == 201
    body = {"Components": [{"ID": "x2000c0s0b0n0", "NID": 1, "Type": "Node", "State": "On", "Enabled": True,
                            "Role": "Application"}], "Force": True}
    assert ochami.ask("POST", "/State/Components", body, **plain)[0] == 204
    status, _, _ = ochami.ask("POST", "/Inventory/EthernetInterfaces",
                              {"ID": "", "Type": "", "ComponentID": "x2000c0s0b0n0", "Description": "HSN",
                               "MACAddress": "de:ca:fc:0f:ee:02", "IPAddresses": [{"IPAddress": "172.17.0.1"}]}, **plain)
    assert status == 201
    assert ochami.ask("POST", "/groups", {"label": "login", "description": "", "tags": None,
                                          "members": {"ids": ["x2000c0s0b0n0"]}}, **plain)[0] == 201
    assert ochami.ask("POST", "/groups", {"label": "compute", "members": {"ids": ["x2000c0s0b0n0"]}}, **plain)[0] == 201
    shown = ochami.ask("GET", "/State/Components/x2000c0s0b0n0/")[2]
    assert (shown["NID"], shown["Role"]) == (1, "Application")
    assert ochami.ask("GET", "/State/Components/ByNID/1")[2]["ID"] == "x2000c0s0b0n0"
    found = ochami.ask("GET", "/Inventory/EthernetInterfaces?" + urllib.parse.urlencode({"MACAddress": "DE:CA:FC:0F:EE:02"}))[2]
    assert [one["IPAddresses"] for one in found] == [[{"IPAddress": "172.17.0.1"}]]
    assert ochami.ask("PATCH", "/State/Components/BulkNID", {"Components": [{"ID": "x2000c0s0b0n0", "NID": 2}]}, **plain)[0] == 204
    assert ochami.ask("GET", "/memberships/x2000c0s0b0n0")[2] == {
        "id": "x2000c0s0b0n0", "groupLabels": ["compute", "login"], "partitionName": ""}
    assert ochami.ask("DELETE", "/groups/login")[2] == {"code": 0, "message": "deleted 1 entry"}


def test_coresmd_polls_without_a_token(cluster):
    coresmd = Client(cluster, None, "Go-http-client/1.1")
    for path in ("/Inventory/EthernetInterfaces", "/State/Components"):
        assert coresmd.ask("GET", path)[0] == 401
    cluster.api.json("PUT", "/settings/smd.open_reads", {"value": "true"})
    components = {one["ID"]: one for one in coresmd.ask("GET", "/State/Components")[2]["Components"]}
    interfaces = coresmd.ask("GET", "/Inventory/EthernetInterfaces/")[2]
    boot = next(one for one in interfaces if one["MACAddress"] == "de:ca:fc:0f:ee:01")
    assert boot["IPAddresses"] == [{"IPAddress": "172.16.0.1"}]
    assert components[boot["ComponentID"]]["NID"] == 2 and boot["Type"] == "Node"
    assert all(one["MACAddress"] == one["MACAddress"].lower() for one in interfaces)
    assert coresmd.ask("GET", "/groups")[0] == 401


def test_bss_probes_and_reads(cluster, token):
    nobody, bss = Client(cluster), Client(cluster, token, "BSS")
    assert nobody.ask("GET", "/Inventory/RedfishEndpoints")[0] == 401  # so it knows that it needs a token
    assert nobody.ask("GET", "/service/values/class")[2] == {"Class": ["River", "Mountain", "Hill"]}
    assert nobody.ask("GET", "/service/ready")[2]["code"] == 0
    assert nobody.ask("GET", "/service/liveness")[0] == 204
    endpoints = bss.ask("GET", "/Inventory/ComponentEndpoints?type=Node")[2]["ComponentEndpoints"]
    node = next(one for one in endpoints if one["ID"] == "x1000c0s0b0n0")
    assert node["RedfishSystemInfo"]["EthernetNICInfo"][0]["MACAddress"] == "02:00:00:00:10:00"
    assert node["Enabled"] and node["RedfishEndpointFQDN"] == "10.1.0.10"


def test_power_control_reports_states(cluster, token):
    pcs = Client(cluster, token, "pcs")
    ids = [f"x1000c0s0b0n{i}" for i in range(4)]
    asked = pcs.ask("POST", "/State/Components/Query", {"ComponentIDs": ids, "type": ["Node"]})[2]["Components"]
    assert len(asked) == 4
    assert pcs.ask("PATCH", "/State/Components/BulkStateData", {"ComponentIDs": ids, "State": "Off", "Flag": "OK"})[0] == 204
    node = cluster.api.get("/nodes/x1000c0s0b0n1")
    assert node["power"]["state"] == "off" and node["power"]["who"].startswith("bearer:") or "magellan" in node["power"]["who"]
    status, media, problem = pcs.ask("PATCH", "/State/Components/BulkStateData", {"ComponentIDs": ids, "State": "Standby"})
    assert (status, media, problem["type"], problem["title"]) == (400, "application/problem+json", "about:blank", "Bad Request")
    cluster.api.json("PUT", "/settings/smd.strict", {"value": "true"})
    assert pcs.ask("PATCH", "/State/Components/BulkStateData", {"ComponentIDs": ids, "State": "Standby"})[0] == 204
    assert pcs.ask("GET", "/State/Components/x1000c0s0b0n1")[2]["State"] == "Off"


class Receiver:
    """A process that takes notifications; `url` is where, `told()` what it was told next."""

    def __init__(self, folder, *certificate):
        self.file = folder / "notifications"
        self.file.touch()
        script = pathlib.Path(__file__).with_name("scn_receiver.py")
        self.process = subprocess.Popen([sys.executable, script, self.file, *certificate], stdout=subprocess.PIPE, text=True)
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{int(self.process.stdout.readline())}/boot/v1/scn"
        self.heard = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def told(self):
        lines = c.wait_for("a notification", lambda: self.file.read_text().splitlines()[self.heard:])
        self.heard += 1
        return json.loads(lines[0])


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_subscribers_are_told_of_changes(cluster, token, receiver_certificate, tmp_path, secure):
    ids = [f"x1000c0s0b0n{i}" for i in range(4)]
    client = Client(cluster, token)
    on, off = ({"ComponentIDs": ids, "State": state} for state in ("On", "Off"))
    assert client.ask("PATCH", "/State/Components/BulkStateData", off)[0] == 204
    with Receiver(tmp_path, *(receiver_certificate if secure else ())) as receiver:
        body = {"Subscriber": "bss@here", "Url": receiver.url, "States": ["On", "Ready"], "Enabled": True}
        made = cluster.api.ask("POST", BASE + "/Subscriptions/SCN", body, base="")
        assert made.status == 200 and made.json["States"] == ["On", "Ready"]
        assert client.ask("PATCH", "/State/Components/BulkStateData", on)[0] == 204
        # The first try is refused; the second says all that changed alike as one.
        assert receiver.told() == {"path": "/boot/v1/scn", "type": "application/json",
                                   "body": {"Components": ids, "Flag": "OK", "State": "On"}}
        # A change by another way than SMD's is told as well.
        cluster.api.json("PATCH", f"/nodes/{ids[2]}", {"enabled": False})
        assert receiver.told()["body"] == {"Components": [ids[2]], "Enabled": False}
        cluster.api.json("PATCH", f"/nodes/{ids[2]}", {"enabled": True})
        assert receiver.told()["body"] == {"Components": [ids[2]], "Enabled": True}
        assert cluster.api.ask("DELETE", BASE + "/Subscriptions/SCN", base="").status == 200


def test_it_is_all_there_after_a_restart(cluster, token):
    client = Client(cluster, token)
    paths = ("/State/Components", "/Inventory/EthernetInterfaces", "/Inventory/RedfishEndpoints",
             "/Inventory/ComponentEndpoints", "/groups", "/partitions", "/memberships")
    before = [client.ask("GET", path)[2] for path in paths]
    cluster.master.kill()
    cluster.start_master()
    assert [client.ask("GET", path)[2] for path in paths] == before

