// What single and bulk changes of nodes share.
#pragma once

#include "api/request.hpp"
#include "api/services.hpp"
#include "base/result.hpp"
#include "cluster/definition_writer.hpp"
#include "cluster/node_mutations.hpp"

#include <string>

namespace drover::api {

/// ?force=true; the router has refused other values.
bool is_forced(const RequestPtr& request);

/// Whether the caller may change what nodes are, beside their states.
bool may_define(const RequestPtr& request);

/// Removes a node and ends its agent's credential. conflict when `agent_up` and not forced.
Status remove_node(store::Transaction& tx, cluster::DefinitionWriter& writer,
                   const std::string& name, bool agent_up, bool force);
/// Renames a node. conflict when its agent is enrolled and not forced: with another name it must
/// join again, since its certificate says the old one.
Result<cluster::Node> rename_node(store::Transaction& tx, cluster::DefinitionWriter& writer,
                                  const std::string& from, const std::string& to, bool force);

/// POST, PATCH and DELETE /nodes?nodes=: one mutation, an outcome per node.
void add_many(Services& services, const RequestPtr& request);
void change_many(Services& services, const RequestPtr& request);
void remove_many(Services& services, const RequestPtr& request);

}  // namespace drover::api
