#include "daemons/path_board.hpp"

#include "proto/paths.pb.h"

namespace drover::daemons {

Result<std::vector<std::string>> PathBoard::take(std::string_view payload) {
  proto::PathAssignments message;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    return fail(Code::corrupt, "path assignments that cannot be read");
  }
  for (const auto& aggregator : message.aggregators()) {
    endpoints_[aggregator.name()].assign(aggregator.endpoints().begin(),
                                         aggregator.endpoints().end());
  }
  std::vector<std::string> fresh;
  for (const auto& entry : message.entries()) {
    if (entry.node().empty() || entry.primary().empty()) continue;
    tree::PathAssignment& known = assignments_[entry.node()];
    if (known.epoch >= entry.epoch() && known.epoch != 0) continue;
    known = {entry.primary(), entry.secondary(), entry.epoch()};
    fresh.push_back(entry.node());
  }
  return fresh;
}

std::string PathBoard::path_set(const std::string& node) const {
  const auto it = assignments_.find(node);
  if (it == assignments_.end()) return {};
  proto::PathSet message;
  message.set_epoch(it->second.epoch);
  const auto fill = [&](const std::string& name, proto::Aggregator* to) {
    to->set_name(name);
    const auto found = endpoints_.find(name);
    if (found == endpoints_.end()) return;
    for (const std::string& endpoint : found->second) to->add_endpoints(endpoint);
  };
  fill(it->second.primary, message.mutable_primary());
  if (!it->second.secondary.empty()) fill(it->second.secondary, message.mutable_secondary());
  return message.SerializeAsString();
}

const tree::PathAssignment* PathBoard::find(const std::string& node) const {
  const auto it = assignments_.find(node);
  return it == assignments_.end() ? nullptr : &it->second;
}

}  // namespace drover::daemons
