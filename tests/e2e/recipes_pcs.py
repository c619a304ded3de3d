"""Recipes (recipes.py) of the operations of OpenCHAMI's power control, at / and at /v1."""
import functools
import socket

import recipes as r

PREFIXES = ("", "/v1")
PATHS = ("/v1/", "/transitions", "/power-status", "/power-cap", "/liveness", "/readiness", "/health")
# Targets with // are whole paths (test_contract.py).
NOBODY = "00000000-0000-0000-0000-000000000000"


def node(world, **spec):
    """A new node; its xname."""
    world.count += 1
    xname = f"x{2000 + world.count // 8}c{world.count % 8}s0b0n0"
    world.node(aliases=[xname], **spec)
    return xname


@functools.cache
def silent_bmc():
    """A port that takes connections and says nothing, until this process ends."""
    listener = socket.create_server(("127.0.0.2", 0))
    return listener, listener.getsockname()[1]


def slow_node(world):
    """The xname of a node whose BMC does not answer, so that changes of its power are under way for long."""
    world.cluster.api.ask("PUT", "/bmc-credentials/bmc/127.0.0.2", {"user": "root", "password": "calvin"})
    return node(world, bmc={"address": "127.0.0.2"}, attributes={"bmc_port": str(silent_bmc()[1])})


def body(*xnames, operation="on"):
    return {"operation": operation, "taskDeadlineMinutes": 1, "location": [{"xname": x, "deputyKey": "k"} for x in xnames]}


def transition(world, xname=None):
    """The id of a new transition; of one that has ended when no node is named."""
    made = world.cluster.api.ask("POST", "/transitions", body(*[xname] if xname else []), base="").json["transitionID"]
    if not xname:
        world.wait(lambda: world.cluster.api.ask("GET", f"/transitions/{made}", base="").json["transitionStatus"] == "completed")
    return made


def transition_recipes(prefix):
    name = prefix + "/transitions"
    at = "/" + name

    def about(method, find, more):
        return r.Recipe(lambda w: r.Request(method, f"{at}/{find(w)}"),
                        lambda w: [r.Request(method, f"{at}/FAKE"), r.Request(method, f"{at}/{NOBODY}"), *more(w)])
    return {
        f"GET {name}": r.Recipe(lambda w: r.Request("GET", f"{at}{'' if transition(w) else ''}")),
        f"POST {name}": r.Recipe(lambda w: r.Request("POST", at, body(node(w), "x9c0s9b9n9"), {}),
                               lambda w: [r.Request("POST", at, body(node(w), operation="explode"))]),
        f"GET {name}/{{transition}}": about("GET", lambda w: transition(w, node(w)), lambda w: []),
        f"DELETE {name}/{{transition}}": about("DELETE", lambda w: transition(w, slow_node(w)),
                                             lambda w: [r.Request("DELETE", f"{at}/{transition(w)}")]),
    }


def status_recipes(prefix):
    name = prefix + "/power-status"
    at = "/" + name
    return {
        f"GET {name}": r.Recipe(lambda w: r.Request("GET", f"{at}?xname={node(w)}&xname=x9c0s9b9n9"),
                              lambda w: [r.Request("GET", f"{at}?powerStateFilter=FAKE")]),
        f"POST {name}": r.Recipe(
            lambda w: r.Request("POST", at, {"xname": [node(w)], "powerStateFilter": "undefined",
                                             "managementStateFilter": "unavailable"}),
            lambda w: [r.Request("POST", at, {"xname": ["FAKE"]})]),
    }


def cap_task(world):
    """The id of a new task of limits."""
    return world.cluster.api.ask("POST", "/power-cap/snapshot", {"xnames": [node(world)]}, base="").json["taskID"]


def cap_recipes(prefix):
    name = prefix + "/power-cap"
    at = "/" + name

    def patch(world, watts=400):
        return {"components": [{"xname": node(world), "controls": [{"name": "Node Power Limit", "value": watts}]}]}
    return {
        f"GET {name}": r.Recipe(lambda w: r.Request("GET", f"{at}{'' if cap_task(w) else ''}")),
        f"PATCH {name}": r.Recipe(lambda w: r.Request("PATCH", at, patch(w)),
                                  lambda w: [r.Request("PATCH", at, patch(w, -1))]),
        f"POST {name}/snapshot": r.Recipe(lambda w: r.Request("POST", f"{at}/snapshot", {"xnames": [node(w), "x9c0s9b9n9"]}),
                                          lambda w: [r.Request("POST", f"{at}/snapshot", {"xnames": []})]),
        f"GET {name}/{{task}}": r.Recipe(lambda w: r.Request("GET", f"{at}/{cap_task(w)}"),
                                         lambda w: [r.Request("GET", f"{at}/FAKE"), r.Request("GET", f"{at}/{NOBODY}")]),
    }


def health_recipes(prefix):
    return {f"GET {prefix}/{what}": r.Recipe(lambda w, what=what: r.Request("GET", f"/{prefix}/{what}"))
            for what in ("liveness", "readiness", "health")}


def pcs_recipes():
    found = {}
    for prefix in PREFIXES:
        found |= transition_recipes(prefix) | status_recipes(prefix) | cap_recipes(prefix) | health_recipes(prefix)
    return found
