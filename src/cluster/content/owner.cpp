// The slash keeps the three apart, since a node and a group may be written alike.
#include "cluster/content/owner.hpp"

#include "base/describe.hpp"
#include "cluster/field_rules.hpp"
#include "cluster/names.hpp"

#include <fmt/format.h>

namespace drover::cluster {

std::string Owner::text() const {
  return fmt::format("{}/{}", enum_name(kind), name);
}

std::string_view Owner::store_kind() const {
  switch (kind) {
    case AttributeSource::node:
      return kNodeKind;
    case AttributeSource::profile:
      return kProfileKind;
    case AttributeSource::group:
      break;
  }
  return kGroupKind;
}

Result<Owner> parse_owner(std::string_view field, std::string_view text) {
  const size_t slash = text.find('/');
  const auto kind = slash == std::string_view::npos
                        ? std::optional<AttributeSource>()
                        : enum_from_name<AttributeSource>(text.substr(0, slash));
  if (!kind) {
    return bad_field(field, text, "expected node/NAME, group/NAME or profile/NAME");
  }
  const std::string_view name = text.substr(slash + 1);
  const Status good =
      *kind == AttributeSource::node ? check_node_name(name) : check_set_name(field, name);
  if (!good) return bad_field(field, text, good.error().message);
  return Owner{*kind, std::string(name)};
}

}  // namespace drover::cluster
