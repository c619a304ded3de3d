"""Machines are found by their BMCs and become nodes: a real master, real TLS, emulated BMCs at addresses of their own."""
import itertools
import json
import re

import pytest

import bmcs
import cluster as c

# Networks of loopback addresses, one for each test.
_networks = itertools.count(1)


@pytest.fixture(scope="module")
def cluster():
    with c.Cluster("discover") as made:
        made.cli("power", "credential", "default", "--user", "root", "--password-file", "-", text="calvin\n", check=0)
        yield made


@pytest.fixture
def network():
    return f"127.0.{next(_networks) + 40}"


def first_of(network):
    """Machines of different tests have serial numbers and MACs of their own: a known one would be known again."""
    return int(network.rsplit(".", 1)[1]) * 1000


def fleet(cluster, network, count, *flags, **more):
    return bmcs.Bmcs(cluster.run, "--spread", "yes", "--host", f"{network}.1", "--count", count, "--power-time", 100,
                     "--first", first_of(network), *flags, **more)


def scan(cluster, network, fleet, *flags, check=0):
    return cluster.cli("discover", "scan", f"{network}.0/28", "--ports", fleet.port(), "--patience", 800, *flags,
                       check=check).stdout


def adopt(cluster, network, *words, check=0):
    return cluster.cli("discover", "adopt", *words, "--bmcs", f"{network}.0/24", "--yes", check=check).stdout


def collect(cluster, network, check=0):
    done = cluster.cli("discover", "collect", "--bmcs", f"{network}.0/24", check=check)
    return done.stdout + done.stderr


def spec(cluster, node):
    return cluster.api.get(f"/nodes/{node}")["spec"]


def test_from_scan_to_power_with_nothing_typed_in(cluster, network):
    with fleet(cluster, network, 4) as four:
        asked = scan(cluster, network, four, "--dry-run")
        assert f"would ask {network}.[1-14]" in asked and f"HTTPS at port {four.port()}" in asked
        said = scan(cluster, network, four)
        assert f"{network}.[1-4]: Redfish 1.15.0 at port {four.port()} (Contoso Controller)\n" in said
        assert "10 addresses: no BMC (the connection is refused)\n" in said
        assert f"{network}.[1-4]: 1 machine, 12 parts, 2 NICs" in collect(cluster, network)
        plan = adopt(cluster, network, "a[1-8]", "--dry-run")
        assert "would be: 4 created" in plan, plan
        assert cluster.cli("node", "show", "a1").returncode != 0
        done = adopt(cluster, network, "a[1-8]", "--network", "mgmt", "--address", "10.1.0.${number}/16")
        assert "4 created, 0 changed, 0 replaced, 0 as they were, 0 skipped\n" in done
        first = spec(cluster, "a1")
        assert first["bmc"]["address"] == f"{network}.1"
        assert first["attributes"]["serial"] == f"S{first_of(network):06}-0"
        assert [len(i["addresses"]) for i in first["interfaces"]] == [1, 0]
        assert cluster.cli("power", "on", "a[1-4]", "--yes", check=0).stdout == "a[1-4]: on\n"
        listed = {b["address"]: b for b in cluster.cli_json("discover", "list")["items"]}
        assert listed[f"{network}.3"]["nodes"] == "a3" and listed[f"{network}.3"]["machines"] == 1
        # SMD's clients see the same BMCs, by the places of their nodes.
        shown = cluster.api.ask("GET", "/Inventory/RedfishEndpoints", base="/hsm/v2")
        assert f"{network}.4" in {e["FQDN"] for e in shown.json["RedfishEndpoints"]}, shown.body


def test_a_second_run_asks_and_changes_only_what_is_new(cluster, network):
    with fleet(cluster, network, 2) as two:
        port = two.port()
        scan(cluster, network, two)
        collect(cluster, network)
        adopt(cluster, network, "b[1-8]")
    # They are gone, and known still.
    assert f"{network}.[1-2]: Redfish" in cluster.cli("discover", "scan", f"{network}.0/28", "--ports", port,
                                                      "--patience", 500, check=0).stdout
    with fleet(cluster, network, 3, port=port) as three:
        assert f"would ask {network}.[3-14]" in scan(cluster, network, three, "--dry-run")
        scan(cluster, network, three)
        collect(cluster, network)
        before = cluster.api.changes("&kind=node")
        done = adopt(cluster, network, "b[1-8]")
        assert "1 created, 0 changed, 0 replaced, 2 as they were" in done
        assert len(cluster.api.changes("&kind=node")) == len(before) + 1
        cluster.cli("discover", "forget", f"{network}.3", check=0)
        assert cluster.cli("discover", "forget", f"{network}.3").returncode != 0


def test_a_replaced_machine_keeps_its_node(cluster, network):
    with fleet(cluster, network, 2) as old:
        port = old.port()
        scan(cluster, network, old)
        collect(cluster, network)
        adopt(cluster, network, "c[1-8]", "--address", "10.3.0.${number}/16")
        was = cluster.api.get("/nodes/c2")
    with fleet(cluster, network, 2, "--first", 500, port=port):
        assert "2 NICs" in collect(cluster, network)
        done = adopt(cluster, network, "c[1-8]")
        assert re.search(r"c2 +replace", done) and f"S{first_of(network) + 1:06}-0 becomes S000501-0" in done, done
        now = cluster.api.get("/nodes/c2")
    assert now["id"] == was["id"]
    assert now["spec"]["interfaces"][0]["addresses"] == ["10.3.0.${number}/16"]
    assert now["spec"]["interfaces"][0]["mac"] != was["spec"]["interfaces"][0]["mac"]
    assert len(now["spec"]["interfaces"]) == 2


def test_all_machines_of_a_bmc_in_the_order_of_a_map(cluster, network, tmp_path):
    rows = f"racks:\n  - {{nodes: 'd[1-8]', first: {network}.1, per_bmc: 4, rack: r7}}\n"
    (tmp_path / "map.yaml").write_text(rows)
    with fleet(cluster, network, 2, "--systems", 4) as chassis:
        scan(cluster, network, chassis)
        assert "4 machines" in collect(cluster, network)
        assert "8 created" in adopt(cluster, network, "--map", tmp_path / "map.yaml")
        assert [spec(cluster, f"d{n}")["attributes"]["bmc_system"] for n in (1, 4, 5)] == ["Node0", "Node3", "Node0"]
        assert spec(cluster, "d6")["attributes"]["rack"] == "r7"
        assert "8 as they were" in adopt(cluster, network, "--map", tmp_path / "map.yaml")
        assert cluster.cli("power", "on", "d[1-8]", "--yes", check=0).stdout == "d[1-8]: on\n"
    (tmp_path / "map.yaml").write_text("racks:\n  - {nodes: 'd[1-8'}\n")
    assert "line 2" in cluster.cli("discover", "adopt", "--map", tmp_path / "map.yaml", check=2).stderr


def test_a_list_of_serial_numbers_says_who_is_who(cluster, network):
    with fleet(cluster, network, 3, "--first", 700) as three:
        scan(cluster, network, three)
        collect(cluster, network)
        done = cluster.cli("discover", "adopt", "--serials", "-", "--bmcs", f"{network}.0/24",
                           text="S000702-0 e1\nS000700-0,e3\n", check=1).stdout
        assert "2 created" in done and "the map has no place for it" in done, done
        assert spec(cluster, "e1")["bmc"]["address"] == f"{network}.3"


def test_the_hostile_hold_nobody_up(cluster, network):
    with fleet(cluster, network, 1) as good:
        hostile = [bmcs.Bmcs(cluster.run, "--host", f"{network}.{place}", "--hostility", kind, port=good.port())
                   for place, kind in ((2, "wrong_types"), (3, "garbage"), (4, "huge"), (5, "redirect"))]
        for one in hostile:
            one.start()
        try:
            scan(cluster, network, good)
            said = collect(cluster, network, check=1)
            assert f"{network}.1: 1 machine" in said, said
            done = cluster.cli("discover", "adopt", "f[1-8]", "--bmcs", f"{network}.0/24", "--yes", check=1)
            assert re.search(r"f1 +create", done.stdout), done
            assert "\x1b" not in done.stdout + said
        finally:
            for one in hostile:
                one.stop()


def test_what_cannot_be_scanned_is_said_before_anything_is_asked(cluster):
    refused = cluster.cli("discover", "scan", "10.0.0.0/8")
    assert refused.returncode == 2 and "16777214 addresses, and one scan asks at most 65536" in refused.stderr
    assert cluster.cli("discover", "scan", "nowhere").returncode == 2
    assert cluster.cli("discover", "collect").returncode == 2
    assert cluster.cli("discover", "adopt", "--map", "x", "--by-port").returncode == 2


def test_a_scan_goes_on_under_the_next_start_of_the_master(cluster, network):
    with fleet(cluster, network, 2) as two:
        identity = cluster.cli("discover", "scan", f"{network}.0/26", "--ports", two.port(), "--patience", 800,
                               "--at-a-time", 4, "--async", check=0).stdout.strip()
        c.wait_for("it has begun", lambda: cluster.api.get(f"/operations/{identity}")["settled"] >= 4)
        cluster.master.kill()
        cluster.start_master()
        ended = cluster.api.get(f"/operations/{identity}?wait=60", timeout=70)
        assert (ended["state"], ended["taken_up"], ended["settled"]) == ("done", 1, 62), ended
    listed = [b["address"] for b in json.loads(cluster.cli("discover", "list", "-o", "json", check=0).stdout)["items"]]
    assert {f"{network}.1", f"{network}.2"} <= set(listed)
