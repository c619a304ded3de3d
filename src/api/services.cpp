#include "api/services.hpp"

namespace drover::api {

void NodeMetrics::describe(Visitor& v) {
  v.field("node", node, "Name of the node.");
  v.field("time", time, "When its agent took them.");
  v.field("stale", stale, "Whether they are too old to be trusted, or the node was lost since.");
  v.field("metrics", metrics, "Name of the metric to its latest value.");
}

void SpoolView::describe(Visitor& v) {
  v.field("records", records, "Records that wait for the way up.");
  v.field("bytes", bytes, "Their size on disk.");
  v.field("oldest", oldest, "Since when the first of them waits; null: none does.",
          Presence::optional);
}

void DegradedView::describe(Visitor& v) {
  v.field("since", since, "Since when.");
  v.field("why", why, "What is missing.");
}

void LocalView::describe(Visitor& v) {
  v.field("role", role, "Kind of daemon.");
  v.field("name", name, "Name of the daemon.");
  v.field("version", version, "Version of its software.");
  v.field("cluster", cluster, "The cluster's id.");
  v.field("started", started, "When it started.");
  v.field("starts", starts, "How often it has started on this host.");
  v.field("links", links, "Its links towards the masters.");
  v.field("spool", spool, "What waits for the way up.");
  v.field("degraded", degraded, "Why it cannot do everything; null: it can.");
}

}  // namespace drover::api
