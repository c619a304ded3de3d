#include "cluster/node_access.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

std::string_view words(NodeAccess access) {
  switch (access) {
    case NodeAccess::execute:
      return "run anything on";
    case NodeAccess::write:
      return "change";
    case NodeAccess::read:
      break;
  }
  return "see";
}

}  // namespace

Status may(NodeAccess access, const NodeSpec& spec, std::string_view node, const Asker& asker) {
  if (asker.passes) return {};
  DROVER_TRY(const uint16_t mode, mode_bits(spec.mode));
  const bool owns = spec.owner == "any" || (!asker.user.empty() && spec.owner == asker.user);
  const bool belongs =
      spec.group == "any" || std::ranges::find(asker.groups, spec.group) != asker.groups.end();
  const unsigned shift = owns ? 6 : belongs ? 3 : 0;
  if (((mode >> shift) & static_cast<unsigned>(access)) != 0) return {};
  return fail(Code::denied,
              fmt::format("node '{}': {} may not {} it: it is {}:{} {}", node,
                          asker.user.empty() ? "the caller" : asker.user, words(access), spec.owner,
                          spec.group, spec.mode),
              fmt::format("an administrator can change that: drover node set {} mode=0777", node));
}

}  // namespace drover::cluster
