#include "api/node_selection.hpp"

#include "cluster/names.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace drover::api {
namespace {

NodeSelection page_of_all(const cluster::Model& model, std::string_view after, size_t limit) {
  NodeSelection out;
  const auto& nodes = model.nodes();
  auto it = after.empty() ? nodes.begin() : nodes.upper_bound(after);
  for (; it != nodes.end() && out.nodes.size() < limit; ++it) out.nodes.push_back(&it->second);
  if (it != nodes.end() && !out.nodes.empty()) out.next_page = out.nodes.back()->node().name;
  return out;
}

NodeSelection page_of(const std::vector<std::string>& names, const cluster::Model& model,
                      std::string_view after, size_t limit) {
  NodeSelection out;
  auto it = after.empty() ? names.begin() : std::ranges::upper_bound(names, after, NaturalLess());
  for (; it != names.end() && out.nodes.size() < limit; ++it) {
    if (const auto* entry = model.find(*it)) out.nodes.push_back(entry);
  }
  if (it != names.end() && !out.nodes.empty()) out.next_page = out.nodes.back()->node().name;
  return out;
}

}  // namespace

Result<NodeSelection> select_nodes(const Request& request, const cluster::Model& model) {
  constexpr uint64_t kAll = std::numeric_limits<uint64_t>::max();
  DROVER_TRY(const uint64_t limit,
             request.query_number("limit", request.wants_all() ? kAll : kMaxPage, 1, kMaxPage));
  const std::string_view after = request.query("page").value_or("");
  if (!after.empty() && !cluster::check_node_name(after)) {
    return fail(Code::invalid_argument, "query parameter page: not a next_page of this list");
  }
  const auto range = request.query("nodes");
  if (!range) return page_of_all(model, after, limit);
  DROVER_TRY(const auto names, evaluate(*range, cluster::ModelNames(model)));
  return page_of(names, model, after, limit);
}

Result<const cluster::NodeEntry*> find_node(const cluster::Model& model, const std::string& name) {
  DROVER_CHECK_OK(cluster::check_node_name(name));
  const cluster::NodeEntry* entry = model.find(name);
  if (entry != nullptr) return entry;
  return fail(Code::not_found, fmt::format("there is no node '{}'", name),
              "drover node list shows all nodes");
}

}  // namespace drover::api
