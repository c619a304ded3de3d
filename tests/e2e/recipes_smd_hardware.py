"""Recipes (recipes.py) of SMD's hardware inventory, service endpoints and discovery."""
import socket

import recipes as r
import recipes_smd as s

AT, FRUS = "/Inventory/Hardware", "/Inventory/HardwareByFRU"
SERVICES, DISCOVER = "/Inventory/ServiceEndpoints", "/Inventory/Discover"


def entry(xname, stem="Memory"):
    """What a client says of one place."""
    return {"Hardware": [{"ID": xname, f"{stem}LocationInfo": {"Name": "one"}, "PopulatedFRU": {
        f"{stem}FRUInfo": {"Manufacturer": "Hynix", "PartNumber": "HMA8", "SerialNumber": xname}}}]}


def said(world):
    """A place of which a client said what sits there."""
    xname = s.place(world) + "s0b0n0d0"
    world.cluster.api.ask("POST", s.BASE + AT, entry(xname), base="")
    return xname


def post_all(world):
    said(world)
    return s.request("DELETE", AT)


def looked_through(world):
    """An emulated BMC that was looked through."""
    node = r.bmc_node(world)
    operation = world.cluster.api.json("POST", "/discover", {"nodes": node})
    ended = world.cluster.api.get(f"/operations/{operation['id']}?wait=60")
    assert ended["state"] == "done", ended
    found = world.cluster.api.ask("GET", s.BASE + SERVICES, base="").json["ServiceEndpoints"]
    return found[-1]["RedfishEndpointID"]


def silent_endpoint(world):
    """A Redfish endpoint that takes connections and says nothing, with one node."""
    if not hasattr(world, "silent"):
        world.silent = socket.create_server(("127.0.0.3", 0), backlog=64)
        world.cluster.api.ask("PUT", "/bmc-credentials/default/default", {"user": "root", "password": "calvin"})
        world.silent_xname = s.place(world) + "s0b0"
        port = str(world.silent.getsockname()[1])
        world.cluster.api.json("POST", "/nodes", {"name": world.silent_xname + "n0", "spec": {
            "bmc": {"address": "127.0.0.3"}, "attributes": {"bmc_port": port}}})
        world.cluster.api.ask("POST", s.BASE + "/Inventory/RedfishEndpoints",
                              {"ID": world.silent_xname, "FQDN": "127.0.0.3"}, base="")
    return world.silent_xname


def discover(world):
    return s.request("POST", DISCOVER, {"xnames": [silent_endpoint(world)], "force": True})


def discover_more(world):
    xname = silent_endpoint(world)
    world.cluster.api.ask("POST", s.BASE + DISCOVER, {"xnames": [xname], "force": True}, base="")
    return [s.request("POST", DISCOVER, {"xnames": [xname]}), s.request("POST", DISCOVER, {"xnames": ["FAKE"]}),
            s.request("POST", DISCOVER, {"xnames": ["x9c0s9b9"]})]


def hardware_recipes():
    def bad(target):
        return lambda world: [s.request("GET", target)]
    found = {
        f"GET {s.BASE}{AT}": s.reads(AT, lambda w: f"{AT}?type=Node&id={s.endpoint(w)}n0", s.bad_filter(AT)),
        f"POST {s.BASE}{AT}": s.changes(
            "POST", lambda w: AT, lambda w: entry(s.place(w) + "s0b0n0d0"),
            lambda w: [s.request("POST", AT, {}), s.request("POST", AT, entry(s.endpoint(w) + "n0", "Node"))]),
        f"DELETE {s.BASE}{AT}": r.Recipe(post_all, lambda w: [s.request("DELETE", AT)]),
        f"GET {s.BASE}{AT}/{{xname}}": s.reads(AT, lambda w: f"{AT}/{s.endpoint(w)}n0", bad(f"{AT}/{s.NOWHERE}")),
        f"DELETE {s.BASE}{AT}/{{xname}}": r.Recipe(
            lambda w: s.request("DELETE", f"{AT}/{said(w)}"),
            lambda w: [s.request("DELETE", f"{AT}/{s.NOWHERE}"), s.request("DELETE", f"{AT}/{s.endpoint(w)}n0")]),
        f"GET {s.BASE}{AT}/Query/{{xname}}": s.reads(
            AT, lambda w: f"{AT}/Query/{s.endpoint(w)}?format=FullyFlat", bad(f"{AT}/Query/FAKE")),
        f"GET {s.BASE}{FRUS}": s.reads(FRUS, lambda w: f"{FRUS}?serialnumber={said(w)}", s.bad_filter(FRUS)),
        f"GET {s.BASE}{FRUS}/{{fruid}}": s.reads(
            FRUS, lambda w: f"{FRUS}/Memory.Hynix.HMA8.{said(w)}", bad(f"{FRUS}/FAKE")),
        f"GET {s.BASE}{SERVICES}": s.reads(SERVICES, lambda w: f"{SERVICES}?redfish_ep={looked_through(w)}",
                                           bad(f"{SERVICES}?service=FAKE")),
        f"GET {s.BASE}{SERVICES}/{{service}}": s.reads(SERVICES, lambda w: f"{SERVICES}/UpdateService",
                                                       bad(f"{SERVICES}/FAKE")),
        f"GET {s.BASE}{SERVICES}/{{service}}/RedfishEndpoints/{{xname}}": s.reads(
            SERVICES, lambda w: f"{SERVICES}/UpdateService/RedfishEndpoints/{looked_through(w)}",
            lambda w: [s.request("GET", f"{SERVICES}/UpdateService/RedfishEndpoints/{xname}")
                       for xname in ("x1025c7s4b4", "x1025000c7s4b4")]),
        f"POST {s.BASE}{DISCOVER}": r.Recipe(discover, discover_more),
    }
    for at, name, one in ((AT, "xname", lambda w: s.endpoint(w) + "n0"), (FRUS, "fruid", lambda w: "Memory.Hynix.HMA8.D1")):
        found[f"GET {s.BASE}{at}/History"] = s.reads(at, lambda w, at=at, one=one: f"{at}/History" if one(w) else at,
                                                     bad(f"{at}/History?eventtype=FAKE"))
        found[f"GET {s.BASE}{at}/History/{{{name}}}"] = s.reads(
            at, lambda w, at=at, one=one: f"{at}/History/{one(w)}", bad(f"{at}/History/FAKE?starttime=FAKE"))
    return found
