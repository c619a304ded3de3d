// Reading and writing follow the table of field_rows.
#include "cluster/declare/fields.hpp"

#include "base/json_values.hpp"
#include "base/yaml_read.hpp"
#include "cluster/declare/content_form.hpp"
#include "cluster/declare/field_rows.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

constexpr std::array<std::string_view, 8> kSectionNames{
    "settings", "networks", "profiles", "groups", "nodes", "cloud-init", "steps", "overlays"};
constexpr std::array<std::string_view, 8> kKinds{"setting", "network",    "profile", "group",
                                                 "node",    "cloud-init", "steps",   "overlay"};

/// Reads entries of documents (with problems) and objects in force (without).
class EntryReader {
 public:
  EntryReader(FieldSet& out, std::vector<Mistake>* problems) : out_(out), problems_(problems) {}

  void read(std::span<const Row> rows, const json::object& entry, const std::string& pointer,
            const std::string& prefix) {
    for (const auto& member : entry) {
      const std::string name(member.key());
      const Row* row = find_row(rows, name);
      std::string at =
          problems_ == nullptr ? "" : fmt::format("{}/{}", pointer, pointer_token(name));
      if (row == nullptr) {
        unknown(rows, name, at);
        continue;
      }
      value(*row, member.value(), at, prefix + name);
    }
  }

 private:
  void wrong(const std::string& pointer, std::string message) {
    if (problems_ != nullptr) problems_->push_back({pointer, std::move(message)});
  }

  void unknown(std::span<const Row> rows, const std::string& name, const std::string& at) {
    std::vector<std::string_view> known;
    for (const Row& row : rows) known.push_back(row.name);
    const std::string_view near = nearest(name, known);
    wrong(at, near.empty()
                  ? fmt::format("unknown field \"{}\": expected one of {}", printable(name),
                                fmt::join(known, ", "))
                  : fmt::format("unknown field \"{}\": did you mean {}?", printable(name), near));
  }

  void value(const Row& row, const json::value& value, const std::string& at,
             const std::string& field) {
    if (value.is_null()) {
      out_.fields[field] = row.standard.empty() ? std::string(kNoValue) : std::string(row.standard);
      return;
    }
    switch (row.form) {
      case Form::whole:
      case Form::integer:
        return number(row.form, value, at, field);
      case Form::texts:
      case Form::addresses:
        return list(row.form, value, at, field);
      case Form::attributes:
        return attributes(value, at, field);
      case Form::interfaces:
        return interfaces(value, at, field);
      case Form::bmc:
        return bmc(value, at, field);
      case Form::text_map:
      case Form::steps:
      case Form::files:
        out_.fields[field] = canonical_content(row.form, value);
        return;
      default:
        return text(row.form, value, at, field);
    }
  }

  void text(Form form, const json::value& value, const std::string& at, const std::string& field) {
    auto held = scalar_of(value);
    if (!held) return wrong(at, fmt::format("expected a text, got {}", shown(value)));
    out_.fields[field] = quoted(canonical(form, *std::move(held)));
  }

  void number(Form form, const json::value& value, const std::string& at,
              const std::string& field) {
    const auto digits = scalar_of(value);
    int64_t number = 0;
    bool good = digits && !digits->empty();
    if (good) {
      const char* const end = digits->data() + digits->size();
      const auto [rest, error] = std::from_chars(digits->data(), end, number);
      good = error == std::errc() && rest == end && (form == Form::integer || number >= 0);
    }
    if (!good) {
      return wrong(
          at, fmt::format("expected {}, got {}",
                          form == Form::whole ? "a whole number" : "an integer", shown(value)));
    }
    out_.fields[field] = std::to_string(number);
  }

  void list(Form form, const json::value& value, const std::string& at, const std::string& field) {
    const auto* array = value.if_array();
    if (array == nullptr) return wrong(at, fmt::format("expected a list, got {}", shown(value)));
    json::array out;
    for (const json::value& each : *array) {
      auto held = scalar_of(each);
      if (!held) {
        return wrong(fmt::format("{}/{}", at, out.size()),
                     fmt::format("expected a text, got {}", shown(each)));
      }
      out.emplace_back(canonical(form, *std::move(held)));
    }
    out_.fields[field] = json::serialize(out);
  }

  void attributes(const json::value& value, const std::string& at, const std::string& field) {
    const auto* map = value.if_object();
    if (map == nullptr) return wrong(at, fmt::format("expected a map, got {}", shown(value)));
    for (const auto& member : *map) {
      const std::string inner = fmt::format("{}/{}", field, std::string_view(member.key()));
      const std::string place =
          problems_ == nullptr ? "" : fmt::format("{}/{}", at, pointer_token(member.key()));
      if (member.value().is_null()) {
        out_.fields[inner] = kNoValue;
      } else if (const auto held = scalar_of(member.value())) {
        out_.fields[inner] = quoted(*held);
      } else {
        wrong(place, fmt::format("expected a text, got {}", shown(member.value())));
      }
    }
  }

  void interfaces(const json::value& value, const std::string& at, const std::string& field) {
    const auto* array = value.if_array();
    if (array == nullptr) return wrong(at, fmt::format("expected a list, got {}", shown(value)));
    if (array->empty()) out_.fields[field] = kNoValue;
    size_t index = 0;
    for (const json::value& each : *array) {
      const std::string place = problems_ == nullptr ? "" : fmt::format("{}/{}", at, index++);
      const auto* object = each.if_object();
      const auto* name = object == nullptr ? nullptr : object->if_contains("name");
      if (name == nullptr || !name->is_string() || name->get_string().empty()) {
        wrong(place, "expected an interface with a name");
        continue;
      }
      const std::string text(name->get_string());
      if (text.find('/') != std::string::npos) {
        wrong(place + "/name",
              fmt::format("\"{}\" is not a name: expected one without \"/\"", printable(text)));
        continue;
      }
      if (std::find(out_.interfaces.begin(), out_.interfaces.end(), text) !=
          out_.interfaces.end()) {
        wrong(place + "/name", fmt::format("the interface {} comes twice", printable(text)));
        continue;
      }
      out_.interfaces.push_back(text);
      read(kInterfaceRows, *object, place, fmt::format("{}/{}/", field, text));
    }
  }

  void bmc(const json::value& value, const std::string& at, const std::string& field) {
    const auto* object = value.if_object();
    if (object == nullptr) return wrong(at, fmt::format("expected a map, got {}", shown(value)));
    read(kBmcRows, *object, at, field + "/");
  }

  static std::string shown(const json::value& value) {
    std::string text = json::serialize(value);
    constexpr size_t kMost = 60;
    if (text.size() > kMost) text = text.substr(0, kMost) + "..";
    return printable(text);
  }

  FieldSet& out_;
  std::vector<Mistake>* problems_;
};

json::value parsed(std::string_view text) {
  if (text == "[]") return json::array();
  if (text == "{}") return json::object();
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    const std::string_view inside = text.substr(1, text.size() - 2);
    if (needs_no_escape(inside)) return json::string(inside);
  }
  return parse_json(text).value_or(json::value(nullptr));
}

/// Members of `fields` below `prefix`, by the rows' order.
json::object member_object(std::span<const Row> rows, const Fields& fields,
                           const std::string& prefix, bool brief) {
  json::object out;
  for (const Row& row : rows) {
    const auto it = fields.find(prefix + std::string(row.name));
    if (it == fields.end() || it->second == kNoValue) continue;
    if (brief && it->second == row.standard) continue;
    out.emplace(row.name, parsed(it->second));
  }
  return out;
}

}  // namespace

std::span<const std::string_view> enum_names(Section) {
  return kSectionNames;
}

std::string_view kind_of(Section section) {
  return kKinds[static_cast<size_t>(section)];
}

std::optional<Section> section_of_kind(std::string_view kind) {
  const auto it = std::find(kKinds.begin(), kKinds.end(), kind);
  if (it == kKinds.end()) return std::nullopt;
  return static_cast<Section>(it - kKinds.begin());
}

std::string ObjectName::text() const {
  return fmt::format("{} {}", kind_of(section), name);
}

FieldSet read_entry(Section section, const json::object& entry, const std::string& pointer,
                    std::vector<Mistake>& problems) {
  FieldSet out;
  EntryReader(out, &problems).read(rows_of(section), entry, pointer, "");
  // A group has members in one way: to say the range says that there is no list, and vice versa.
  if (section == Section::groups) {
    const bool nodes = out.fields.contains("nodes") && out.fields["nodes"] != "\"\"";
    const bool range = out.fields.contains("range") && out.fields["range"] != "\"\"";
    if (nodes && range) {
      problems.push_back({pointer + "/range",
                          "a group has \"nodes\" (a fixed list) or \"range\" (evaluated when "
                          "asked), not both"});
    } else if (nodes) {
      out.fields.try_emplace("range", "\"\"");
    } else if (range) {
      out.fields.try_emplace("nodes", "\"\"");
    }
  }
  return out;
}

FieldSet read_object(Section section, const json::object& object) {
  FieldSet out;
  for (const Row& row : rows_of(section)) {
    if (!row.standard.empty()) out.fields.emplace(row.name, row.standard);
  }
  EntryReader reader(out, nullptr);
  reader.read(rows_of(section), object, "", "");
  std::erase_if(out.fields, [](const auto& field) { return field.second == kNoValue; });
  return out;
}

std::optional<std::string_view> default_value(Section section, std::string_view field) {
  const std::string_view container = container_of(field);
  std::span<const Row> rows = rows_of(section);
  if (!container.empty()) {
    if (field.size() == container.size()) return std::nullopt;
    rows =
        container == "bmc" ? std::span<const Row>(kBmcRows) : std::span<const Row>(kInterfaceRows);
    field.remove_prefix(container.size() + 1);
  }
  const Row* row = find_row(rows, field);
  if (row == nullptr || row->standard.empty()) return std::nullopt;
  return row->standard;
}

json::object to_object(Section section, const FieldSet& set, bool brief) {
  json::object out;
  for (const Row& row : rows_of(section)) {
    const std::string name(row.name);
    if (row.form == Form::attributes) {
      json::object map;
      const std::string prefix = name + "/";
      for (auto it = set.fields.lower_bound(prefix);
           it != set.fields.end() && it->first.starts_with(prefix); ++it) {
        if (it->second != kNoValue) {
          map.emplace(std::string_view(it->first).substr(prefix.size()), parsed(it->second));
        }
      }
      if (!brief || !map.empty()) out.emplace(name, std::move(map));
    } else if (row.form == Form::interfaces) {
      json::array list;
      for (const std::string& each : set.interfaces) {
        list.push_back(
            member_object(kInterfaceRows, set.fields, fmt::format("interfaces/{}/", each), brief));
      }
      if (!brief || !list.empty()) out.emplace(name, std::move(list));
    } else if (row.form == Form::bmc) {
      json::object bmc = member_object(kBmcRows, set.fields, "bmc/", false);
      // The protocol is always said, so that a BMC is never an empty map.
      for (const Row& inner : kBmcRows) {
        const auto* held = bmc.if_contains(inner.name);
        if (brief && held != nullptr && inner.name != "protocol" &&
            json::serialize(*held) == inner.standard) {
          bmc.stable_erase(inner.name);
        }
      }
      if (!bmc.empty()) {
        out.emplace(name, std::move(bmc));
      } else if (!brief) {
        out.emplace(name, nullptr);
      }
    } else if (const auto it = set.fields.find(row.name); it != set.fields.end()) {
      if (!brief || it->second != row.standard) out.emplace(name, parsed(it->second));
    }
  }
  return out;
}

std::string_view container_of(std::string_view field) {
  if (field.starts_with("bmc/")) return field.substr(0, 3);
  constexpr std::string_view kInterfaces = "interfaces/";
  if (!field.starts_with(kInterfaces)) return {};
  const size_t slash = field.find('/', kInterfaces.size());
  return field.substr(0, slash);
}

bool is_within(std::string_view field, std::string_view prefix) {
  return field.starts_with(prefix) &&
         (field.size() == prefix.size() || field[prefix.size()] == '/');
}

}  // namespace drover::cluster
