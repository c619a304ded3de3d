// ?nodes=<noderange>&limit=&page= of lists over nodes.
#pragma once

#include "api/request.hpp"
#include "base/result.hpp"
#include "cluster/model.hpp"

#include <string>
#include <vector>

namespace drover::api {

/// Most items of one page, and the default: a site of this size needs one request.
inline constexpr uint64_t kMaxPage = 10'000;

/// One page of nodes in natural order. The model must not change while it is held.
struct NodeSelection {
  std::vector<const cluster::NodeEntry*> nodes;
  std::string next_page;  ///< name of the last node when more follow
};

/// not_found listing unknown names, invalid_argument with the place of a mistake.
Result<NodeSelection> select_nodes(const Request& request, const cluster::Model& model);

/// The node, or not_found with a hint; the name's rules are checked first.
Result<const cluster::NodeEntry*> find_node(const cluster::Model& model, const std::string& name);

}  // namespace drover::api
