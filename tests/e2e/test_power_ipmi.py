"""Power of nodes whose BMCs speak IPMI alone: a real master, the real ipmitool, OpenIPMI's emulated BMC."""
import pytest

import cluster as c
import ipmi_bmc

pytestmark = pytest.mark.skipif(bool(ipmi_bmc.missing), reason=f"{ipmi_bmc.missing} is not installed")


@pytest.fixture(scope="module")
def cluster():
    with c.Cluster("ipmi") as made:
        yield made


@pytest.fixture(scope="module")
def bmc(cluster):
    made = ipmi_bmc.IpmiBmc(cluster.run / "bmc1")
    spec = {"bmc": {"address": "127.0.0.1", "protocol": "ipmi"}, "attributes": {"bmc_port": str(made.port)}}
    cluster.api.json("POST", "/nodes", {"name": "i1", "spec": spec})
    cluster.cli("power", "credential", "default", "--user", "root", "--password-file", "-", text="calvin\n", check=0)
    yield made
    made.stop()


def power(cluster, *words, check=0):
    return cluster.cli("power", *words, check=check)


def test_power_is_changed_and_seen(cluster, bmc):
    assert power(cluster, "status", "i1").stdout == "i1: off\n"
    assert power(cluster, "on", "i1").stdout == "i1: on\n"
    assert bmc.asked("set power 1") == 1
    assert power(cluster, "on", "i1").stdout == "i1: on\n" and bmc.asked("set power 1") == 1  # it was on
    c.wait_for("it is noted", lambda: cluster.api.get("/nodes/i1")["power"]["state"] == "on")
    assert power(cluster, "off", "i1").stdout == "i1: off\n"
    assert bmc.asked("set shutdown 1") == 1 and bmc.asked("set power 0") == 0


def test_a_machine_that_does_not_hear_is_forced(cluster, bmc):
    power(cluster, "on", "i1")
    (bmc.folder / "deaf").touch()
    assert "i1: timed_out" in power(cluster, "soft-off", "i1", "--graceful", 3, check=1).stderr
    assert power(cluster, "off", "i1", "--graceful", 3).stdout == "i1: off\n"
    assert bmc.asked("set power 0") == 1
    (bmc.folder / "deaf").unlink()


def test_the_boot_device_is_set_and_read_back(cluster, bmc):
    assert power(cluster, "boot", "i1", "pxe").stdout == "i1: pxe, once\n"
    assert bmc.asked("set boot pxe") == 1
    assert "IPMI cannot say" in power(cluster, "boot", "i1", "http", check=1).stderr


def test_what_the_bmc_knows_of_its_machine_is_collected(cluster, bmc):
    done = cluster.cli("discover", "collect", "i1", check=0)
    assert "i1: 1 machine" in done.stdout, done
    kept = cluster.cli_json("bmc", "show", "i1")
    machine, = kept["inventory"]["systems"]
    assert (machine["manufacturer"], machine["model"], machine["serial"]) == ("Contoso", "Model 7", "S-7"), machine
    assert machine["power"] in ("on", "off") and len(machine["uuid"]) == 36, machine
    assert kept["inventory"]["managers"][0]["firmware_version"] == "9.08", kept
    assert "serial S-7" in cluster.cli("bmc", "show", "i1", check=0).stdout
    assert cluster.cli("bmc", "list", "-o", "csv", check=0).stdout.count("Model 7") == 1


def test_a_refused_password_and_a_dead_bmc_are_told_apart(cluster, bmc):
    other = ipmi_bmc.IpmiBmc(cluster.run / "bmc2", password="another")
    try:
        for name, port in (("i2", other.port), ("i3", c.free_port())):
            spec = {"bmc": {"address": "127.0.0.1", "protocol": "ipmi"}, "attributes": {"bmc_port": str(port)}}
            cluster.api.json("POST", "/nodes", {"name": name, "spec": spec})
        refused = power(cluster, "status", "i[1-3]", check=1)
        assert refused.stdout == "i1: off\n", refused
        assert "i2: failed: 127.0.0.1: the BMC refused the user 'root' or its password" in refused.stderr, refused
        assert "i3: unreached" in refused.stderr, refused
        assert "calvin" not in refused.stderr
    finally:
        other.stop()


def test_a_scan_finds_it_and_it_becomes_a_node(cluster):
    found = ipmi_bmc.IpmiBmc(cluster.run / "bmc4", host="127.0.30.1")
    try:
        said = cluster.cli("discover", "scan", "127.0.30.1-127.0.30.2", "--ipmi-port", found.port, "--ports", "1",
                           "--plain-ports", "1", "--patience", 1500, check=0).stdout
        assert said == "127.0.30.1: IPMI 2.0\n1 addresses: no BMC (the connection is refused)\n", said
        done = cluster.cli("discover", "adopt", "found1", "--bmcs", "127.0.30.1", check=0).stdout
        assert "1 created" in done, done
        spec = cluster.api.get("/nodes/found1")["spec"]
        assert spec["bmc"]["protocol"] == "ipmi" and spec["attributes"]["bmc_port"] == str(found.port), spec
        assert power(cluster, "status", "found1").stdout == "found1: off\n"
    finally:
        found.stop()


def test_the_light_and_sensors_by_ipmi(cluster, bmc):
    assert power(cluster, "identify", "i1", "on").stdout == "i1: light on\n"
    # This machine has no sensors, which is told and not taken for an empty list.
    told = cluster.cli("bmc", "sensors", "i1", check=1)
    assert "i1: " in told.stderr, told
