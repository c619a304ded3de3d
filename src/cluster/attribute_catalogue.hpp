// Attributes that Drover itself knows: name, rule and meaning. They are checked where they are set
// and explained by `drover explain`; a site's own attributes are called x.NAME and hold any text.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace drover::cluster {

/// Prefix of a site's own attributes.
inline constexpr std::string_view kSitePrefix = "x.";
/// Most attributes of one node, group or profile.
inline constexpr size_t kMaxAttributes = 256;

enum class AttributeType : uint8_t {
  text,       ///< one line
  name,       ///< letters, digits, '.', '_', '-'
  integer,    ///< within least and most
  choice,     ///< one word of `choices`
  boolean,    ///< true or false
  address,    ///< an IP address
  addresses,  ///< IP addresses joined by commas
  hosts,      ///< host names or IP addresses joined by commas
  image,      ///< NAME, NAME:TAG or NAME@DIGEST
  script,     ///< lines of a boot template (cluster/boot_template.hpp); `${..}` is not ours there
};
std::span<const std::string_view> enum_names(AttributeType);

struct AttributeRow {
  std::string_view name;
  AttributeType type = AttributeType::text;
  std::string_view help;          ///< one sentence
  int64_t least = 0;              ///< integer
  int64_t most = 0;               ///< integer
  std::string_view choices = {};  ///< choice: words joined by spaces
};

/// All of them in the order of the manual.
std::span<const AttributeRow> attribute_catalogue();
/// The row of a name, or nullptr.
const AttributeRow* find_attribute_row(std::string_view name);
/// The rule in words: "an integer from 1 to 100".
std::string attribute_rule(const AttributeRow& row);

/// Ok for a name of the catalogue, or x.NAME of lower-case words (letters, digits, '_') joined by
/// dots; otherwise invalid_argument naming the field and the nearest known name.
Status check_attribute_name(std::string_view field, std::string_view name);

/// A value against the catalogue. A value with formulas is checked for its syntax; the catalogue's
/// rule then counts for what they give.
Status check_attribute_value(std::string_view field, std::string_view name, std::string_view value);
/// The same for a value without formulas or what they gave.
Status check_resolved_value(std::string_view field, std::string_view name, std::string_view value);

/// Whether the value is taken as it is written, since `${..}` in it is another language's.
bool is_verbatim_attribute(std::string_view name);

/// Names, values and how many of a whole map; `field` is what it is called, "spec.attributes".
Status check_attributes(std::string_view field, const std::map<std::string, std::string>& map);
/// The same for what a change made of `before`, which was checked: what is as it was is not looked
/// at again.
Status check_attributes(std::string_view field, const std::map<std::string, std::string>& map,
                        const std::map<std::string, std::string>& before);

/// The catalogue as a table in Markdown, for the manual.
std::string attributes_markdown();

}  // namespace drover::cluster
