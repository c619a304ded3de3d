"""What the README promises, with every setting at its default; and what the node's program is made of."""
import re
import subprocess
import time

import cluster as c


def test_crash_hang_and_failover_with_default_timing():
    with c.Cluster("defaults", timing=()) as cluster:
        cluster.form(2)
        since = cluster.api.changes()[-1]["sequence"]

        begun = time.monotonic()
        cluster["n1"].kill()
        cluster.wait_phase("n1", "lost")
        crash = time.monotonic() - begun

        begun = time.monotonic()
        cluster["n2"].pause()
        cluster.wait_phase("n2", "lost")
        hang = time.monotonic() - begun
        assert hang > 1.0, "a short pause is no death"
        cluster["n2"].resume()
        cluster["n1"].start()
        cluster.wait_up("n1", "n2")
        cluster.wait_redundant("n1", "n2")

        victim = cluster.primary("n1")
        begun = time.monotonic()
        cluster[victim].kill()
        c.wait_for("n1 moved", lambda: cluster.primary("n1") not in (victim, "") and cluster.phase("n1") == "up")
        failover = time.monotonic() - begun
        assert cluster.api.call("n[1-2]")["totals"]["done"] == 2
        print(f"crash {crash * 1000:.0f} ms, hang {hang * 1000:.0f} ms, failover {failover * 1000:.0f} ms")
        lost = [x["key"] for x in cluster.api.changes(f"&since={since}&kind=node")
                if x["after"]["phase"]["state"] == "lost" != x["before"]["phase"]["state"]]
        assert lost == ["n1", "n2"]


def needed(program):
    out = subprocess.run(["readelf", "-d", c.BIN / program], capture_output=True, text=True, check=True).stdout
    return re.findall(r"NEEDED.*\[([^\]]+)\]", out)


def test_the_nodes_program_carries_no_database():
    libraries = needed("drover-compute")
    assert libraries, "a dynamic program"
    assert not [name for name in libraries if re.search("sqlite|boost", name)], libraries
    symbols = subprocess.run(["nm", "-C", c.BIN / "drover-compute"], capture_output=True, text=True, check=True).stdout
    assert "sqlite3_" not in symbols  # nor linked statically
    assert [name for name in needed("drover-master") if "sqlite" in name], "the test can see one"
