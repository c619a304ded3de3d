"""OpenCHAMI's Boot Script Service: what a client says of machines on the master is what a boot daemon gives to them."""
import http.client
import json

import cluster as c
import pytest

PARAMETERS = "/boot/v1/bootparameters"
NODE, STRANGER = "02:00:00:00:00:01", "02:00:00:00:00:99"


@pytest.fixture(scope="module")
def site():
    with c.Cluster("bss") as cluster:
        cluster.boot_port = c.free_port()
        components = {"Components": [{"ID": "x0c0s0b0n0", "State": "On", "NID": 1}]}
        assert cluster.api.ask("POST", "/hsm/v2/State/Components", components, base="").status == 204
        interface = {"MACAddress": NODE, "ComponentID": "x0c0s0b0n0"}
        assert cluster.api.ask("POST", "/hsm/v2/Inventory/EthernetInterfaces", interface, base="").status == 201
        boot = cluster.add("boot", "boot1", "--dhcp=false", "--tftp=false", "--dns=false", "--netconsole=false",
                           "--advertise=false", "--http-listen", f"127.0.0.1:{cluster.boot_port}",
                           "--https-listen", "127.0.0.1:0")
        boot.wait_log("following the master's changes")
        yield cluster


def served(site, query):
    """The script that the boot daemon gives, as a machine asks for it."""
    connection = http.client.HTTPConnection("127.0.0.1", site.boot_port, timeout=30)
    connection.request("GET", "/boot/v1/bootscript?" + query)
    answer = connection.getresponse()
    assert answer.status == 200
    return answer.read().decode()


def kernel(script):
    """URL of the kernel that a script loads; None: it loads none."""
    lines = [line for line in script.splitlines() if line.startswith("kernel --name kernel ")]
    return lines[0].split()[3] if lines else None


def put(site, **said):
    answer = site.api.ask("PUT", PARAMETERS, said, base="")
    assert answer.status == 200, answer


def becomes(site, query, url):
    c.wait_for(f"{query} boots {url}", lambda: kernel(served(site, query)) == url)


def without_server(script):
    """A script but for what each server puts in of itself, and the token of one boot."""
    return [line for line in script.splitlines() if not line.startswith(("chain", "kernel"))], kernel(script)


def test_what_is_said_of_a_node_is_what_it_boots(site):
    mine = f"mac={NODE}"
    put(site, hosts=["Default"], kernel="http://h/default", params="console=ttyS0")
    becomes(site, mine, "http://h/default")
    put(site, hosts=["Compute"], kernel="http://h/compute", initrd="http://h/initrd?a=1&b=2")
    becomes(site, mine, "http://h/compute")
    assert "initrd --name initrd http://h/initrd?a=1&b=2 || goto boot_retry" in served(site, mine)
    put(site, macs=[NODE], kernel="http://h/own", params="root=live:http://h/r?x&y quiet")
    becomes(site, mine, "http://h/own")
    script = served(site, mine + "&retry=4")
    assert " root=live:http://h/r?x&y quiet xname=x0c0s0b0n0 nid=1 BOOTIF=01-02-00-00-00-00-01 ds=nocloud-net;s=" in script
    assert f"/boot/v1/bootscript?mac={NODE}&retry=5" in script
    for query in ("nid=1", "name=x0c0s0b0n0"):
        assert kernel(served(site, query)) == "http://h/own", query

    # The master shows the same text, to people and to clients of BSS's.
    shown = site.api.ask("GET", f"/boot/v1/bootscript?{mine}", base="").body.decode()
    assert without_server(shown) == without_server(served(site, mine))
    assert kernel(site.cli_json("boot", "show", "x0c0s0b0n0")["script"]) == "http://h/own"

    gone = site.api.ask("DELETE", PARAMETERS, {"hosts": ["x0c0s0b0n0"]}, base="")
    assert gone.status == 200, gone
    becomes(site, mine, "http://h/compute")


def test_a_machine_that_is_no_node_boots_what_is_said_of_it(site):
    asks = f"mac={STRANGER}&arch=x86_64"
    assert kernel(served(site, asks)) is None
    assert "&arch=${buildarch}" in served(site, f"mac={STRANGER}")
    put(site, hosts=["Unknown-x86_64"], kernel="http://h/unknown", initrd="http://h/i")
    becomes(site, asks, "http://h/unknown")
    assert kernel(served(site, f"mac={STRANGER}&arch=arm64")) is None
    put(site, macs=[STRANGER], kernel="http://h/mac")
    becomes(site, asks, "http://h/mac")
    found = site.api.ask("GET", f"{PARAMETERS}?mac={STRANGER}", base="").json
    assert found == [{"macs": [STRANGER], "kernel": "http://h/mac"}]
    unknown = json.dumps(site.api.ask("GET", PARAMETERS, base="").json)
    assert "Unknown-x86_64" in unknown and STRANGER in unknown
