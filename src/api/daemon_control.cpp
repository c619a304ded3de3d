#include "api/daemon_control.hpp"

namespace drover::api {

void ComponentLevel::describe(Visitor& v) {
  v.field("component", component, "A part of the daemon that logs.");
  v.field("level", level, "Least severity that it logs: debug, info, notice, warning or error.");
  v.field("origin", origin, "Who says so: by hand, host, cluster or default.");
}

void LogLevelsView::describe(Visitor& v) {
  v.field("level", level, "Least severity of components that are not named.");
  v.field("origin", origin, "Who says so: by hand, host, cluster or default.");
  v.field("components", components, "Components that have logged or are named.");
  v.field("by_hand", by_hand, "What was set on this daemon until its next start.");
}

void LogLevelsRequest::describe(Visitor& v) {
  v.field("levels", levels,
          "Levels by component until the daemon's next start, * for all others; "
          "what is not named goes back to the settings.");
}

void ReloadedOption::describe(Visitor& v) {
  v.field("key", key, "Names the option.");
  v.field("before", before, "The value that was in use.");
  v.field("after", after, "What the configuration says now.");
  v.field("live", live, "Whether it is in use now, or waits for the daemon's next start.");
}

void ReloadView::describe(Visitor& v) {
  v.field("file", file, "The file that was read; empty when there is none.");
  v.field("options", options, "Options whose value has changed.");
}

}  // namespace drover::api
