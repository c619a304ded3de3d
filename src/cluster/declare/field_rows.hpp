// The fields of each section in one table, and how a value of each form is written.
#pragma once

#include "base/json.hpp"
#include "cluster/declare/fields.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace drover::cluster {

enum class Form : uint8_t {
  text,
  whole,    ///< not negative
  integer,  ///< with a sign
  texts,    ///< list
  members,  ///< noderange of names, folded
  mode,     ///< octal digits
  mac,
  address,    ///< of a BMC: address or host name
  addresses,  ///< list of them
  attributes,
  interfaces,
  bmc,
  text_map,  ///< these three count as one value each (content_form.hpp)
  steps,
  files,
};
constexpr bool is_whole(Form form) {
  return form == Form::text_map || form == Form::steps || form == Form::files;
}

struct Row {
  std::string_view name;
  Form form = Form::text;
  std::string_view standard = {};  ///< JSON of the default; empty: no plain field
};

inline constexpr std::array<Row, 4> kInterfaceRows{
    Row{"name", Form::text, "\"\""}, Row{"mac", Form::mac, "\"\""},
    Row{"addresses", Form::addresses, "[]"}, Row{"network", Form::text, "\"\""}};
inline constexpr std::array<Row, 4> kBmcRows{
    Row{"address", Form::address, "\"\""}, Row{"protocol", Form::text, "\"redfish\""},
    Row{"mac", Form::mac, "\"\""}, Row{"user", Form::text, "\"\""}};

/// In the order in which they are written.
std::span<const Row> rows_of(Section section);
/// nullptr when there is none of this name.
const Row* find_row(std::span<const Row> rows, std::string_view name);

/// Whether `text` stands in JSON as it is. Nearly every value does, and a parser or a serializer
/// for each costs several times what the value does.
bool needs_no_escape(std::string_view text);
/// As a JSON string.
std::string quoted(std::string_view text);
void append_quoted(std::string& out, std::string_view text);
/// Text of a scalar: numbers and booleans as JSON writes them; nothing of other values.
std::optional<std::string> scalar_of(const json::value& value);
/// The one spelling of a value; what holds a formula and what is no such value stay.
std::string canonical(Form form, std::string text);

}  // namespace drover::cluster
