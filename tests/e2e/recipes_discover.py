"""Recipes of /discover: BMCs that are found, looked through and become nodes."""
import bmcs
from recipes import Recipe, Request, bmc_node, simple


def scan(world, **more):
    bmc_node(world)  # there is one then
    return Request("POST", "/discover/scan",
                   {"networks": ["127.0.0.1"], "ports": [world.bmcs.port()], "plain_ports": [], "ipmi": False, **more})


def scanned(world):
    """The address of a BMC that a scan has found."""
    asked = scan(world, fresh=True)
    operation = world.cluster.api.json("POST", asked.target, asked.body)
    ended = world.cluster.api.get(f"/operations/{operation['id']}?wait=60")
    assert ended["state"] == "done", ended
    return "127.0.0.1"


def look(world, **more):
    scanned(world)
    return Request("POST", "/discover/bmcs", {"at_a_time": 8, **more})


def adopt(world, query="", **more):
    scanned(world)
    return Request("POST", f"/discover/adopt{query}", {"names": world.fresh("f"), **more})


def dry_run(request):
    request.target += "?dry_run=true"
    return request


def two_with_one_address(world):
    """Two machines that would get the same address."""
    bmc_node(world)  # it brings the password
    pair = bmcs.Bmcs(world.cluster.run, "--spread", "yes", "--host", "127.0.99.1", "--count", 2, "--first", 900)
    there = {"networks": ["127.0.99.1-127.0.99.2"], "plain_ports": [], "ipmi": False, "fresh": True}
    with pair:
        for target, body in (("scan", {**there, "ports": [pair.port()]}), ("bmcs", {"bmcs": there["networks"]})):
            operation = world.cluster.api.json("POST", f"/discover/{target}", body)
            ended = world.cluster.api.get(f"/operations/{operation['id']}?wait=60")
            assert ended["state"] == "done", ended
    return Request("POST", "/discover/adopt", {"names": f"{world.fresh('f')},{world.fresh('f')}", "address": "10.98.0.1/16",
                                               "bmcs": there["networks"]})


def discover_recipes():
    return {
        "POST /api/v1/discover": Recipe(
            lambda world: Request("POST", "/discover", {"nodes": bmc_node(world)}),
            lambda world: [Request("POST", "/discover", {"nodes": "nosuch"})]),
        "POST /api/v1/discover/scan": Recipe(scan, lambda world: [dry_run(scan(world))]),
        "GET /api/v1/discover/bmcs": simple("GET", "/discover/bmcs"),
        "DELETE /api/v1/discover/bmcs/{address}": Recipe(
            lambda world: Request("DELETE", f"/discover/bmcs/{scanned(world)}")),
        "POST /api/v1/discover/bmcs": Recipe(look, lambda world: [look(world, bmcs=["10.9.9.9"])]),
        "POST /api/v1/discover/adopt": Recipe(
            adopt, lambda world: [adopt(world, "?dry_run=true"), adopt(world, by="map", map={"nodes": [
                {"node": world.fresh("f"), "bmc": "127.0.0.1"}]}, group="none"), two_with_one_address(world)]),
    }
