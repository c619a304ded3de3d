"""Recipes (recipes.py) of the operations on serial consoles: a machine behind a Unix socket."""
import json

import cluster as c
import console_bmcs as b
import recipes as r

_streams = []  # open connections: a session lasts as long as its stream
_machines = []


def machine(world):
    """A new node whose console says something; its name."""
    folder = world.cluster.run / "consoles"
    folder.mkdir(exist_ok=True)
    world.cluster.api.json("PUT", "/settings/console.sockets", {"value": str(folder)})
    name = world.fresh("c")
    _machines.append(b.Listening(folder / name))
    return world.node(attributes={"console_by": "socket", "console_socket": str(folder / name)})


def session(world):
    """A node, and a session of somebody who may write to its open console."""
    name = machine(world)
    connection = c.UnixConnection(str(world.cluster.master.socket), 60)
    connection.request("GET", f"/api/v1/nodes/{name}/console?mode=write")
    answer = connection.getresponse()
    _streams.append((connection, answer))
    lines = [json.loads(answer.readline())]
    while not (lines[-1]["console"] or {}).get("state") == "open":
        lines.append(json.loads(answer.readline()))
    return name, lines[0]["session"]


def typed(world, sequence=1, **more):
    name, key = session(world)
    body = {"session": key, "sequence": sequence, "data": "bHMN", **more}
    return r.Request("POST", f"/nodes/{name}/console/input", body)


def watched(world):
    return r.Request("GET", f"/nodes/{machine(world)}/console", stream=True)


def without_console(world):
    return [r.Request("GET", f"/nodes/{world.node()}/console")]


def console_recipes():
    return {
        "GET /api/v1/consoles": r.Recipe(lambda world: r.Request("GET", f"/consoles{'' if session(world) else ''}")),
        "GET /api/v1/consoles/log": r.Recipe(
            lambda world: r.Request("GET", f"/consoles/log?nodes={session(world)[0]}"),
            lambda world: [r.Request("GET", "/consoles/log?nodes=nosuch")]),
        "GET /api/v1/nodes/{name}/console": r.Recipe(watched, without_console),
        "POST /api/v1/nodes/{name}/console/input": r.Recipe(typed, lambda world: [typed(world, 7)]),
        "GET /api/v1/nodes/{name}/console/recording": r.Recipe(
            lambda world: r.Request("GET", f"/nodes/{session(world)[0]}/console/recording")),
    }
