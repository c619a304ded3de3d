#include "cli/definition_settings.hpp"

#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/context.hpp"
#include "cluster/attribute_catalogue.hpp"
#include "cluster/spec_edit.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>

namespace drover::cli {
namespace {

using How = cluster::EditHow;
using Field = cluster::EditField;

struct Setting {
  std::string name;
  How how = How::replace;
  std::string value;
};

constexpr std::array<std::string_view, 4> kStates{"service", "enabled", "flag", "locked"};
constexpr std::array<std::string_view, 5> kTexts{"owner", "group", "mode", "description", "nid"};
constexpr std::array<std::string_view, 4> kBmcFields{"address", "protocol", "mac", "user"};

template <typename List>
bool holds(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

Result<Setting> parse_setting(const std::string& word) {
  const size_t equals = word.find('=');
  if (equals == std::string::npos || equals == 0) {
    return fail(Code::invalid_argument,
                fmt::format("\"{}\" is not a setting: expected NAME=VALUE", printable(word)),
                "drover node set n1 service=maintenance --why 'new DIMM'");
  }
  Setting out{word.substr(0, equals), How::replace, word.substr(equals + 1)};
  if (out.name.ends_with('+') || out.name.ends_with('-')) {
    out.how = out.name.back() == '+' ? How::add : How::remove;
    out.name.pop_back();
  }
  if (out.name.starts_with("spec.")) out.name.erase(0, 5);
  return out;
}

/// "attr.rack", "attributes.rack" and "rack" to "rack"; nothing for what is no attribute.
std::optional<std::string> attribute_of(std::string_view name) {
  for (const std::string_view prefix : {"attributes.", "attr."}) {
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  }
  if (!cluster::check_attribute_name("", name)) return std::nullopt;
  return std::string(name);
}

/// true, false and numbers as such; all else is text.
json::value literal_or_text(const std::string& text) {
  const auto value = parse_json(text);
  const bool literal = value && (value->is_bool() || value->is_number() || value->is_null());
  return literal ? *value : json::value(text);
}

json::value number_or_text(const std::string& text) {
  const auto value = parse_json(text);
  return value && value->is_number() ? *value : json::value(text);
}

json::object& inside(json::object& object, std::string_view name) {
  json::value& member = object[name];
  if (!member.is_object()) member = json::object();
  return member.get_object();
}

tl::unexpected<Error> unknown_setting(std::string_view name, std::vector<std::string_view> known) {
  if (name == "name") {
    return fail(Code::invalid_argument, "name cannot be set: a node is renamed",
                "drover node rename OLD NEW");
  }
  if (name == "phase" || name == "power") {
    return fail(Code::invalid_argument,
                fmt::format("{} cannot be set: it is what is seen of the machine", name),
                fmt::format("drover explain {}.state", name));
  }
  for (const auto& row : cluster::attribute_catalogue()) known.push_back(row.name);
  const std::string_view near = nearest(name, known);
  return fail(Code::invalid_argument,
              fmt::format("{} cannot be set{}", printable(name),
                          near.empty() ? "; a site's own attributes are called x.NAME"
                                       : fmt::format("; did you mean {}?", near)),
              "drover explain attributes");
}

tl::unexpected<Error> not_a_list(const Setting& setting) {
  return fail(Code::invalid_argument,
              fmt::format("{} holds one value: use {}=VALUE", printable(setting.name),
                          printable(setting.name)));
}

struct InterfaceField {
  std::string interface;
  Field field = Field::mac;
};
/// "eth0.mac", "eth0.address", "interfaces.eth0.mac"; dots within the interface's name (eth0.100)
/// are its own. Nothing for "intefaces.eth0.mac": that is a slip, and no interface.
std::optional<InterfaceField> interface_field(std::string_view name) {
  static const std::vector<std::string_view> kPrefixes{"interfaces", "interface"};
  const size_t first = name.find('.');
  if (first != name.rfind('.')) {
    const std::string_view near = nearest(name.substr(0, first), kPrefixes);
    if (!near.empty() && near != name.substr(0, first)) return std::nullopt;
    if (!near.empty()) name.remove_prefix(first + 1);
  }
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return std::nullopt;
  std::string_view word = name.substr(dot + 1);
  if (word == "address" || word == "ip") word = "addresses";
  const auto field = enum_from_name<Field>(word);
  if (!field || (*field != Field::mac && *field != Field::network && *field != Field::addresses)) {
    return std::nullopt;
  }
  return InterfaceField{std::string(name.substr(0, dot)), *field};
}

std::vector<std::string_view> node_names() {
  std::vector<std::string_view> out(kStates.begin(), kStates.end());
  out.insert(out.end(), kTexts.begin(), kTexts.end());
  out.insert(out.end(), {"aliases", "profiles", "bmc.address", "eth0.mac", "eth0.address"});
  return out;
}

/// Edits with their patch still as a document.
struct Draft {
  json::object patch;
  std::vector<cluster::SpecEdit> edits;
};

Result<std::string> text_of(Draft draft) {
  if (!draft.edits.empty()) {
    json::array& edits = draft.patch["edits"].emplace_array();
    for (const cluster::SpecEdit& edit : draft.edits) {
      DROVER_TRY(json::value document, parse_json(encode(edit)));
      edits.push_back(std::move(document));
    }
  }
  return to_text(draft.patch);
}

Status add_node_setting(const Setting& setting, Draft& out) {
  const std::string& name = setting.name;
  if (name == "aliases" || name == "profiles") {
    const Field field = name == "aliases" ? Field::aliases : Field::profiles;
    out.edits.push_back({field, setting.how, "", split_list(setting.value)});
    return {};
  }
  const bool is_bmc = name.starts_with("bmc.");
  const auto interface = is_bmc ? std::nullopt : interface_field(name);
  const auto attribute = attribute_of(name);
  if (interface && !attribute) {
    const bool list = interface->field == Field::addresses;
    if (setting.how != How::replace && !list) return not_a_list(setting);
    auto values = list ? split_list(setting.value) : std::vector<std::string>{setting.value};
    out.edits.push_back({interface->field, setting.how, interface->interface, std::move(values)});
    return {};
  }
  if (setting.how != How::replace) return not_a_list(setting);
  if (holds(kStates, name)) {
    out.patch[name] = literal_or_text(setting.value);
  } else if (holds(kTexts, name)) {
    inside(out.patch, "spec")[name] =
        name == "nid" ? number_or_text(setting.value) : json::value(setting.value);
  } else if (is_bmc && holds(kBmcFields, std::string_view(name).substr(4))) {
    inside(inside(out.patch, "spec"), "bmc")[name.substr(4)] = setting.value;
  } else if (attribute) {
    inside(inside(out.patch, "spec"), "attributes")[*attribute] = setting.value;
  } else {
    return unknown_setting(name, node_names());
  }
  return {};
}

tl::unexpected<Error> not_by_edit(const Setting& setting) {
  if (setting.name != "nodes") return not_a_list(setting);
  const std::string_view option = setting.how == How::add ? "--add" : "--remove";
  return fail(Code::invalid_argument, "nodes is a noderange: members are put in and taken out",
              fmt::format("drover group members GROUP {} {}", option, printable(setting.value)));
}

/// An edit of a list that the cluster makes from what is there then.
json::value list_edit(const Setting& setting) {
  json::array values;
  for (const std::string& value : split_list(setting.value)) values.emplace_back(value);
  return json::object{
      {"field", setting.name}, {"how", enum_name(setting.how)}, {"values", std::move(values)}};
}

Result<std::string> plain_settings(const std::vector<std::string>& words,
                                   const std::vector<std::string_view>& texts,
                                   std::string_view list) {
  json::object out;
  for (const std::string& word : words) {
    DROVER_TRY(const Setting setting, parse_setting(word));
    if (setting.how != How::replace) {
      if (setting.name != list) return not_by_edit(setting);
      if (!out.contains("edits")) out["edits"] = json::array();
      out["edits"].as_array().push_back(list_edit(setting));
    } else if (setting.name == list) {
      json::array values;
      for (const std::string& value : split_list(setting.value)) values.emplace_back(value);
      out[list] = std::move(values);
    } else if (setting.name == "priority" && holds(texts, "priority")) {
      out["priority"] = number_or_text(setting.value);
    } else if (holds(texts, setting.name)) {
      out[setting.name] = setting.value;
    } else if (const auto attribute = attribute_of(setting.name)) {
      inside(out, "attributes")[*attribute] = setting.value;
    } else {
      auto known = texts;
      known.push_back(list);
      return unknown_setting(setting.name, known);
    }
  }
  return to_text(out);
}

Result<std::string> plain_unsettings(const std::vector<std::string>& names,
                                     const std::vector<std::string_view>& fields) {
  json::object out;
  for (const std::string& name : names) {
    if (holds(fields, name)) {
      out[name] = nullptr;
    } else if (const auto attribute = attribute_of(name)) {
      inside(out, "attributes")[*attribute] = nullptr;
    } else {
      return unknown_setting(name, fields);
    }
  }
  return to_text(out);
}

}  // namespace

Result<std::string> node_settings(const std::vector<std::string>& words) {
  Draft out;
  for (const std::string& word : words) {
    DROVER_TRY(const Setting setting, parse_setting(word));
    DROVER_CHECK_OK(add_node_setting(setting, out));
  }
  return text_of(std::move(out));
}

Result<std::string> node_unsettings(const std::vector<std::string>& names) {
  Draft out;
  for (std::string name : names) {
    if (name.starts_with("spec.")) name.erase(0, 5);
    const auto interface = interface_field(name);
    const auto attribute = attribute_of(name);
    const bool is_bmc = name.starts_with("bmc.") && holds(kBmcFields, name.substr(4));
    if (name == "aliases" || name == "profiles" || name == "bmc" || holds(kTexts, name)) {
      inside(out.patch, "spec")[name] = nullptr;
    } else if (is_bmc) {
      inside(inside(out.patch, "spec"), "bmc")[name.substr(4)] = nullptr;
    } else if (attribute) {
      inside(inside(out.patch, "spec"), "attributes")[*attribute] = nullptr;
    } else if (interface) {
      out.edits.push_back({interface->field, How::replace, interface->interface, {}});
    } else if (name.starts_with("interface.") || name.starts_with("interfaces.")) {
      out.edits.push_back({Field::interface, How::remove, name.substr(name.find('.') + 1), {}});
    } else {
      return unknown_setting(name, node_names());
    }
  }
  return text_of(std::move(out));
}

Result<std::string> group_settings(const std::vector<std::string>& words) {
  return plain_settings(words, {"description", "nodes", "range", "priority"}, "profiles");
}
Result<std::string> profile_settings(const std::vector<std::string>& words) {
  return plain_settings(words, {"description"}, "inherits");
}
Result<std::string> group_unsettings(const std::vector<std::string>& names) {
  return plain_unsettings(names, {"description", "nodes", "range", "priority", "profiles"});
}
Result<std::string> profile_unsettings(const std::vector<std::string>& names) {
  return plain_unsettings(names, {"description", "inherits"});
}

}  // namespace drover::cli
