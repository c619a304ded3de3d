"""The master is killed again and again under a writer and a watcher: nothing acknowledged is lost, nothing
is done twice, and a watch that resumes has neither gap nor duplicate."""
import http.client
import threading

import cluster as c

KILLS = 8


class Writer(threading.Thread):
    """Writes n1's service state over and over; repeats a write, under its key, until it is answered."""

    def __init__(self, api):
        super().__init__()
        self.api, self.stop, self.acknowledged, self.retried, self.error = api, threading.Event(), [], 0, None

    def write(self, number):
        body = {"service": ("maintenance", "in_service")[number % 2], "why": f"w{number}"}
        return self.api.ask("PATCH", "/nodes/n1", body, {"Idempotency-Key": f"key-{number}"}, timeout=10)

    def run(self):
        number = 0
        while not self.stop.is_set():
            try:
                answer = self.write(number)
            except (OSError, http.client.HTTPException):
                self.retried += 1
                continue
            if answer.status == 503:
                self.retried += 1
                continue
            if answer.status != 200:
                self.error = (number, answer.status, answer.body)
                return
            self.acknowledged.append((f"w{number}", answer.body))
            number += 1


class Watcher(threading.Thread):
    """Watches all changes and resumes after the last one it has whenever the connection ends."""

    def __init__(self, cluster, since):
        super().__init__()
        self.path, self.last, self.seen, self.resumed, self.stop = cluster.master.socket, since, [], 0, threading.Event()

    def run(self):
        while not self.stop.is_set():
            try:
                with c.Watch(self.path, f"?since={self.last}", timeout=5) as watch:
                    self.resumed += 1
                    for sequence, change in watch.changes():
                        assert sequence == change["sequence"]
                        self.seen.append(sequence)
                        self.last = sequence
                        if self.stop.is_set():
                            return
            except (OSError, http.client.HTTPException, c.Problem):
                continue


def test_no_acknowledged_write_is_lost_and_none_happens_twice():
    with c.Cluster("durable") as cluster:
        cluster.form(1, aggregators=[("agg1", "127.0.0.1")])
        since = cluster.api.changes()[-1]["sequence"]
        writer, watcher = Writer(cluster.api), Watcher(cluster, since)
        writer.start()
        watcher.start()
        try:
            for _ in range(KILLS):
                seen = len(writer.acknowledged)
                c.wait_for("writes go on", lambda: writer.error or len(writer.acknowledged) > seen + 20)
                cluster.master.kill()
                cluster.start_master()
            seen = len(writer.acknowledged)
            c.wait_for("writes go on", lambda: writer.error or len(writer.acknowledged) > seen + 20)
        finally:
            writer.stop.set()
            writer.join()
        assert writer.error is None
        log = cluster.api.changes(f"&since={since}")
        c.wait_for("the watcher has all", lambda: watcher.last >= log[-1]["sequence"])
        watcher.stop.set()
        cluster.cli("node", "set", "n1", "service=in_service", "--why", "wakes the watcher", check=0)
        watcher.join()

        written = [change["why"] for change in log if change["kind"] == "node" and change["why"].startswith("w")]
        acknowledged = [why for why, _ in writer.acknowledged]
        assert written[:len(acknowledged)] == acknowledged, "each once, in order"
        assert len(written) <= len(acknowledged) + 1
        assert watcher.seen[:len(log)] == [change["sequence"] for change in log], "neither gap nor duplicate"
        assert watcher.resumed > KILLS
        print(f"{len(written)} writes, {writer.retried} repeated, {watcher.resumed - 1} resumptions, {KILLS} kills")

        # A write that was answered before all the restarts: its key still gives the first answer.
        last = cluster.api.changes()[-1]["sequence"]
        why, first_answer = writer.acknowledged[-2]
        again = writer.write(int(why[1:]))
        assert (again.status, again.body) == (200, first_answer)
        assert cluster.api.changes()[-1]["sequence"] == last
        other = cluster.api.ask("PATCH", "/nodes/n1", {"service": "out_of_service", "why": "x"},
                                {"Idempotency-Key": why.replace("w", "key-")})
        assert other.status == 409, other.body


def test_a_watch_older_than_the_log_and_a_stale_revision_are_refused():
    with c.Cluster("refuse") as cluster:
        cluster.join("compute", "n1")
        node = cluster.api.get("/nodes/n1")
        stale = {"If-Match": f'"{node["revision"] - 1}"'}
        assert cluster.api.ask("PATCH", "/nodes/n1", {"service": "in_service", "why": "x"}, stale).status in (409, 412)
        assert cluster.api.get("/nodes/n1")["revision"] == node["revision"]
        ahead = cluster.api.ask("GET", "/watch?since=999999")
        assert ahead.status in (400, 410), ahead.body
