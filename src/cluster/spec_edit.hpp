// Edits of the lists in a node's spec that follow from what is there: merge patches can only
// replace a list as a whole, and would lose what somebody else added meanwhile. Pure.
#pragma once

#include "base/describe.hpp"
#include "base/result.hpp"
#include "cluster/node_spec.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

enum class EditHow : uint8_t {
  add,      ///< put in at the end what is not there yet
  remove,   ///< take out what is there
  replace,  ///< exactly these values
};
std::span<const std::string_view> enum_names(EditHow);

enum class EditField : uint8_t { aliases, profiles, interface, mac, network, addresses };
std::span<const std::string_view> enum_names(EditField);

/// Most edits of one request.
inline constexpr size_t kMaxEdits = 256;

struct SpecEdit {
  static constexpr std::string_view kTypeName = "SpecEdit";
  EditField field = EditField::profiles;
  EditHow how = EditHow::replace;
  /// Which interface, where the field belongs to one; it is made when it is not there.
  std::string interface;
  /// At most one for mac and network, which can only be replaced. None for `interface`, which can
  /// only be removed.
  std::vector<std::string> values;
  bool operator==(const SpecEdit&) const = default;
  void describe(Visitor& v);
};

/// Applies edits in order. What they make of the spec is not checked (normalise() does).
/// invalid_argument names the edit ("edits[1]") that does not fit its field; the spec is then in
/// between.
Status apply_edits(NodeSpec& spec, std::span<const SpecEdit> edits);

}  // namespace drover::cluster
