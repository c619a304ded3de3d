"""OpenCHAMI's power control on real masters and emulated BMCs: transitions, status, deputy keys, locks."""
import json
import urllib.parse

import pytest

import bmcs
import cluster as c


@pytest.fixture(scope="module")
def cluster():
    with c.Cluster("pcs") as made:
        yield made


@pytest.fixture(scope="module")
def fleet(cluster):
    """Four BMCs, whose machines are the nodes x0c0s0b0n0 to x0c0s3b0n0."""
    with bmcs.Bmcs(cluster.run, "--count", 4, "--power-time", 300, "--shutdown-time", 600) as made:
        cluster.cli("power", "credential", "default", "--user", "root", "--password-file", "-", text="calvin\n", check=0)
        for index in range(4):
            spec = {"bmc": {"address": "127.0.0.1"}, "attributes": {"bmc_port": str(made.port(index))}}
            cluster.api.json("POST", "/nodes", {"name": xname(index), "spec": spec})
        yield made


def xname(index):
    return f"x0c0s{index}b0n0"


def ask(cluster, method, path, body=None, headers=None):
    return cluster.api.ask(method, path, body, headers, base="")


def transition(cluster, operation, *xnames, deputy=None, **more):
    location = [{"xname": x, **({"deputyKey": deputy} if deputy else {})} for x in xnames]
    made = ask(cluster, "POST", "/transitions", {"operation": operation, "location": location, **more})
    assert made.status == 200, made.body
    assert made.headers["Location"] == f"/transitions/{made.json['transitionID']}"
    return made.json["transitionID"]


def ended(cluster, transition_id):
    shown = {}

    def over():
        shown.update(ask(cluster, "GET", f"/transitions/{transition_id}").json)
        return shown["transitionStatus"] in ("completed", "aborted")
    c.wait_for("the transition ends", over)
    return shown


def status_of(cluster, *xnames, **filters):
    query = [("xname", x) for x in xnames] + list(filters.items())
    answer = ask(cluster, "GET", "/power-status?" + urllib.parse.urlencode(query))
    assert answer.status == 200, answer.body
    return {one["xname"]: one for one in answer.json["status"]}


def test_a_transition_switches_and_is_counted(cluster, fleet):
    done = ended(cluster, transition(cluster, "On", xname(0), xname(1), "x9c0s0b0n0"))
    assert done["taskCounts"] == {"total": 3, "new": 0, "in-progress": 0, "failed": 1, "succeeded": 2, "un-supported": 0}
    tasks = {task["xname"]: task for task in done["tasks"]}
    assert tasks[xname(0)]["taskStatusDescription"] == "Transition confirmed, on"
    assert tasks["x9c0s0b0n0"]["error"] == "Missing xname"
    seen = status_of(cluster, xname(0), xname(2))
    assert [seen[x]["powerState"] for x in seen] == ["on", "off"]
    assert seen[xname(0)]["managementState"] == "available" and "Soft-Off" in seen[xname(0)]["supportedPowerTransitions"]
    listed = ask(cluster, "GET", "/v1/transitions").json["transitions"]
    assert listed[0]["transitionID"] == done["transitionID"] and "tasks" not in listed[0]


def test_what_the_command_does_is_a_transition_too(cluster, fleet):
    cluster.cli("power", "off", xname(0), "--graceful", 20, check=0)
    newest = ask(cluster, "GET", "/transitions").json["transitions"][0]
    assert (newest["operation"], newest["transitionStatus"], newest["taskCounts"]["succeeded"]) == ("Off", "completed", 1)
    assert cluster.cli("power", "soft-restart", xname(1), check=0).stdout == f"{xname(1)}: on\n"


def test_a_reservation_lets_its_deputy_pass_and_nobody_else(cluster, fleet):
    made = ask(cluster, "POST", "/hsm/v2/locks/service/reservations",
               {"ComponentIDs": [xname(2)], "ReservationDuration": 5}).json["Success"][0]
    assert "reserved until" in ended(cluster, transition(cluster, "on", xname(2)))["tasks"][0]["error"]
    refused = ended(cluster, transition(cluster, "on", xname(2), deputy="x"))["tasks"][0]
    assert "deputy key is not the one" in refused["error"]
    assert "reserved until" in cluster.cli("power", "on", xname(2), check=1).stderr
    assert ended(cluster, transition(cluster, "on", xname(2), deputy=made["DeputyKey"]))["taskCounts"]["succeeded"] == 1
    ask(cluster, "POST", "/hsm/v2/locks/service/reservations/release",
        {"ReservationKeys": [{"ID": xname(2), "Key": made["ReservationKey"]}]})
    cluster.cli("power", "off", xname(2), "--graceful", 20, check=0)


def test_a_lock_stops_both_and_force_passes(cluster, fleet):
    ask(cluster, "POST", "/hsm/v2/locks/lock", {"ComponentIDs": [xname(3)]})
    assert "it is locked" in ended(cluster, transition(cluster, "on", xname(3)))["tasks"][0]["error"]
    assert "it is locked" in cluster.cli("power", "on", xname(3), check=1).stderr
    cluster.cli("power", "identify", xname(3), "blink", check=0)  # finding it is no change
    assert cluster.cli("power", "on", xname(3), "--force", check=0).stdout == f"{xname(3)}: on\n"
    ask(cluster, "POST", "/hsm/v2/locks/unlock", {"ComponentIDs": [xname(3)]})


def test_an_abort_and_a_second_change_beside_the_first(cluster):
    with bmcs.Bmcs(cluster.run, "--power-time", 20000, name="slow") as slow:
        spec = {"bmc": {"address": "127.0.0.1"}, "attributes": {"bmc_port": str(slow.port())}}
        cluster.api.json("POST", "/nodes", {"name": "x1c0s0b0n0", "spec": spec})
        first = transition(cluster, "on", "x1c0s0b0n0")
        status = {"ComponentIDs": ["x1c0s0b0n0"]}
        c.wait_for("it is reserved", lambda: ask(cluster, "POST", "/hsm/v2/locks/status", status)
                   .json["Components"][0]["Reserved"])
        second = ended(cluster, transition(cluster, "off", "x1c0s0b0n0"))
        assert "it is reserved by the operation" in second["tasks"][0]["error"]
        assert ask(cluster, "DELETE", f"/transitions/{first}").status == 202
        assert ended(cluster, first)["transitionStatus"] == "aborted"
        c.wait_for("it is released", lambda: not ask(cluster, "POST", "/hsm/v2/locks/status", status)
                   .json["Components"][0]["Reserved"])
        assert ask(cluster, "DELETE", f"/transitions/{second['transitionID']}").status == 400


def test_bodies_need_no_content_type_and_paths_take_a_slash(cluster, fleet):
    raw = json.dumps({"xname": [xname(0)], "managementStateFilter": "AVAILABLE"})
    answer = ask(cluster, "POST", "/power-status/", json.loads(raw), {"Content-Type": ""})
    assert answer.status == 200 and len(answer.json["status"]) == 1, answer.body


def test_a_bmc_that_is_gone_is_unavailable(cluster):
    spec = {"bmc": {"address": "127.0.0.1"}, "attributes": {"bmc_port": str(c.free_port())}}
    cluster.api.json("POST", "/nodes", {"name": "x2c0s0b0n0", "spec": spec})
    one = status_of(cluster, "x2c0s0b0n0")["x2c0s0b0n0"]
    assert (one["powerState"], one["managementState"]) == ("undefined", "unavailable") and one["error"], one


def test_power_is_capped_through_both_interfaces(cluster, fleet):
    def ended_task(answer):
        task = answer.json["taskID"]
        c.wait_for("the task ends", lambda: ask(cluster, "GET", f"/power-cap/{task}").json["taskStatus"] == "completed")
        return ask(cluster, "GET", f"/power-cap/{task}").json
    control = {"xname": xname(0), "controls": [{"name": "Whole enclosure", "value": 600}]}
    done = ended_task(ask(cluster, "PATCH", "/power-cap", {"components": [control]}))
    assert done["taskCounts"]["succeeded"] == 1, done
    seen = ended_task(ask(cluster, "POST", "/power-cap/snapshot", {"xnames": [xname(0), xname(1)]}))
    limits = {one["xname"]: one["powerCapLimits"][0]["currentValue"] for one in seen["components"]}
    assert limits == {xname(0): 600, xname(1): 0}
    assert cluster.cli("power", "cap", xname(0), check=0).stdout == f"{xname(0)}: Whole enclosure: 600 W (up to 1600)\n"
    assert "no limit" in cluster.cli("power", "cap", xname(0), "none", check=0).stdout
    assert "more than maximum" in cluster.cli("power", "cap", xname(0), 9999, check=1).stderr


def test_the_light_shows_where_a_node_is(cluster, fleet):
    assert cluster.cli("power", "identify", xname(1), "blink", check=0).stdout == f"{xname(1)}: light blinking\n"
    assert cluster.cli("power", "identify", xname(1), "off", check=0).stdout == f"{xname(1)}: light off\n"


def test_sensors_are_read_now(cluster, fleet):
    rows = cluster.cli_json("bmc", "sensors", f"{xname(0)},{xname(1)}")["items"]
    assert {row["node"] for row in rows} == {xname(0), xname(1)} and {"CPU0", "Fan 0"} <= {row["name"] for row in rows}
    shown = cluster.cli("bmc", "sensors", xname(1), "--kind", "temperature", check=0).stdout
    assert "CPU0" in shown and "Fan 0" not in shown, shown
    cluster.api.json("POST", "/nodes", {"name": "x3c0s0b0n0"})
    bare = cluster.cli("bmc", "sensors", f"x3c0s0b0n0,{xname(1)}", check=1)
    assert "x3c0s0b0n0: it has no BMC" in bare.stderr and "CPU0" in bare.stdout, bare
