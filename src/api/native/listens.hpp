// Where the daemons of a role are dialled, as joining ones are told.
#pragma once

#include "cluster/model.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace drover::api {

/// Endpoints of all enrolled daemons of the role, in the order of their names.
std::vector<std::string> listens_of(const cluster::Model& model, std::string_view role);

}  // namespace drover::api
