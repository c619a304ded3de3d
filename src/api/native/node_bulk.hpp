// Changes of many nodes in one mutation, for other resources than nodes themselves.
#pragma once

#include "api/request.hpp"
#include "api/services.hpp"
#include "base/callback.hpp"
#include "base/result.hpp"
#include "cluster/definition_writer.hpp"
#include "store/store.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace drover::api {

/// The nodes of ?nodes=, which is required.
Result<std::vector<std::string>> asked_nodes(Services& services, const RequestPtr& request);

/// Runs once for each node, inside one mutation; gives whether anything was written.
using ForOne = Callback<Result<bool>(store::Transaction&, cluster::DefinitionWriter&,
                                     const std::string& name, size_t index)>;
/// Changes many nodes in one mutation and answers with an outcome for each; those that are done get
/// `good_status`. What is wrong with one node leaves the others alone.
void change_each(Services& services, const RequestPtr& request, std::vector<std::string> names,
                 ForOne for_one, int good_status = 200);

}  // namespace drover::api
