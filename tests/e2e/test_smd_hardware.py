"""SMD's hardware inventory and discovery against an emulated BMC that is really looked through."""
import pytest

import bmcs
import cluster as c

BASE = "/hsm/v2"
BMC = "x1000c0s0b0"
NODE = BMC + "n0"


@pytest.fixture(scope="module")
def cluster():
    with c.Cluster("smdhw") as made, bmcs.Bmcs(made.run) as machines:
        made.api.json("POST", "/nodes", {"name": NODE, "spec": {
            "bmc": {"address": "127.0.0.1"}, "attributes": {"bmc_port": str(machines.port())}}})
        # The password that came with the endpoint is the one that discovery gets in with.
        endpoint = {"ID": BMC, "FQDN": "127.0.0.1", "User": "root", "Password": "calvin"}
        assert made.api.ask("POST", BASE + "/Inventory/RedfishEndpoints", endpoint, base="").status == 201
        yield made


def get(cluster, target):
    answer = cluster.api.ask("GET", BASE + target, base="")
    assert answer.status == 200, answer.body
    return answer.json


def discover(cluster):
    begun = cluster.api.ask("POST", BASE + "/Inventory/Discover", {"xnames": [BMC]}, base="")
    assert begun.status == 200 and begun.json == [{"URI": f"{BASE}/Inventory/DiscoveryStatus/0"}]
    c.wait_for("the look is over", lambda: get(cluster, "/Inventory/DiscoveryStatus/0")["Status"] == "Complete")


def test_discover_fills_the_inventory(cluster):
    assert get(cluster, "/Inventory/DiscoveryStatus")[0]["Status"] == "NotStarted"
    assert get(cluster, "/Inventory/Hardware") == []
    discover(cluster)
    assert get(cluster, f"/Inventory/RedfishEndpoints/{BMC}")["DiscoveryInfo"]["LastDiscoveryStatus"] == "DiscoverOK"
    found = get(cluster, f"/Inventory/Hardware/Query/{BMC}")
    assert found["Format"] == "NestNodesOnly" and [one["ID"] for one in found["NodeBMCs"]] == [BMC]
    node, = found["Nodes"]
    assert node["ID"] == NODE and node["Processors"] and node["Memory"]
    flat = get(cluster, f"/Inventory/Hardware/Query/{NODE}?format=FullyFlat")
    assert flat["Memory"] == node["Memory"] and len(flat["Nodes"]) == 1
    # The same by piece, and the same again after a restart.
    for one in (*node["Processors"], *node["Memory"]):
        assert get(cluster, f"/Inventory/HardwareByFRU/{one['PopulatedFRU']['FRUID']}") == one["PopulatedFRU"]
    everything = get(cluster, "/Inventory/Hardware")
    assert len({one["ID"] for one in everything}) == len(everything)
    cluster.master.kill()
    cluster.start_master()
    assert get(cluster, "/Inventory/Hardware") == everything
    update = get(cluster, f"/Inventory/ServiceEndpoints/UpdateService/RedfishEndpoints/{BMC}")
    assert update["ServiceInfo"]["Actions"]["#UpdateService.SimpleUpdate"]["target"].startswith("/redfish/v1/UpdateService")


def test_the_history_is_that_of_the_looks(cluster):
    first = get(cluster, f"/Inventory/Hardware/History/{NODE}d0")["History"]
    assert [one["EventType"] for one in first] == ["Detected"]
    fru = first[0]["FRUID"]
    discover(cluster)  # nothing is new
    assert get(cluster, f"/Inventory/Hardware/History/{NODE}d0")["History"] == first
    # The endpoint goes, and with it what was found behind it.
    assert cluster.api.ask("DELETE", f"{BASE}/Inventory/RedfishEndpoints/{BMC}", base="").status == 200
    assert get(cluster, f"/Inventory/Hardware?id={NODE}d0") == []
    events = get(cluster, f"/Inventory/HardwareByFRU/History/{fru}")["History"]
    assert [(one["ID"], one["EventType"]) for one in events] == [(NODE + "d0", "Detected"), (NODE + "d0", "Removed")]
    assert events[0]["Timestamp"] <= events[1]["Timestamp"]
    by_place = {one["ID"]: one["History"] for one in get(cluster, "/Inventory/Hardware/History")["Components"]}
    assert all([event["EventType"] for event in history] == ["Detected", "Removed"] for history in by_place.values())
