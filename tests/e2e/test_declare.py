"""The cluster as a document: applied, exported, edited and imported with the real command and master."""
import os
import resource
import stat
import textwrap

import pytest

import cluster as c


@pytest.fixture(scope="module")
def cluster():
    with c.Cluster("declare") as made:
        yield made


def write(cluster, name, text):
    path = cluster.run / name
    path.write_text("kind: drover-cluster\nversion: 1\n" + textwrap.dedent(text))
    return path


def head(cluster):
    return cluster.api.changes()[-1]["sequence"]


CLUSTER = """\
    profiles:
      gpu:
        description: with GPUs
        attributes:
          image: rocky-cuda
    groups:
      rack1:
        nodes: n[1-16]
        attributes:
          rack: r1
    nodes:
      n[1-32]:
        profiles:
          - gpu
        interfaces:
          - name: eth0
            addresses:
              - 10.0.0.${number}/24
        bmc:
          address: 10.1.0.${number}
          user: admin
      login1:
        role: utility
        nid: 100
    """


def test_a_document_is_planned_applied_and_exported_as_it_was(cluster):
    path = write(cluster, "cluster.yaml", CLUSTER)
    before = head(cluster)
    plan = cluster.cli("apply", "-f", path, "--dry-run", check=0).stdout
    assert "+ node n[1-32]  (32)\n" in plan and "would be: 35 created" in plan
    assert head(cluster) == before
    assert cluster.cli("apply", "-f", path).returncode == 2, "35 objects are asked about"
    done = cluster.cli("apply", "-f", path, "--yes", "--why", "first rack", check=0).stdout
    assert "applied: 35 created, 0 changed, 0 removed" in done
    assert len(cluster.api.nodes()) == 33
    assert {x["why"] for x in cluster.api.changes(f"&since={before}")} == {"first rack"}

    before = head(cluster)
    assert cluster.cli("apply", "-f", path, "--yes", check=0).stdout == "nothing to change\n"
    assert head(cluster) == before

    exported = cluster.cli("export", check=0).stdout
    again = cluster.run / "exported.yaml"
    again.write_text(exported)
    assert "= " not in (plan := cluster.cli("apply", "-f", again, "--name", "copy", "--dry-run", check=0).stdout), plan
    assert plan == "nothing to change\n"
    with c.Cluster("copy") as other:
        other.cli("apply", "-f", again, "--yes", check=0)
        assert other.cli("export", check=0).stdout == exported, "byte for byte"


def test_what_others_changed_is_kept_and_what_both_changed_is_refused(cluster):
    cluster.cli("apply", "-f", write(cluster, "a.yaml", "nodes: {m1: {description: a, owner: bob}}\n"), "--name", "m", check=0)
    cluster.cli("apply", "-f", write(cluster, "b.yaml", "nodes: {m1: {description: by hand}}\n"), "--name", "other",
                "--why", "new label", check=0)
    same = cluster.cli("apply", "-f", cluster.run / "a.yaml", "--name", "m", check=0).stdout
    assert "= node m1: description is by hand, set by " in same and "(new label); kept" in same
    before = head(cluster)
    both = write(cluster, "c.yaml", "nodes: {m1: {description: c, owner: eve}}\n")
    refused = cluster.cli("apply", "-f", both, "--name", "m", check=5)
    assert "conflict: node m1: description is by hand, set by " in refused.stderr
    assert head(cluster) == before
    cluster.cli("apply", "-f", both, "--name", "m", "--force", check=0)
    assert cluster.api.get("/nodes/m1")["spec"]["description"] == "c"


def test_prune_removes_what_left_the_document(cluster):
    cluster.cli("apply", "-f", write(cluster, "p.yaml", "nodes: {'p[1-3]': {}}\n"), "--name", "p", check=0)
    less = write(cluster, "p1.yaml", "nodes: {p1: {}}\n")
    assert "? node p[2-3]: no longer in the document" in cluster.cli("apply", "-f", less, "--name", "p", check=0).stdout
    assert "p2" in cluster.api.nodes()
    assert "- node p[2-3]" in cluster.cli("apply", "-f", less, "--name", "p", "--prune", check=0).stdout
    assert not {"p2", "p3"} & set(cluster.api.nodes())


def test_every_mistake_is_shown_at_its_line_and_nothing_is_changed(cluster):
    before = head(cluster)
    bad = write(cluster, "bad.yaml", """\
        nodes:
          ok: {}
          q1:
            mode: 9999
            colour: red
        """)
    refused = cluster.cli("apply", "-f", bad, check=2)
    assert f"{bad}:7: nodes.q1.colour: unknown field" in refused.stderr
    bad.write_text(bad.read_text().replace("    colour: red\n", "    nid: 100\n"))
    refused = cluster.cli("apply", "-f", bad, check=2)
    assert f"{bad}:6: nodes.q1.mode: " in refused.stderr
    bad.write_text(bad.read_text().replace("    mode: 9999\n", ""))
    refused = cluster.cli("apply", "-f", bad, check=2)
    assert f"{bad}:6: nodes.q1.nid: the NID 100 of q1 is taken by login1" in refused.stderr
    assert head(cluster) == before and "ok" not in cluster.api.nodes()


def editor(cluster, name, script):
    path = cluster.run / name
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {"EDITOR": str(path)}


def test_edit_sends_what_the_editor_left(cluster):
    cluster.cli("apply", "-f", write(cluster, "e.yaml", "nodes: {e1: {description: old}}\n"), "--name", "e", check=0)
    before = head(cluster)
    done = cluster.cli("edit", "node", "e1", environment=editor(cluster, "idle", "true\n"), check=0)
    assert "nothing was changed" in done.stderr and head(cluster) == before
    cluster.cli("edit", "node", "e1", "--why", "relabel", check=0,
                environment=editor(cluster, "ed", 'sed -i s/old/new/ "$1"\n'))
    assert cluster.api.get("/nodes/e1")["spec"]["description"] == "new"
    # Somebody else changes the same field while the editor is open.
    socket = cluster.master.socket
    race = write(cluster, "race.yaml", "nodes: {e1: {description: theirs}}\n")
    script = (f'if [ ! -e "{cluster.run}/raced" ]; then touch "{cluster.run}/raced"\n'
              f'DROVER_SOCKET={socket} {c.BIN}/drover apply -f {race} --name race >/dev/null\n'
              'sed -i s/new/mine/ "$1"; else cp "$1" ' f'"{cluster.run}/second"; fi\n')
    refused = cluster.cli("edit", "node", "e1", environment=editor(cluster, "racer", script))
    assert refused.returncode == 5, (refused.stdout, refused.stderr)
    second = (cluster.run / "second").read_text()
    assert second.startswith("# This was refused") and "is theirs, set by" in second and "mine" in second
    assert cluster.api.get("/nodes/e1")["spec"]["description"] == "theirs"
    for kept in (c.pathlib.Path("/").glob("drover-edit-*.yaml")):
        kept.unlink()


def test_import_makes_nodes_of_a_hosts_file(cluster):
    hosts = cluster.run / "hosts"
    hosts.write_text("127.0.0.1 localhost\n" + "".join(f"10.7.0.{i} h{i}\n10.8.0.{i} h{i}-bmc\n" for i in range(1, 9)))
    document = cluster.cli("import", "hosts", hosts, check=0).stdout
    assert "h[1-8]:" in document and "10.7.0.${number}" in document
    cluster.cli("import", "hosts", hosts, "--apply", "--yes", check=0)
    assert cluster.api.get("/nodes/h3")["spec"]["bmc"]["address"] == "10.8.0.${number}"


def cpu_seconds(cluster):
    """Processor time of the master and of the commands so far: other work on the machine does not count."""
    fields = open(f"/proc/{cluster.master.process.pid}/stat", encoding="ascii").read().rpartition(")")[2].split()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    ticks = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return ticks + children.ru_utime + children.ru_stime


@pytest.mark.skipif(any(x in str(c.BIN) for x in ("asan", "tsan")), reason="timed without sanitizers")
def test_five_thousand_nodes_apply_in_two_seconds(cluster):
    nodes = "".join(
        f"  big{i}: {{nid: {1000 + i}, interfaces: [{{name: eth0, mac: '02:00:00:00:{i >> 8:02x}:{i & 255:02x}', "
        f"addresses: [10.{16 + (i >> 16)}.{i >> 8 & 255}.{i & 255}/12]}}], attributes: {{rack: r{i // 40}}}}}\n"
        for i in range(1, 5001))
    path = cluster.run / "big.yaml"
    path.write_text("kind: drover-cluster\nversion: 1\nnodes:\n" + nodes)
    start = cpu_seconds(cluster)
    done = cluster.cli("apply", "-f", path, "--name", "big", "--yes", check=0).stdout
    first = cpu_seconds(cluster) - start
    assert "applied: 5000 created" in done
    before = head(cluster)
    start = cpu_seconds(cluster)
    assert cluster.cli("apply", "-f", path, "--name", "big", "--yes", check=0).stdout == "nothing to change\n"
    again = cpu_seconds(cluster) - start
    print(f"5,000 nodes: applied in {first:.2f} s, unchanged in {again:.2f} s of processor time")
    assert head(cluster) == before
    assert first < 2.0, first
