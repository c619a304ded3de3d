"""Recipes (recipes.py) of the operations of OpenCHAMI's State Manager, /hsm/v2."""
import recipes as r

BASE = "/hsm/v2"
# What takes the ground from under the others comes last.
LAST = ("DELETE /hsm/v2/State/Components",)
NOWHERE = "x9c0s9b9n9"  # an xname that nobody has


def place(world):
    """An xname of a chassis that nobody else uses."""
    world.count += 1
    return f"x{1000 + world.count // 8}c{world.count % 8}"


def component(world):
    """A new node; its xname."""
    xname = place(world) + "s0b0n0"
    world.cluster.api.ask("POST", BASE + "/State/Components", {"Components": [{"ID": xname, "State": "On"}]}, base="")
    return xname


def nid_of(world, xname):
    return world.cluster.api.ask("GET", f"{BASE}/State/Components/{xname}", base="").json["NID"]


def group(world, what="groups", members=()):
    name = world.fresh("g")
    key = "label" if what == "groups" else "name"
    world.cluster.api.ask("POST", f"{BASE}/{what}", {key: name, "members": {"ids": list(members)}}, base="")
    return name


def reads(path, target=None, more=lambda world: ()):
    return r.Recipe(lambda world: r.Request("GET", BASE + (target(world) if target else path)), more)


def changes(method, target, body, more=lambda world: ()):
    return r.Recipe(lambda world: r.Request(method, BASE + target(world), body(world)), more)


def request(method, target, body=None):
    return r.Request(method, BASE + target, body)


def bad_filter(target):
    return lambda world: [request("GET", target + "?type=FAKE")]


def restore(world):
    """Nodes that the others of the walk stand on are there again."""
    for name in ("n1", "n2", "n3"):
        world.cluster.api.ask("POST", "/nodes", {"name": name})


def delete_all(world):
    restore(world)
    return request("DELETE", "/State/Components")


def service_recipes():
    return {"GET /hsm/v2/service/ready": reads("/service/ready"),
            "GET /hsm/v2/service/liveness": reads("/service/liveness"),
            "GET /hsm/v2/service/values": reads("/service/values"),
            "GET /hsm/v2/service/values/{list}": reads(
                "/service/values/class", more=lambda world: [request("GET", "/service/values/FAKE")])}


def component_recipes():
    at = "/State/Components"
    patches = {"StateData": {"State": "Ready"}, "FlagOnly": {"Flag": "Warning"}, "Enabled": {"Enabled": True},
               "SoftwareStatus": {"SoftwareStatus": "s"}, "Role": {"Role": "Compute"}}
    found = {}
    for name, body in patches.items():
        found[f"PATCH {BASE}{at}/{{xname}}/{name}"] = changes(
            "PATCH", lambda w, name=name: f"{at}/{component(w)}/{name}", lambda w, body=body: body,
            lambda w, name=name, body=body: [request("PATCH", f"{at}/{NOWHERE}/{name}", body),
                                             request("PATCH", f"{at}/{NOWHERE}/{name}", {name: 7})])
        found[f"PATCH {BASE}{at}/Bulk{name}"] = changes(
            "PATCH", lambda w, name=name: f"{at}/Bulk{name}",
            lambda w, body=body: {"ComponentIDs": [component(w)], **body},
            lambda w, name=name, body=body: [request("PATCH", f"{at}/Bulk{name}", {"ComponentIDs": [NOWHERE], **body}),
                                             request("PATCH", f"{at}/Bulk{name}", {})])

    def taken(world):
        first, second = component(world), component(world)
        return first, nid_of(world, second)

    def nid_more(world):
        xname, nid = taken(world)
        return [request("PATCH", f"{at}/{xname}/NID", {"NID": nid}), request("PATCH", f"{at}/{NOWHERE}/NID", {"NID": 1}),
                request("PATCH", f"{at}/{xname}/NID", {})]

    def nids_more(world):
        xname, nid = taken(world)
        return [request("PATCH", f"{at}/BulkNID", {"Components": [{"ID": xname, "NID": nid}]}),
                request("PATCH", f"{at}/BulkNID", {"Components": [{"ID": NOWHERE, "NID": 1}]}),
                request("PATCH", f"{at}/BulkNID", {})]

    def fresh_nid(world):
        world.count += 1
        return 900000 + world.count

    def post_more(world):
        _, nid = taken(world)
        return [request("POST", at, {"Components": [{"ID": place(world) + "s0b0n0", "State": "On", "NID": nid}]}),
                request("POST", at, {"Components": []})]

    def put_more(world):
        _, nid = taken(world)
        xname = place(world) + "s0b0n0"
        return [request("PUT", f"{at}/{xname}", {"Component": {"State": "On", "NID": nid}}),
                request("PUT", f"{at}/{xname}", {})]
    return {
        **found,
        f"GET {BASE}{at}": reads(at, lambda w: at + f"?type=Node&id={component(w)}", bad_filter(at)),
        f"POST {BASE}{at}": changes(
            "POST", lambda w: at, lambda w: {"Components": [{"ID": place(w) + "s0b0n0", "State": "On", "Role": "Compute"}],
                                             "Force": False}, post_more),
        f"DELETE {BASE}{at}": r.Recipe(delete_all, lambda w: [request("DELETE", at)]),
        f"GET {BASE}{at}/{{xname}}": reads(at, lambda w: f"{at}/{component(w)}",
                                           lambda w: [request("GET", f"{at}/{NOWHERE}")]),
        f"PUT {BASE}{at}/{{xname}}": changes(
            "PUT", lambda w: f"{at}/{place(w)}s0b0n0", lambda w: {"Component": {"ID": "x0", "State": "On"}, "Force": True},
            put_more),
        f"DELETE {BASE}{at}/{{xname}}": r.Recipe(
            lambda w: request("DELETE", f"{at}/{component(w)}"),
            lambda w: [request("DELETE", f"{at}/{NOWHERE}"), request("DELETE", f"{at}/FAKE"),
                       request("DELETE", f"{at}/{endpoint(w)}")]),
        f"PATCH {BASE}{at}/{{xname}}/NID": changes(
            "PATCH", lambda w: f"{at}/{component(w)}/NID", lambda w: {"NID": fresh_nid(w)}, nid_more),
        f"PATCH {BASE}{at}/BulkNID": changes(
            "PATCH", lambda w: f"{at}/BulkNID", lambda w: {"Components": [{"ID": component(w), "NID": fresh_nid(w)}]},
            nids_more),
        f"GET {BASE}{at}/ByNID/{{nid}}": reads(
            at, lambda w: f"{at}/ByNID/{nid_of(w, component(w))}",
            lambda w: [request("GET", f"{at}/ByNID/888888"), request("GET", f"{at}/ByNID/FAKE")]),
        f"GET {BASE}{at}/Query/{{xname}}": reads(at, lambda w: f"{at}/Query/{component(w)}", bad_filter(at + "/Query/s0")),
        f"POST {BASE}{at}/Query": changes(
            "POST", lambda w: f"{at}/Query", lambda w: {"ComponentIDs": [component(w)], "type": ["Node"]},
            lambda w: [request("POST", f"{at}/Query", {})]),
        f"POST {BASE}{at}/ByNID/Query": changes(
            "POST", lambda w: f"{at}/ByNID/Query", lambda w: {"NIDRanges": ["0-100"]},
            lambda w: [request("POST", f"{at}/ByNID/Query", {})]),
    }


def group_recipes(what, key, names):
    at = f"/{what}"
    groups = what == "groups"
    bad_partition = [lambda target: request("GET", target + "?partition=FAKE")] if groups else []

    def body(world):
        return {key: world.fresh("g"), "description": "the first", "tags": ["blue"], "members": {"ids": [component(world)]}}

    def built_in(method, tail="", body=None):
        return [request(method, f"{at}/compute{tail}", body)] if groups else []

    def add_more(world):
        xname = component(world)
        name = group(world, what, [xname])
        return [request("POST", f"{at}/{name}/members", {"id": xname}), request("POST", f"{at}/{name}/members", {"id": "q"}),
                request("POST", f"{at}/FAKE/members", {"id": xname})]

    def take_more(world):
        xname = component(world)
        name = group(world, what)
        return [request("DELETE", f"{at}/{name}/members/{xname}"), request("DELETE", f"{at}/{name}/members/FAKE"),
                *built_in("DELETE", f"/members/{xname}")]

    def member(world):
        xname = component(world)
        return group(world, what, [xname]), xname
    found = {
        f"GET {BASE}{at}": reads(at, lambda w: f"{at}?{what[:-1]}={group(w, what, [component(w)])}",
                                 lambda w: [make(at) for make in bad_partition]),
        f"GET {BASE}{at}/{names}": reads(f"{at}/{names}"),
        f"POST {BASE}{at}": changes("POST", lambda w: at, body,
                                    lambda w: [request("POST", at, {key: group(w, what)}), request("POST", at, {key: "a b"})]),
        f"GET {BASE}{at}/{{name}}": reads(
            at, lambda w: f"{at}/{group(w, what)}",
            lambda w: [request("GET", f"{at}/FAKE"), *(make(f"{at}/{group(w, what)}") for make in bad_partition)]),
        f"PATCH {BASE}{at}/{{name}}": changes(
            "PATCH", lambda w: f"{at}/{group(w, what)}", lambda w: {"description": "new", "tags": ["red"]},
            lambda w: [request("PATCH", f"{at}/FAKE", {}), request("PATCH", f"{at}/{group(w, what)}", {"tags": [7]}),
                       *built_in("PATCH", body={})]),
        f"DELETE {BASE}{at}/{{name}}": r.Recipe(
            lambda w: request("DELETE", f"{at}/{group(w, what)}"),
            lambda w: [request("DELETE", f"{at}/FAKE"), *built_in("DELETE")]),
        f"GET {BASE}{at}/{{name}}/members": reads(
            at, lambda w: f"{at}/{group(w, what)}/members",
            lambda w: [request("GET", f"{at}/FAKE/members"),
                       *(make(f"{at}/{group(w, what)}/members") for make in bad_partition)]),
        f"POST {BASE}{at}/{{name}}/members": changes(
            "POST", lambda w: f"{at}/{group(w, what)}/members", lambda w: {"id": component(w)}, add_more),
        f"DELETE {BASE}{at}/{{name}}/members/{{xname}}": r.Recipe(
            lambda w: request("DELETE", "{}/{}/members/{}".format(at, *member(w))), take_more),
    }
    if groups:
        found[f"PUT {BASE}{at}/{{name}}/members"] = changes(
            "PUT", lambda w: f"{at}/{group(w, what)}/members", lambda w: {"ids": [component(w)]},
            lambda w: [request("PUT", f"{at}/FAKE/members", {"ids": []}), request("PUT", f"{at}/{group(w, what)}/members", {}),
                       *built_in("PUT", "/members", {"ids": []})])
    return found


def membership_recipes():
    return {f"GET {BASE}/memberships": reads("/memberships", lambda w: f"/memberships?id={component(w)}",
                                             bad_filter("/memberships")),
            f"GET {BASE}/memberships/{{xname}}": reads(
                "/memberships", lambda w: f"/memberships/{component(w)}",
                lambda w: [request("GET", f"/memberships/{NOWHERE}")])}


def payload(xname, address, macs=()):
    """What magellan posts of a BMC with one system."""
    nics = [{"uri": f"/redfish/v1/Systems/1/EthernetInterfaces/{i}", "mac": mac, "ip": ""} for i, mac in enumerate(macs)]
    return {"ID": xname, "Type": "", "Name": "", "FQDN": address, "User": "root", "MACRequired": True,
            "RediscoverOnUpdate": False, "SchemaVersion": 1,
            "Systems": [{"uri": f"https://{address}/redfish/v1/Systems/1", "uuid": "", "name": "one", "actions": ["On"],
                         "power": {"state": "On", "power_control_ids": ["/redfish/v1/Chassis/1/Power#/PowerControl/0"]},
                         "links": {"chassis": ["/redfish/v1/Chassis/1"]}, "ethernet_interfaces": nics}],
            "Managers": [{"uri": f"https://{address}/redfish/v1/Managers/1", "name": "BMC", "type": "BMC"}]}


def address(world):
    world.count += 1
    return f"10.9.{world.count // 250}.{world.count % 250 + 1}"


def mac(world):
    world.count += 1
    return f"02:5d:00:00:{world.count // 256:02x}:{world.count % 256:02x}"


def endpoint(world):
    """A new Redfish endpoint with one node; its xname."""
    xname = place(world) + "s0b0"
    world.cluster.api.ask("POST", BASE + "/Inventory/RedfishEndpoints", payload(xname, address(world)), base="")
    return xname


def interface(world, **more):
    """A new interface; its ID."""
    made = world.cluster.api.ask("POST", BASE + "/Inventory/EthernetInterfaces", {"MACAddress": mac(world), **more}, base="")
    return made.json["URI"].rsplit("/", 1)[1]


def endpoint_recipes():
    at, below = "/Inventory/RedfishEndpoints", "/Inventory/ComponentEndpoints"
    gone = "x9c0s9b9"

    def body(world):
        return payload(place(world) + "s0b0", address(world), [mac(world)])

    def taken(world):
        """The address of another."""
        return world.cluster.api.ask("GET", f"{BASE}{at}/{endpoint(world)}", base="").json["FQDN"]
    return {
        f"GET {BASE}{at}": reads(at, lambda w: f"{at}?id={endpoint(w)}", bad_filter(at)),
        f"POST {BASE}{at}": changes(
            "POST", lambda w: at, body,
            lambda w: [request("POST", at, {"ID": endpoint(w)}), request("POST", at, {})]),
        f"DELETE {BASE}{at}": r.Recipe(
            lambda w: request("DELETE", f"{at}{'' if endpoint(w) else ''}"), lambda w: [request("DELETE", at)]),
        f"GET {BASE}{at}/{{xname}}": reads(at, lambda w: f"{at}/{endpoint(w)}", lambda w: [request("GET", f"{at}/{gone}")]),
        f"GET {BASE}{at}/Query/{{xname}}": reads(at, lambda w: f"{at}/Query/{endpoint(w)}",
                                                 lambda w: [request("GET", f"{at}/Query/FAKE")]),
        f"PUT {BASE}{at}/{{xname}}": changes(
            "PUT", lambda w: f"{at}/{endpoint(w)}", lambda w: {"FQDN": address(w), "User": "root", "Password": "hunter2"},
            lambda w: [request("PUT", f"{at}/{endpoint(w)}", {"FQDN": taken(w)}), request("PUT", f"{at}/FAKE", {})]),
        f"PATCH {BASE}{at}/{{xname}}": changes(
            "PATCH", lambda w: f"{at}/{endpoint(w)}", lambda w: {"Enabled": False},
            lambda w: [request("PATCH", f"{at}/{endpoint(w)}", {"FQDN": taken(w)}), request("PATCH", f"{at}/FAKE", {}),
                       request("PATCH", f"{at}/{gone}", {})]),
        f"DELETE {BASE}{at}/{{xname}}": r.Recipe(
            lambda w: request("DELETE", f"{at}/{endpoint(w)}"), lambda w: [request("DELETE", f"{at}/{gone}")]),
        f"GET {BASE}{below}": reads(below, lambda w: f"{below}?type=Node&id={endpoint(w)}n0", bad_filter(below)),
        f"GET {BASE}{below}/Query/{{xname}}": reads(below, lambda w: f"{below}/Query/{endpoint(w)}",
                                                    bad_filter(below + "/Query/s0")),
        f"GET {BASE}{below}/{{xname}}": reads(below, lambda w: f"{below}/{endpoint(w)}n0",
                                              lambda w: [request("GET", f"{below}/{gone}")]),
    }


def interface_recipes():
    at = "/Inventory/EthernetInterfaces"
    gone = "020202020202"

    def addressed(world):
        ip = address(world)
        return f"{at}/{interface(world, IPAddresses=[{'IPAddress': ip, 'Network': 'HMN'}])}/IPAddresses", ip

    def controllers(world):
        """The ID of an interface that a Redfish endpoint says."""
        own = mac(world)
        xname = place(world) + "s0b0"
        world.cluster.api.ask("POST", BASE + "/Inventory/RedfishEndpoints",
                              {"ID": xname, "FQDN": address(world), "MACAddr": own}, base="")
        return own.replace(":", "")

    def held(world):
        """A body that gives a node an address of another's."""
        ip = address(world)
        interface(world, ComponentID=component(world), IPAddresses=[{"IPAddress": ip}])
        return {"ComponentID": component(world), "IPAddresses": [{"IPAddress": ip}]}

    def add_more(world):
        target, ip = addressed(world)
        return [request("POST", target, {"IPAddress": ip}), request("POST", target, {}),
                request("POST", f"{at}/{gone}/IPAddresses", {"IPAddress": ip})]

    def one_address(world):
        return "/".join(addressed(world))
    return {
        f"GET {BASE}{at}": reads(at, lambda w: f"{at}?NewerThan=2020-01-01T00:00:00Z{'' if one_address(w) else ''}",
                                 lambda w: [request("GET", at + "?Type=FAKE")]),
        f"POST {BASE}{at}": changes(
            "POST", lambda w: at, lambda w: {"MACAddress": mac(w), "Description": "HSN 0", "ComponentID": component(w),
                                             "IPAddresses": [{"IPAddress": address(w), "Network": "HSN"}]},
            lambda w: [request("POST", at, {"MACAddress": "x"}),
                       request("POST", at, {"MACAddress": ":".join(r_pairs(interface(w)))})]),
        f"DELETE {BASE}{at}": r.Recipe(lambda w: request("DELETE", f"{at}{'' if interface(w) else ''}"),
                                       lambda w: [request("DELETE", at)]),
        f"GET {BASE}{at}/{{id}}": reads(at, lambda w: f"{at}/{interface(w)}", lambda w: [request("GET", f"{at}/{gone}")]),
        f"PATCH {BASE}{at}/{{id}}": changes(
            "PATCH", lambda w: f"{at}/{interface(w)}", lambda w: {"Description": "HSN 1"},
            lambda w: [request("PATCH", f"{at}/{gone}", {}), request("PATCH", f"{at}/{interface(w)}", {"ComponentID": "q"}),
                       request("PATCH", f"{at}/{interface(w)}", held(w))]),
        f"DELETE {BASE}{at}/{{id}}": r.Recipe(
            lambda w: request("DELETE", f"{at}/{interface(w)}"),
            lambda w: [request("DELETE", f"{at}/{gone}"), request("DELETE", f"{at}/{controllers(w)}")]),
        f"GET {BASE}{at}/{{id}}/IPAddresses": reads(at, lambda w: addressed(w)[0],
                                                    lambda w: [request("GET", f"{at}/{gone}/IPAddresses")]),
        f"POST {BASE}{at}/{{id}}/IPAddresses": changes(
            "POST", lambda w: addressed(w)[0], lambda w: {"IPAddress": address(w)}, add_more),
        f"PATCH {BASE}{at}/{{id}}/IPAddresses/{{ip}}": changes(
            "PATCH", one_address, lambda w: {"Network": "NMN"},
            lambda w: [request("PATCH", f"{at}/{gone}/IPAddresses/10.0.0.1", {}), request("PATCH", one_address(w), {"Network": 7})]),
        f"DELETE {BASE}{at}/{{id}}/IPAddresses/{{ip}}": r.Recipe(
            lambda w: request("DELETE", one_address(w)), lambda w: [request("DELETE", f"{at}/{gone}/IPAddresses/10.0.0.1")]),
    }


def lock_recipes():
    at = "/locks"

    def post(what, body, more=()):
        return changes("POST", lambda w: f"{at}/{what}", body, lambda w: [request("POST", f"{at}/{what}", {}), *more])

    def ids(world, *before):
        """A new component, with this done to it first."""
        body = {"ComponentIDs": [component(world)]}
        for what in before:
            world.cluster.api.ask("POST", f"{BASE}{at}/{what}", body, base="")
        return body

    def reserved(world, service):
        """Keys of a new reservation."""
        body = dict(ids(world, *(() if service else ("lock",))), ReservationDuration=1)
        made = world.cluster.api.ask("POST", f"{BASE}{at}/{'service/' if service else ''}reservations", body, base="")
        return made.json["Success"][0]

    def keys(world, service, member="ReservationKey"):
        one = reserved(world, service)
        return {f"{member}s": [{"ID": one["ID"], "Key": one[member]}], "ReservationDuration": 2}
    return {f"POST {BASE}{at}/{what}": recipe for what, recipe in {
        "lock": post("lock", ids),
        "unlock": post("unlock", lambda w: ids(w, "lock")),
        "disable": post("disable", ids),
        "repair": post("repair", lambda w: ids(w, "disable")),
        "status": post("status", ids),
        "reservations": post("reservations", lambda w: ids(w, "lock")),
        "reservations/release": post("reservations/release", lambda w: keys(w, False)),
        "reservations/remove": post("reservations/remove", lambda w: ids(w, "lock", "reservations")),
        "service/reservations": post("service/reservations", lambda w: dict(ids(w), ReservationDuration=1)),
        "service/reservations/release": post("service/reservations/release", lambda w: keys(w, True)),
        "service/reservations/renew": post("service/reservations/renew", lambda w: keys(w, True)),
        "service/reservations/check": post("service/reservations/check", lambda w: keys(w, True, "DeputyKey")),
    }.items()} | {f"GET {BASE}{at}/status": reads(f"{at}/status", lambda w: f"{at}/status?id={component(w)}",
                                                  bad_filter(f"{at}/status"))}


def map_recipes(at, one_key, body):
    """Of node maps and power maps: `body` makes one."""
    nodes = at.endswith("NodeMaps")

    def wrapped(one):
        return {"NodeMaps": [one]} if nodes else [one]

    def made(world):
        one = body(world)
        world.cluster.api.ask("POST", BASE + at, wrapped(one), base="")
        return one

    def taken(world):
        return {"ID": place(world) + "s0b0n0", "NID": made(world)["NID"]} if nodes else None

    def post_more(world):
        return [request("POST", at, wrapped({})), *([request("POST", at, wrapped(taken(world)))] if nodes else [])]

    def put_more(world):
        return [request("PUT", f"{at}/{NOWHERE}", {}), *([request("PUT", f"{at}/{NOWHERE}", taken(world))] if nodes else [])]
    return {
        f"GET {BASE}{at}": reads(at, lambda w: f"{at}{'' if made(w) else ''}"),
        f"POST {BASE}{at}": changes("POST", lambda w: at, lambda w: wrapped(body(w)), post_more),
        f"DELETE {BASE}{at}": r.Recipe(lambda w: request("DELETE", f"{at}{'' if made(w) else ''}"),
                                       lambda w: [request("DELETE", at)]),
        f"GET {BASE}{at}/{{xname}}": reads(at, lambda w: f"{at}/{made(w)[one_key]}",
                                           lambda w: [request("GET", f"{at}/{NOWHERE}")]),
        f"PUT {BASE}{at}/{{xname}}": r.Recipe(
            lambda w: (lambda one: request("PUT", f"{at}/{one[one_key]}", one))(body(w)), put_more),
        f"DELETE {BASE}{at}/{{xname}}": r.Recipe(lambda w: request("DELETE", f"{at}/{made(w)[one_key]}"),
                                                 lambda w: [request("DELETE", f"{at}/{NOWHERE}")]),
    }


def node_map(world):
    xname = place(world) + "s0b0n0"
    return {"ID": xname, "NID": 700000 + world.count, "Role": "Compute", "NodeInfo": {"rack": 7}}


def power_map(world):
    return {"id": place(world) + "s0b0n0", "poweredBy": ["x0m0p0v1"]}


def subscription_recipes():
    at = "/Subscriptions/SCN"

    def body(world):
        return {"Subscriber": "hmfd", "Url": f"http://127.0.0.1:9/{world.fresh('s')}", "States": ["Ready"], "Enabled": True}

    def made(world):
        return world.cluster.api.ask("POST", BASE + at, body(world), base="").json

    def taken(world):
        one = made(world)
        return {name: one[name] for name in ("Subscriber", "Url", "States")}
    return {
        f"GET {BASE}{at}": reads(at, lambda w: f"{at}{'' if made(w) else ''}"),
        f"POST {BASE}{at}": changes("POST", lambda w: at, body,
                                    lambda w: [request("POST", at, {}), request("POST", at, taken(w))]),
        f"DELETE {BASE}{at}": r.Recipe(lambda w: request("DELETE", f"{at}{'' if made(w) else ''}"),
                                       lambda w: [request("DELETE", at)]),
        f"GET {BASE}{at}/{{id}}": reads(at, lambda w: f"{at}/{made(w)['ID']}", lambda w: [request("GET", f"{at}/99999")]),
        f"PUT {BASE}{at}/{{id}}": changes(
            "PUT", lambda w: f"{at}/{made(w)['ID']}", body,
            lambda w: [request("PUT", f"{at}/{made(w)['ID']}", {}), request("PUT", f"{at}/{made(w)['ID']}", taken(w)),
                       request("PUT", f"{at}/99999", {})]),
        f"PATCH {BASE}{at}/{{id}}": changes(
            "PATCH", lambda w: f"{at}/{made(w)['ID']}", lambda w: {"Op": "add", "States": ["Off"]},
            lambda w: [request("PATCH", f"{at}/{made(w)['ID']}", {}), request("PATCH", f"{at}/99999", {})]),
        f"DELETE {BASE}{at}/{{id}}": r.Recipe(lambda w: request("DELETE", f"{at}/{made(w)['ID']}"),
                                              lambda w: [request("DELETE", f"{at}/99999")]),
    }


def more_recipes():
    status = "/Inventory/DiscoveryStatus"
    return {**lock_recipes(), **subscription_recipes(), **map_recipes("/Defaults/NodeMaps", "ID", node_map),
            **map_recipes("/sysinfo/powermaps", "id", power_map),
            f"GET {BASE}{status}": reads(status),
            f"GET {BASE}{status}/{{id}}": reads(status, lambda w: f"{status}/0")}


def r_pairs(text):
    return [text[i:i + 2] for i in range(0, len(text), 2)]


def smd_recipes():
    return {**endpoint_recipes(), **interface_recipes(), **more_recipes(), **service_recipes(), **component_recipes(), **group_recipes("groups", "label", "labels"),
            **group_recipes("partitions", "name", "names"), **membership_recipes()}
