// What a document may say, section by section; what is not in a table is an unknown field.
#include "cluster/declare/field_rows.hpp"

#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "cluster/formula.hpp"
#include "cluster/net_address.hpp"
#include "cluster/node_spec.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

constexpr std::array<Row, 1> kSetting{Row{"value", Form::text, "\"\""}};
constexpr std::array<Row, 15> kNetwork{Row{"description", Form::text, "\"\""},
                                       Row{"prefix", Form::text, "\"\""},
                                       Row{"prefix6", Form::text, "\"\""},
                                       Row{"mode", Form::text, "\"full\""},
                                       Row{"pool", Form::text, "\"\""},
                                       Row{"gateway", Form::address, "\"\""},
                                       Row{"nameservers", Form::addresses, "[]"},
                                       Row{"ntp_servers", Form::addresses, "[]"},
                                       Row{"domain", Form::text, "\"\""},
                                       Row{"search", Form::texts, "[]"},
                                       Row{"mtu", Form::whole, "0"},
                                       Row{"lease_seconds", Form::whole, "3600"},
                                       Row{"unknown", Form::text, "\"discover\""},
                                       Row{"number_nodes", Form::text, "\"\""},
                                       Row{"number_by", Form::text, "\"arrival\""}};
constexpr std::array<Row, 3> kProfile{Row{"description", Form::text, "\"\""},
                                      Row{"inherits", Form::texts, "[]"},
                                      Row{"attributes", Form::attributes}};
constexpr std::array<Row, 6> kGroup{
    Row{"description", Form::text, "\"\""}, Row{"nodes", Form::members, "\"\""},
    Row{"range", Form::text, "\"\""},       Row{"profiles", Form::texts, "[]"},
    Row{"attributes", Form::attributes},    Row{"priority", Form::integer, "0"}};
constexpr std::array<Row, 11> kNode{Row{"role", Form::text, "\"compute\""},
                                    Row{"nid", Form::whole, "0"},
                                    Row{"aliases", Form::texts, "[]"},
                                    Row{"interfaces", Form::interfaces},
                                    Row{"bmc", Form::bmc},
                                    Row{"profiles", Form::texts, "[]"},
                                    Row{"attributes", Form::attributes},
                                    Row{"owner", Form::text, "\"root\""},
                                    Row{"group", Form::text, "\"root\""},
                                    Row{"mode", Form::mode, "\"0755\""},
                                    Row{"description", Form::text, "\"\""}};
constexpr std::array<Row, 3> kCloudInit{Row{"meta_data", Form::text_map, "{}"},
                                        Row{"user_data", Form::text, "\"\""},
                                        Row{"vendor_data", Form::text, "\"\""}};
constexpr std::array<Row, 1> kSteps{Row{"steps", Form::steps, "[]"}};
constexpr std::array<Row, 1> kOverlay{Row{"files", Form::files, "{}"}};
}  // namespace

std::span<const Row> rows_of(Section section) {
  switch (section) {
    case Section::settings:
      return kSetting;
    case Section::networks:
      return kNetwork;
    case Section::profiles:
      return kProfile;
    case Section::groups:
      return kGroup;
    case Section::nodes:
      return kNode;
    case Section::cloud_init:
      return kCloudInit;
    case Section::steps:
      return kSteps;
    case Section::overlays:
      return kOverlay;
  }
  return {};
}

const Row* find_row(std::span<const Row> rows, std::string_view name) {
  const auto it =
      std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.name == name; });
  return it == rows.end() ? nullptr : &*it;
}

bool needs_no_escape(std::string_view text) {
  return is_plain_ascii(text) && text.find_first_of("\"\\") == std::string_view::npos;
}

void append_quoted(std::string& out, std::string_view text) {
  if (!needs_no_escape(text)) {
    out += json::serialize(json::string_view(text));
    return;
  }
  out.append(1, '"').append(text).append(1, '"');
}

std::string quoted(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  append_quoted(out, text);
  return out;
}

std::optional<std::string> scalar_of(const json::value& value) {
  if (const auto* text = value.if_string()) return std::string(*text);
  if (value.is_number() || value.is_bool()) return json::serialize(value);
  return std::nullopt;
}

std::string canonical(Form form, std::string text) {
  if (form == Form::text || has_formula(text)) return text;
  if (form == Form::mac) return canonical_mac(text).value_or(text);
  if (form == Form::address || form == Form::addresses) {
    return canonical_address(text).value_or(text);
  }
  if (form == Form::mode) {
    if (const auto bits = mode_bits(text)) return fmt::format("{:04o}", *bits);
  }
  if (form == Form::members) {
    if (const auto names = expand_names(text)) return fold_names(*names);
  }
  return text;
}

}  // namespace drover::cluster
