// Objects of the declarative document as flat fields: one text per field, so that documents, what
// was applied before and what is in force can be compared and merged field by field. Pure.
#pragma once

#include "base/json.hpp"
#include "base/result.hpp"
#include "base/text.hpp"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// What a document may define, in the order of its sections.
enum class Section : uint8_t {
  settings,
  networks,
  profiles,
  groups,
  nodes,
  cloud_init,  ///< these three by their owners: "group/rack1"
  steps,
  overlays
};
inline constexpr std::array kSections{Section::settings, Section::networks, Section::profiles,
                                      Section::groups,   Section::nodes,    Section::cloud_init,
                                      Section::steps,    Section::overlays};
/// Whether its objects are what an owner gives its nodes (cluster/content).
constexpr bool is_content(Section section) {
  return section >= Section::cloud_init;
}
std::span<const std::string_view> enum_names(Section);
/// "setting", "network", "profile", "group", "node", "cloud-init", "steps", "overlay": the kind of
/// the store's objects, and for messages.
std::string_view kind_of(Section section);
std::optional<Section> section_of_kind(std::string_view kind);

struct ObjectName {
  Section section = Section::nodes;
  std::string name;
  bool operator==(const ObjectName&) const = default;
  bool operator<(const ObjectName& other) const {
    if (section != other.section) return section < other.section;
    return natural_compare(name, other.name) < 0;
  }
  /// "node n17".
  [[nodiscard]] std::string text() const;
};

/// Field to value as compact JSON. Fields: "description", "nid", "attributes/rack",
/// "interfaces/eth0/mac", "bmc/address"; an interface is there by "interfaces/eth0/name".
using Fields = std::map<std::string, std::string, std::less<>>;

/// The value "null": of a plain field its default, of "bmc", "attributes", "interfaces" and their
/// members that there is none.
inline constexpr std::string_view kNoValue = "null";

/// A mistake and where it is.
struct Mistake {
  std::string pointer;  ///< JSON pointer into the document: "/nodes/n1/interfaces/0/mac"
  std::string message;  ///< value and rule
};

/// An object's fields and what their map cannot hold.
struct FieldSet {
  Fields fields;
  std::vector<std::string> interfaces;  ///< their names, in the order given
  bool operator==(const FieldSet&) const = default;
};

/// Reads the entry of a document: takes numbers and booleans where a text is meant (attributes) and
/// digits where a number is, makes addresses canonical, and adds every mistake to `problems`.
FieldSet read_entry(Section section, const json::object& entry, const std::string& pointer,
                    std::vector<Mistake>& problems);

/// The same of an object in force (its JSON as stored or shown, of which fields of no section are
/// passed over): every field, defaults included.
FieldSet read_object(Section section, const json::object& object);

/// What a field is when nobody says anything; nothing for what then is not there: members of
/// attributes, and whole interfaces and BMCs.
std::optional<std::string_view> default_value(Section section, std::string_view field);

/// The fields as the JSON object that the API and the store know; plain fields at their defaults
/// are left out when `brief`.
json::object to_object(Section section, const FieldSet& set, bool brief);

/// "bmc" of "bmc/user", "interfaces/eth0" of "interfaces/eth0/mac", else "".
std::string_view container_of(std::string_view field);
/// Whether `field` is `prefix` or below it.
bool is_within(std::string_view field, std::string_view prefix);

}  // namespace drover::cluster
