"""Recipes (recipes.py) of OpenCHAMI's Boot Script Service, /boot/v1, and of what its cloud-init says of itself."""
import recipes as r
import recipes_smd as smd

BASE = "/boot/v1"
PARAMETERS = BASE + "/bootparameters"


def node(world):
    """A node of which nothing is said yet; its xname."""
    return smd.component(world)


def said(world):
    """A node whose boot parameters are said; its xname."""
    xname = node(world)
    world.cluster.api.ask("PUT", PARAMETERS, {"hosts": [xname], "kernel": "http://h/k"}, base="")
    return xname


def words(world, xname):
    world.count += 1
    return {"hosts": [xname], "kernel": f"http://h/k{world.count}", "initrd": "http://h/i", "params": "a=b"}


def reads(path, more=lambda world: ()):
    return r.Recipe(lambda world: r.Request("GET", BASE + path), more)


def bad(method):
    return lambda world: [r.Request(method, PARAMETERS, {"kernel": "http://h/k"})]


def missing(path):
    return lambda world: [r.Request("GET", BASE + path), r.Request("GET", BASE + path.split("?", 1)[0] + "?nid=%zz")]


def bss_recipes():
    none = f"name={smd.NOWHERE}"
    return {
        f"GET {PARAMETERS}": r.Recipe(lambda w: r.Request("GET", f"{PARAMETERS}?name={said(w)}"),
                                      missing(f"/bootparameters?{none}")),
        f"POST {PARAMETERS}": r.Recipe(lambda w: r.Request("POST", PARAMETERS, words(w, node(w))), bad("POST")),
        f"PUT {PARAMETERS}": r.Recipe(lambda w: r.Request("PUT", PARAMETERS, words(w, node(w))), bad("PUT")),
        f"PATCH {PARAMETERS}": r.Recipe(
            lambda w: r.Request("PATCH", PARAMETERS, words(w, said(w))),
            lambda w: [*bad("PATCH")(w), r.Request("PATCH", PARAMETERS, words(w, smd.NOWHERE))]),
        f"DELETE {PARAMETERS}": r.Recipe(lambda w: r.Request("DELETE", PARAMETERS, {"hosts": [said(w)]}), bad("DELETE")),
        f"GET {BASE}/bootscript": r.Recipe(
            lambda w: r.Request("GET", f"{BASE}/bootscript?name={said(w)}&retry=1"),
            lambda w: [r.Request("GET", f"{BASE}/bootscript"),
                       r.Request("GET", f"{BASE}/bootscript?{none}&json=1")]),
        f"GET {BASE}/hosts": r.Recipe(lambda w: r.Request("GET", f"{BASE}/hosts?name={node(w)}"),
                                      missing(f"/hosts?{none}")),
        f"POST {BASE}/hosts": r.Recipe(lambda w: r.Request("POST", f"{BASE}/hosts")),
        f"GET {BASE}/dumpstate": reads("/dumpstate"),
        f"GET {BASE}/endpoint-history": reads(
            "/endpoint-history", lambda w: [r.Request("GET", f"{BASE}/endpoint-history?name=%zz")]),
        f"POST {BASE}/scn": r.Recipe(lambda w: r.Request("POST", f"{BASE}/scn", {"Components": [smd.NOWHERE]})),
        **{f"GET /cloud-init/{part}": r.Recipe(lambda w, part=part: r.Request("GET", f"/cloud-init/{part}"))
           for part in ("version", "openapi.json")},
        **{f"GET {BASE}/service/{part}": reads(f"/service/{part}")
           for part in ("status", "status/all", "hsm", "version", "storage/status")},
    }
