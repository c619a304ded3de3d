"""Power of nodes through BMCs: real masters, real TLS, emulated BMCs."""
import json
import subprocess

import pytest

import bmcs
import cluster as c


@pytest.fixture(scope="module")
def cluster():
    with c.Cluster("power") as made:
        yield made


@pytest.fixture(scope="module")
def fleet(cluster):
    """Four BMCs of one machine each, nodes p1 to p4."""
    with bmcs.Bmcs(cluster.run, "--count", 4, "--power-time", 300, "--shutdown-time", 600) as made:
        for index in range(4):
            define(cluster, f"p{index + 1}", made.port(index))
        cluster.cli("power", "credential", "default", "--user", "root", "--password-file", "-", text="calvin\n",
                    check=0)
        yield made


def define(cluster, node, port, **attributes):
    spec = {"bmc": {"address": "127.0.0.1"}, "attributes": {"bmc_port": str(port), **attributes}}
    cluster.api.json("POST", "/nodes", {"name": node, "spec": spec})


def power_of(cluster, node):
    return cluster.api.get(f"/nodes/{node}")["power"]


def test_on_status_off_are_seen_to_be_so(cluster, fleet):
    assert cluster.cli("power", "status", "p[1-4]", check=0).stdout == "p[1-4]: off\n"
    done = cluster.cli("power", "on", "p[1-4]", "--why", "spring", check=0)
    assert done.stdout == "p[1-4]: on\n", done
    assert cluster.cli("power", "status", "p[1-4]", check=0).stdout == "p[1-4]: on\n"
    c.wait_for("it is noted", lambda: power_of(cluster, "p1")["state"] == "on")
    noted = power_of(cluster, "p1")
    assert "spring" in noted["why"] and noted["who"].startswith("user:"), noted
    assert cluster.api.get("/nodes/p1")["phase"]["state"] == "powering"
    assert cluster.cli("power", "off", "p[1-2]", "--graceful", 20, check=0).stdout == "p[1-2]: off\n"
    c.wait_for("that too", lambda: power_of(cluster, "p2")["state"] == "off")
    assert cluster.api.get("/nodes/p2")["phase"]["state"] == "off"
    assert cluster.cli("power", "cycle", "p3", check=0).stdout == "p3: on\n"
    assert cluster.cli("power", "reset", "p1").returncode == 1  # it is off
    assert cluster.cli("power", "on", "p[1-4]", "--dry-run", check=0).stdout == "would power on p[1-4]\n"


def test_the_boot_device_is_set_once_and_always(cluster, fleet):
    assert cluster.cli("power", "boot", "p1", "pxe", check=0).stdout == "p1: Pxe, once\n"
    assert cluster.cli("power", "boot", "p1", "disk", "--persistent", check=0).stdout == "p1: Hdd, always\n"
    refused = cluster.cli("power", "boot", "p1", "usb", check=1)
    assert "boots from" in refused.stderr, refused


def test_passwords_are_never_shown_and_a_wrong_one_is_tried_once(cluster, fleet):
    listed = cluster.cli_json("power", "credentials")
    assert [(x["scope"], x["name"], x["user"]) for x in listed["items"]] == [("default", "default", "root")]
    with bmcs.Bmcs(cluster.run, "--password", "other", "--lock-out-after", 2) as strict:
        define(cluster, "locked1", strict.port())
        for _ in range(4):
            refused = cluster.cli("power", "on", "locked1", check=1)
            assert "refused the password" in refused.stderr and "calvin" not in refused.stderr
        # Had it been tried more than once, the BMC would let nobody in any more.
        cluster.cli("power", "credential", "bmc/127.0.0.1", "--user", "root", "--password-file", "-", text="other",
                    check=0)
        assert cluster.cli("power", "on", "locked1", check=0).stdout == "locked1: on\n"
        cluster.cli("power", "credential", "bmc/127.0.0.1", "--remove", check=0)
    grep = subprocess.run(["grep", "-rlaE", "calvin", str(cluster.master.state), str(cluster.master.log_path)],
                          capture_output=True, text=True)
    assert grep.stdout == "", grep.stdout
    cluster.cli("power", "credential", "nonsense", "--user", "x", "--password-file", "-", text="x", check=2)


def test_another_certificate_is_told_nothing_until_it_is_forgotten(cluster, fleet):
    first = bmcs.Bmcs(cluster.run, name="replaced").start()
    port = first.port()
    define(cluster, "r1", port)
    assert cluster.cli("power", "status", "r1", check=0).stdout == "r1: off\n"
    first.stop()
    first.new_certificate()
    with bmcs.Bmcs(cluster.run, name="replaced", port=port):
        refused = cluster.cli("power", "status", "r1", check=1)
        assert "another key" in refused.stderr, refused
        cluster.cli("power", "forget-key", f"127.0.0.1:{port}", check=0)
        assert cluster.cli("power", "status", "r1", check=0).stdout == "r1: off\n"


def test_each_node_has_its_outcome_and_reason(cluster, fleet):
    cluster.api.json("POST", "/nodes", {"name": "bare1", "spec": {}})
    define(cluster, "gone1", c.free_port())
    cluster.cli("node", "set", "p4", "locked=true", check=0)
    done = cluster.cli("power", "on", "bare1,gone1,p4,p3", check=1)
    assert done.stdout == "p3: on\n", done
    for words in ("bare1: failed: it has no BMC", "gone1: unreached", "p4: failed: it is locked"):
        assert words in done.stderr, done.stderr
    cluster.cli("node", "set", "p4", "locked=false", check=0)


def test_one_of_many_machines_is_named(cluster, fleet):
    with bmcs.Bmcs(cluster.run, "--systems", 4, "--power-time", 100) as enclosure:
        define(cluster, "m1", enclosure.port(), bmc_system="Node1")
        define(cluster, "m9", enclosure.port())
        assert cluster.cli("power", "on", "m1", check=0).stdout == "m1: on\n"
        assert "4 machines" in cluster.cli("power", "status", "m9", check=1).stderr


def test_an_operation_goes_on_under_the_next_start_of_the_master(cluster, fleet):
    with bmcs.Bmcs(cluster.run, "--power-time", 4000) as slow:
        define(cluster, "s1", slow.port())
        identity = cluster.cli("power", "on", "s1", "--async", check=0).stdout.strip()
        c.wait_for("the BMC has it", lambda: cluster.api.get(f"/operations/{identity}")["state"] == "running")
        cluster.master.kill()
        cluster.start_master()
        ended = cluster.api.get(f"/operations/{identity}?wait=60", timeout=70)
        assert (ended["state"], ended["taken_up"]) == ("done", 1), ended
        # What must not be done twice is not.
        identity = cluster.cli("power", "cycle", "s1", "--async", check=0).stdout.strip()
        cluster.master.kill()
        cluster.start_master()
        ended = cluster.api.get(f"/operations/{identity}?wait=60", timeout=70)
        assert ended["state"] == "interrupted", ended


def test_a_stuck_machine_is_not_called_done(cluster, fleet):
    with bmcs.Bmcs(cluster.run, "--stuck", "yes") as stuck:
        define(cluster, "stuck1", stuck.port())
        done = cluster.cli("power", "on", "stuck1", "--forced", 2, check=1)
        assert "stuck1: timed_out: On was accepted, but after 2 s the BMC says off" in done.stderr, done


def test_collect_keeps_what_is_behind_the_bmcs(cluster):
    with bmcs.Bmcs(cluster.run, "--gpus", 4, "--expand", "yes") as one:
        define(cluster, "d1", one.port())
        said = "d1: 1 machine, 16 parts, 2 NICs, 3 firmware versions, 0 warnings\n"
        assert cluster.cli("discover", "collect", "d1", check=0).stdout == said
        kept = cluster.api.changes("&kind=bmcs")
        assert len(kept) == 1 and len(kept[0]["after"]["inventory"]["systems"][0]["accelerators"]) == 4
        cluster.cli("discover", "collect", "d1", check=0)
        assert len(cluster.api.changes("&kind=bmcs")) == 1
    assert "d1: unreached" in cluster.cli("discover", "collect", "d1", check=1).stderr


def test_bad_requests_change_nothing(cluster, fleet):
    body = {"nodes": "p1", "action": "on"}
    for wrong, status in (({"nodes": "p1", "action": "explode"}, 400), ({**body, "per_second": 0}, 400),
                          ({"nodes": "nosuch", "action": "on"}, 404), ({**body, "group_limits": {"none": 1}}, 404)):
        assert cluster.api.ask("POST", "/power", wrong).status == status, wrong
    assert json.loads(cluster.api.ask("POST", "/power", body).body)["kind"] == "power"
