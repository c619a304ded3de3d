#include "api/console_view.hpp"

namespace drover::api {

void ConsoleViewerView::describe(Visitor& v) {
  v.field("who", who, "The caller as the audit names it.");
  v.field("origin", origin, "Where the request entered the cluster.");
  v.field("writes", writes, "Whether it types, or looks on.");
  v.field("since", since, "When it came.");
}

void ConsoleView::describe(Visitor& v) {
  v.field("node", node, "Name of the node.");
  v.field("state", state,
          "idle while nobody needs it; connecting, open, or waiting until it is tried again.");
  v.field("since", since, "Since when it is so.");
  v.field("why", why, "Of one that waits: what went wrong.");
  v.field("next", next, "What would mend that; may be empty.");
  v.field("kind", kind, "How it was reached last: ipmi, ssh or socket.");
  v.field("to", to, "Where: the BMC's address and port, or the socket's path.");
  v.field("held", held, "Whether it is open also while nobody is at it.");
  v.field("bytes", bytes, "Bytes that it said since this master started.");
  v.field("viewers", viewers, "Who is at it, in the order of their coming.");
}

ConsoleView console_view(const std::string& node, const hardware::ConsoleStatus& status,
                         const std::vector<hardware::ConsoleViewer>& viewers) {
  ConsoleView out{
      node,          status.state, status.since, status.why, status.next, status.way.kind,
      status.way.to, status.held,  status.bytes, {}};
  for (const auto& viewer : viewers) {
    out.viewers.push_back({viewer.who, viewer.origin, viewer.writes, viewer.since});
  }
  return out;
}

void ConsoleEvent::describe(Visitor& v) {
  v.field("session", session, "In the first line: by what input is sent; else empty.",
          Presence::optional);
  v.field("console", console, "How the console stands and who is at it, when that changed.",
          Presence::optional);
  v.field("data", data, "What it said, raw, in base64 for URLs (RFC 4648 section 5).",
          Presence::optional);
  v.field("end", end, "With data: how many bytes it had said by then; see the parameter seen.",
          Presence::optional);
  v.field("lost", lost, "Bytes before these that this client was too slow for.",
          Presence::optional);
  v.field("over", over, "In the last line: why the master ends this; else empty.",
          Presence::optional);
}

void ConsoleInput::describe(Visitor& v) {
  v.field("session", session, "The session of one's own stream.");
  v.field("sequence", sequence,
          "1, 2 and so on: one that was taken already is not typed a second time.");
  v.field("data", data, "What is typed, in base64 for URLs; at most 16 KiB.", Presence::optional);
  v.field("break", sends_break, "Send a break, after the data.", Presence::optional);
}

void ConsoleRecord::describe(Visitor& v) {
  v.field("time", time, "When it was said; null in lines that say nothing.");
  v.field("data", data, "What was said, raw, in base64 for URLs.", Presence::optional);
  v.field("note", note, "What became of the console or who came and went, in words.",
          Presence::optional);
  v.field("end", end, "Whether that is all.", Presence::optional);
}

}  // namespace drover::api
