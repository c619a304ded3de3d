// A name's own form, and what else goes by it.
#include "cluster/new_name.hpp"

#include "cluster/group.hpp"
#include "cluster/names.hpp"

#include <fmt/format.h>

namespace drover::cluster {

Status check_new_node_name(std::string_view name) {
  DROVER_CHECK_OK(check_node_name(name));
  if (!is_built_in_group(name)) return {};
  return fail(Code::invalid_argument,
              fmt::format("'{}' cannot name a node: it is a group that is always there", name),
              fmt::format("give it another name, e.g. {}1", name));
}

}  // namespace drover::cluster
