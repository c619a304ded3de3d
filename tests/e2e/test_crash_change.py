"""kill -9 of a master in the middle of changes of all of 2,000 nodes, while retention moves bodies out of the log: what
was acknowledged is there, each change is whole or not at all, and no object is without its body."""
import http.client
import random
import sqlite3
import subprocess
import threading
import time

import cluster as c

NODES = 2000
KILLS = 20
FLAGS = ("warning", "alert")


class Writer(threading.Thread):
    """Small changes beside the large ones: one node's description, counted up, each as soon as the last is answered."""

    def __init__(self, api):
        super().__init__()
        self.api, self.stop, self.acknowledged, self.begun, self.error = api, threading.Event(), 0, 0, None

    def run(self):
        while not self.stop.is_set():
            self.begun = self.acknowledged + 1
            try:
                answer = self.api.ask("PATCH", "/nodes/n1", {"spec": {"description": str(self.begun)}}, timeout=10)
            except (OSError, http.client.HTTPException):
                self.stop.wait(0.02)
                continue
            if answer.status == 200:
                self.acknowledged = self.begun
            elif answer.status != 503:
                self.error = (answer.status, answer.body)
                return


def look_into(path):
    """What must hold of the file itself whenever the master is not running."""
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        # A body stands in the object, or in the entry of the change log that is named by its revision.
        without = database.execute("SELECT count(*) FROM objects o WHERE body IS NULL AND NOT EXISTS "
                                   "(SELECT 1 FROM changes WHERE sequence = o.revision AND after IS NOT NULL)").fetchone()
        assert without == (0,), without
        moved, changes = database.execute("SELECT (SELECT count(*) FROM objects WHERE kind = 'node' AND body IS NOT NULL), "
                                          "(SELECT count(*) FROM changes)").fetchone()
    database.close()
    return moved, changes


def test_a_change_of_all_nodes_is_whole_or_not_at_all_and_kept_once_acknowledged():
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    with c.Cluster("crash") as cluster:
        cluster.api.json("POST", "/apply", {"why": "begin", "document": {
            "kind": "drover-cluster", "version": 1, "nodes": {f"n{i}": {"nid": i} for i in range(1, NODES + 1)}}})
        cluster.cli("setting", "set", "history.keep_changes=1000", check=0)
        command = [c.BIN / "drover", "node", "set", "*", "--yes"]
        began = time.monotonic()
        cluster.cli("node", "set", "*", f"flag={FLAGS[1]}", "--yes", check=0)
        takes = time.monotonic() - began
        writer = Writer(cluster.api)
        writer.start()
        tally = {"acknowledged": 0, "whole": 0, "not at all": 0}
        moved = 0
        try:
            before = FLAGS[1]
            for number in range(KILLS):
                flag = FLAGS[number % 2]
                change = subprocess.Popen(
                    [*command, f"flag={flag}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                    env={**cluster.environment, "DROVER_SOCKET": str(cluster.master.socket)})
                try:
                    change.wait(draw.uniform(0.05, 1.5) * takes)  # where in it the kill comes
                except subprocess.TimeoutExpired:
                    pass
                acknowledged = change.poll() == 0
                cluster.master.kill()
                told = writer.acknowledged
                change.wait(60)
                there, changes = look_into(cluster.master.state / "drover.db")
                moved = max(moved, there)
                cluster.start_master()
                nodes = cluster.api.nodes()
                found = {node["flag"] for node in nodes.values()}
                assert len(nodes) == NODES and len(found) == 1, (number, found, "half a change")
                assert found == {flag} or (found == {before} and not acknowledged), (number, flag, found, acknowledged)
                written = int(nodes["n1"]["spec"].get("description") or 0)
                assert told <= written <= writer.begun, (told, written, writer.begun)
                tally["acknowledged" if acknowledged else "whole" if found == {flag} else "not at all"] += 1
                before = found.pop()
        finally:
            writer.stop.set()
            writer.join()
        assert writer.error is None and writer.acknowledged > 0
        assert moved > 0, "retention has moved bodies meanwhile, else this test shows nothing"
        print(tally, f"{writer.acknowledged} small changes, {moved} bodies moved, {changes} changes kept")
