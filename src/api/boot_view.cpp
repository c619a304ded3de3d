#include "api/boot_view.hpp"

namespace drover::api {

void BootDaemonProblem::describe(Visitor& v) {
  v.field("daemon", daemon, "Name of the boot daemon; empty: of none, there is none to ask.");
  v.field("why", why, "Why it says nothing, or no more.");
}

void BootProgressView::describe(Visitor& v) {
  v.field("node", node, "Name of the node.");
  v.field("stage", stage, "How far its boot has come.");
  v.field("since", since, "When that was reached.");
  v.field("why", why, "What was seen last.");
  v.field("item", item, "What is being fetched; empty: nothing.");
  v.field("done", done, "Bytes of it that the machine has.");
  v.field("total", total, "Bytes of all of it; 0: not known.");
  v.field("deadline", deadline,
          "When the boot is called failed unless something more is seen; null: never.");
  v.field("daemon", daemon, "The boot daemon that serves it.");
}

void BootProgressEvent::describe(Visitor& v) {
  v.field("boot", boot, "A boot that begins or gets on; null: nothing new.", Presence::optional);
  v.field("ended", ended, "The node whose boot is over; empty: none.", Presence::optional);
  v.field("problem", problem, "A boot daemon that says nothing; null: none.", Presence::optional);
  v.field("caught_up", caught_up, "Whether all that was there has been told; what follows is new.",
          Presence::optional);
  v.field("end", end, "Whether this is the last event.", Presence::optional);
}

void BootLogLine::describe(Visitor& v) {
  v.field("time", time, "When the boot daemon had it.");
  v.field("node", node, "Name of the node.");
  v.field("source", source,
          "Who says it: boot (the boot services), kernel, or panic (a kernel's last words).");
  v.field("text", text, "The line; what is not printable is escaped.");
  v.field("daemon", daemon, "The boot daemon that keeps it.");
}

void BootLogEvent::describe(Visitor& v) {
  v.field("line", line, "A line; null: nothing new.", Presence::optional);
  v.field("problem", problem, "A boot daemon that says nothing; null: none.", Presence::optional);
  v.field("caught_up", caught_up, "Whether all that was there has been told; what follows is new.",
          Presence::optional);
  v.field("end", end, "Whether this is the last event.", Presence::optional);
}

void BootLease::describe(Visitor& v) {
  v.field("address", address, "The address.");
  v.field("state", state,
          "offered (held for a moment), leased, free (somebody had it), or quarantined (somebody "
          "unknown uses it).");
  v.field("client", client, "MAC of the machine, or its client identifier; empty: none.");
  v.field("name", name, "What the machine calls itself or is called.");
  v.field("since", since, "When that began, or was last confirmed.");
  v.field("until", until, "When it ends.");
  v.field("daemon", daemon, "The boot daemon that deals it out.");
}

void BootLeaseEvent::describe(Visitor& v) {
  v.field("lease", lease, "An address; null: nothing new.", Presence::optional);
  v.field("problem", problem, "A boot daemon that says nothing; null: none.", Presence::optional);
  v.field("caught_up", caught_up, "Whether a boot daemon has told all of its.", Presence::optional);
  v.field("end", end, "Whether this is the last event.", Presence::optional);
}

void BootLeaseQuery::describe(Visitor& v) {
  v.field("all", all, "Whether free ones are wanted too.", Presence::optional);
}

void BootProgressQuery::describe(Visitor& v) {
  v.field("nodes", nodes, "Names, folded; null: every node.", Presence::optional);
  v.field("follow", follow, "Whether to go on with what is new.", Presence::optional);
}

void BootLogQuery::describe(Visitor& v) {
  v.field("nodes", nodes, "Names, folded.");
  v.field("grep", grep, "Only lines that match this regular expression.", Presence::optional);
  v.field("since", since, "Only lines from this time on.", Presence::optional);
  v.field("lines", lines, "The newest so many of each node; 0: all.", Presence::optional);
  v.field("follow", follow, "Whether to go on with what is new.", Presence::optional);
}

}  // namespace drover::api
