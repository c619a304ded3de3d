#include "daemons/nodeup/node_order.hpp"

#include "boot/site/membership.hpp"
#include "cluster/content/effective.hpp"

#include <fmt/format.h>

namespace drover::daemons {
namespace {

Result<std::vector<cluster::OrderedFile>> ordered(std::vector<cluster::EffectiveFile> files) {
  std::vector<cluster::OrderedFile> out;
  out.reserve(files.size());
  size_t bytes = 0;
  for (cluster::EffectiveFile& each : files) {
    if (!each.problem.empty()) return fail(Code::invalid_argument, each.problem);
    each.file.is_template = false;
    bytes += each.path.size() + each.file.content.size();
    out.push_back({std::move(each.path), std::move(each.file)});
  }
  if (bytes <= cluster::kMaxOverlayBytes && out.size() <= cluster::kMaxOverlayFiles) return out;
  return fail(Code::too_large,
              fmt::format("{} files of {} bytes in all; a node takes {} of {} bytes", out.size(),
                          bytes, cluster::kMaxOverlayFiles, cluster::kMaxOverlayBytes));
}

}  // namespace

bool gives_orders(const cluster::Model& model) {
  return !model.step_lists().empty() || !model.overlays().empty();
}

Result<std::vector<cluster::OrderedFile>> files_for(const cluster::Model& model,
                                                    const cluster::Node& node) {
  if (model.overlays().empty()) return std::vector<cluster::OrderedFile>();
  const boot::NodeDefinitions definitions(model);
  cluster::NodeAttributes attributes(node, definitions);
  return ordered(cluster::files_of(model, attributes));
}

Result<cluster::NodeOrder> order_of(const cluster::Model& model, const cluster::Node& node) {
  cluster::NodeOrder out;
  if (!gives_orders(model)) return out;
  const boot::NodeDefinitions definitions(model);
  cluster::NodeAttributes attributes(node, definitions);
  for (cluster::EffectiveStep& each : cluster::steps_of(model, attributes)) {
    out.steps.push_back(std::move(each.step));
  }
  if (out.steps.size() > cluster::kMaxSteps) {
    return fail(Code::too_large,
                fmt::format("{} steps; a node takes {}", out.steps.size(), cluster::kMaxSteps));
  }
  DROVER_TRY(out.files, ordered(cluster::files_of(model, attributes)));
  return out;
}

}  // namespace drover::daemons
