#include "api/power_note.hpp"

#include "base/noderange.hpp"
#include "cluster/commanded_end.hpp"

namespace drover::api {

void PowerNote::take(const tree::CallReport& report) {
  if (!cluster::phase_of_command(method_)) return;
  std::vector<std::string> fresh;
  for (const tree::CallGroup& group : report.groups) {
    if (group.outcome != tree::Outcome::done) continue;
    for (std::string& name : expand_names(group.nodes).value_or(std::vector<std::string>{})) {
      if (noted_.insert(name).second) fresh.push_back(std::move(name));
    }
  }
  if (fresh.empty()) return;
  services_.store.write(
      author_,
      [nodes = std::move(fresh), method = method_, why = why_](store::Transaction& tx) -> Status {
        return cluster::note_command(tx, nodes, method, why).map([](size_t) {});
      },
      [log = services_.log](const Result<store::Committed>& done) {
        if (done) return;
        log.error("phases of nodes that were told to end could not be stored",
                  {{"why", done.error().text()}});
      });
}

}  // namespace drover::api
