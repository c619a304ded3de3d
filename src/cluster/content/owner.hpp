// Whose a definition for nodes is: a node's own, a group's or a profile's, written "group/rack1".
#pragma once

#include "base/result.hpp"
#include "cluster/attributes.hpp"

#include <string>
#include <string_view>

namespace drover::cluster {

struct Owner {
  AttributeSource kind = AttributeSource::node;
  std::string name;
  bool operator==(const Owner&) const = default;
  /// "group/rack1": the key of what it owns in the store.
  [[nodiscard]] std::string text() const;
  /// The kind of the owner's own object in the store.
  [[nodiscard]] std::string_view store_kind() const;
};

/// Reads "node/n1", "group/rack1" or "profile/gpu"; invalid_argument naming `field`.
Result<Owner> parse_owner(std::string_view field, std::string_view text);

}  // namespace drover::cluster
