// The order for one node, as the model has it now. Pure.
#pragma once

#include "cluster/content/node_up.hpp"
#include "cluster/model.hpp"

namespace drover::daemons {

/// Whether anybody at all gives nodes steps or files: quick.
bool gives_orders(const cluster::Model& model);
/// Its steps and its files; an error names the file that cannot be made, and why.
Result<cluster::NodeOrder> order_of(const cluster::Model& model, const cluster::Node& node);
/// Its files alone.
Result<std::vector<cluster::OrderedFile>> files_for(const cluster::Model& model,
                                                    const cluster::Node& node);

}  // namespace drover::daemons
