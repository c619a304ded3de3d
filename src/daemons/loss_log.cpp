#include "daemons/loss_log.hpp"

#include "base/noderange.hpp"

#include <algorithm>

namespace drover::daemons {

void LossLog::lost(const std::string& node, const Error& why) {
  nodes_[why.text()].push_back(node);
  if (armed_) return;
  armed_ = true;
  const Duration since = told_ ? executor_.now() - last_ : kBetween;
  timer_.after(executor_, since >= kBetween ? kGather : kBetween - since, [this] { tell(); });
}

void LossLog::tell() {
  armed_ = false;
  told_ = true;
  last_ = executor_.now();
  std::vector<std::string> all;
  const std::string* commonest = nullptr;
  size_t most = 0;
  for (const auto& [why, nodes] : nodes_) {
    all.insert(all.end(), nodes.begin(), nodes.end());
    if (nodes.size() > most) {
      most = nodes.size();
      commonest = &why;
    }
  }
  if (all.size() == 1) {
    log_.warning("lost a node", {{"node", all.front()}, {"why", *commonest}});
  } else {
    const size_t count = all.size();
    log_.warning("lost nodes", {{"nodes", fold_names(all)},
                                {"count", std::to_string(count)},
                                {"why", *commonest},
                                {"other_reasons", std::to_string(nodes_.size() - 1)}});
  }
  nodes_.clear();
}

}  // namespace drover::daemons
