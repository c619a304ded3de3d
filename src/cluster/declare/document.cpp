// Reading documents, and their remembered form.
#include "cluster/declare/document.hpp"

#include "base/describe.hpp"
#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "base/yaml_read.hpp"
#include "cluster/content/owner.hpp"
#include "cluster/declare/object_form.hpp"
#include "cluster/field_rules.hpp"
#include "cluster/names.hpp"
#include "cluster/settings.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace drover::cluster {
namespace {

class DocumentReader {
 public:
  DocumentReader(Document& out, std::vector<Mistake>& problems) : out_(out), problems_(problems) {}

  void read(const json::value& value) {
    const auto* root = value.if_object();
    if (root == nullptr) {
      wrong("", fmt::format("expected a map with \"kind: {}\"", kDocumentKind));
      return;
    }
    header(*root);
    for (const auto& member : *root) {
      const std::string_view name = member.key();
      if (name == "kind" || name == "version") continue;
      const std::string pointer = "/" + pointer_token(name);
      const auto section = enum_from_name<Section>(name);
      if (!section) {
        const auto names = enum_names(Section{});
        const std::string_view near = nearest(name, names);
        wrong(pointer,
              fmt::format("unknown section \"{}\": {}", printable(name),
                          near.empty() ? fmt::format("expected one of {}", fmt::join(names, ", "))
                                       : fmt::format("did you mean {}?", near)));
      } else if (const auto* map = member.value().if_object()) {
        read_section(*section, *map, pointer);
      } else if (!member.value().is_null()) {
        wrong(pointer, "expected a map of names");
      }
    }
  }

 private:
  void wrong(std::string pointer, std::string message) {
    problems_.push_back({std::move(pointer), std::move(message)});
  }

  void header(const json::object& root) {
    const auto* kind = root.if_contains("kind");
    if (kind == nullptr || !kind->is_string() || kind->get_string() != kDocumentKind) {
      wrong(kind == nullptr ? "" : "/kind", fmt::format("expected \"kind: {}\"", kDocumentKind));
    }
    const auto* version = root.if_contains("version");
    const bool known =
        version != nullptr &&
        (version->is_string() ? version->get_string() == std::to_string(kDocumentVersion)
                              : version->is_int64() && version->get_int64() == kDocumentVersion);
    if (!known) {
      wrong(version == nullptr ? "" : "/version",
            fmt::format("expected \"version: {}\"", kDocumentVersion));
    }
  }

  void read_section(Section section, const json::object& map, const std::string& pointer) {
    for (const auto& member : map) {
      const std::string key(member.key());
      const std::string at = fmt::format("{}/{}", pointer, pointer_token(key));
      const size_t before = problems_.size();
      const auto entry = read_value(section, member.value(), at);
      if (section == Section::settings && problems_.size() == before) settle(key, *entry);
      if (problems_.size() > before) continue;
      for (const std::string& name : names_of(section, key, at)) add(section, name, entry);
    }
  }

  std::shared_ptr<Entry> read_value(Section section, const json::value& value,
                                    const std::string& at) {
    auto entry = std::make_shared<Entry>();
    entry->pointer = at;
    if (value.is_null()) {
      // "n1:" alone is how YAML says an object without fields; only a setting is unset by it.
      entry->removed = section == Section::settings;
    } else if (section == Section::settings) {
      std::vector<Mistake> mistakes;
      entry->set = read_entry(section, json::object{{"value", value}}, at, mistakes);
      for (Mistake& mistake : mistakes) wrong(at, std::move(mistake.message));
    } else if (const auto* object = value.if_object()) {
      entry->set = read_entry(section, *object, at, problems_);
    } else {
      wrong(at, "expected a map of fields");
    }
    return entry;
  }

  /// A setting by its catalogue, in its canonical form: 60s in a document is the 1m in force.
  void settle(const std::string& key, Entry& entry) {
    const SettingRow* const row = find_setting(key);
    if (row == nullptr) return wrong(entry.pointer, check_setting(key, {}).error().message);
    if (entry.removed) return;
    const auto checked = check_value(row->option, to_setting(entry.set));
    if (!checked) return wrong(entry.pointer, checked.error().message);
    entry.set.fields["value"] = json::serialize(json::string_view(*checked));
  }

  std::vector<std::string> names_of(Section section, const std::string& key,
                                    const std::string& at) {
    if (is_content(section)) {
      const auto owner = parse_owner("name", key);
      if (!owner) wrong(at, owner.error().message);
      return owner ? std::vector<std::string>{owner->text()} : std::vector<std::string>();
    }
    if (section != Section::nodes) {
      const Status good = section == Section::settings ? Status() : check_set_name("name", key);
      if (!good) wrong(at, good.error().message);
      return good ? std::vector<std::string>{key} : std::vector<std::string>();
    }
    const auto count = count_names(key);
    if (count && objects_ + *count > kMaxDocumentObjects) {
      wrong(at, fmt::format("more than {} nodes in one document", kMaxDocumentObjects));
      return {};
    }
    auto names = expand_names(key);
    if (!names) {
      wrong(at, names.error().message);
      return {};
    }
    objects_ += names->size();
    for (const std::string& name : *names) {
      if (const Status good = check_node_name(name); !good) {
        wrong(at, good.error().message);
        return {};
      }
    }
    return *std::move(names);
  }

  void add(Section section, const std::string& name, const std::shared_ptr<const Entry>& entry) {
    const auto [it, fresh] = out_.objects.try_emplace({section, name}, entry);
    if (fresh) return;
    const std::string& other = it->second->pointer;
    wrong(entry->pointer, fmt::format("{} is in the entry \"{}\" already", name,
                                      other.substr(other.rfind('/') + 1)));
  }

  Document& out_;
  std::vector<Mistake>& problems_;
  size_t objects_ = 0;
};

}  // namespace

Document read_document(const json::value& value, std::vector<Mistake>& problems) {
  Document out;
  DocumentReader(out, problems).read(value);
  return out;
}

std::string encode_applied(const Document& document) {
  // Entries in the order of their first names; most are shared already by their ranges.
  std::map<Section, std::vector<std::pair<json::object, std::vector<std::string>>>> sections;
  std::map<std::string, size_t, std::less<>> index;
  for (const auto& [object, entry] : document.objects) {
    json::object fields;
    for (const auto& [field, value] : entry->set.fields) fields.emplace(field, value);
    json::array interfaces;
    for (const std::string& name : entry->set.interfaces) interfaces.emplace_back(name);
    json::object body{{"fields", std::move(fields)}, {"interfaces", std::move(interfaces)}};
    if (entry->removed) body.emplace("removed", true);
    auto& list = sections[object.section];
    const std::string key =
        fmt::format("{}\n{}{}", static_cast<int>(object.section), json::serialize(body),
                    is_content(object.section) ? object.name : "");
    const auto [it, fresh] = index.try_emplace(key, list.size());
    if (fresh) list.push_back({std::move(body), {}});
    list[it->second].second.push_back(object.name);
  }
  json::object out;
  for (auto& [section, list] : sections) {
    json::array entries;
    for (auto& [body, names] : list) {
      body.emplace("names", is_content(section) ? names.front() : fold_names(names));
      entries.push_back(std::move(body));
    }
    out.emplace(enum_name(section), std::move(entries));
  }
  return json::serialize(out);
}

Result<Document> decode_applied(std::string_view text) {
  const auto bad = [](std::string_view what) {
    return fail(Code::corrupt, fmt::format("what was applied last cannot be read: {}", what));
  };
  const auto value = parse_json(text);
  const auto* root = value ? value->if_object() : nullptr;
  if (root == nullptr) return bad("not a JSON object");
  Document out;
  for (const auto& member : *root) {
    const auto section = enum_from_name<Section>(std::string_view(member.key()));
    const auto* list = member.value().if_array();
    if (!section || list == nullptr) return bad("an unknown section");
    for (const json::value& each : *list) {
      const auto* body = each.if_object();
      const auto* names = body == nullptr ? nullptr : body->if_contains("names");
      const auto* fields = body == nullptr ? nullptr : body->if_contains("fields");
      const auto* interfaces = body == nullptr ? nullptr : body->if_contains("interfaces");
      const bool whole = names != nullptr && names->is_string() && fields != nullptr &&
                         fields->is_object() && interfaces != nullptr && interfaces->is_array();
      if (!whole) return bad("an entry without names or fields");
      auto entry = std::make_shared<Entry>();
      entry->removed = body->contains("removed");
      for (const auto& field : fields->get_object()) {
        if (!field.value().is_string()) return bad("a field that is not a text");
        entry->set.fields.emplace(field.key(), field.value().get_string());
      }
      for (const json::value& name : interfaces->get_array()) {
        if (!name.is_string()) return bad("an interface that is not a text");
        entry->set.interfaces.emplace_back(name.get_string());
      }
      const std::string_view named = names->get_string();
      if (is_content(*section)) {
        out.objects.emplace(ObjectName{*section, std::string(named)}, entry);
        continue;
      }
      DROVER_TRY(const auto all, expand_names(named));
      for (const std::string& name : all) out.objects.emplace(ObjectName{*section, name}, entry);
    }
  }
  return out;
}

}  // namespace drover::cluster
