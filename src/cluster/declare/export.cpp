// Sections in their order, names in natural order; a fold stands where its first node does.
#include "cluster/declare/export.hpp"

#include "base/describe.hpp"
#include "base/noderange.hpp"
#include "cluster/declare/document.hpp"
#include "cluster/declare/field_rows.hpp"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

using Objects = std::vector<BriefObject>;

void append_member(std::string& out, std::string_view name, std::string_view value) {
  if (out.back() != '{') out.push_back(',');
  out += quoted(name);
  out.push_back(':');
  out += value;
}

/// A setting is its value alone.
std::string_view setting_value(std::string_view fields) {
  constexpr std::string_view kBefore = "{\"value\":";
  if (!fields.starts_with(kBefore)) return "\"\"";
  return fields.substr(kBefore.size(), fields.size() - kBefore.size() - 1);
}

void append_nodes(std::string& out, Objects::const_iterator from, Objects::const_iterator to) {
  std::unordered_map<std::string_view, size_t> index;  // looked up alone
  index.reserve(static_cast<size_t>(to - from));
  std::vector<std::pair<std::string_view, std::vector<std::string>>> entries;
  for (; from != to; ++from) {
    const auto [it, fresh] = index.try_emplace(from->fields, entries.size());
    if (fresh) entries.emplace_back(from->fields, std::vector<std::string>());
    entries[it->second].second.push_back(from->object.name);
  }
  for (const auto& [fields, names] : entries) append_member(out, fold_names(names), fields);
}

}  // namespace

std::string export_document(std::vector<BriefObject> objects) {
  const auto order = [](const BriefObject& a, const BriefObject& b) { return a.object < b.object; };
  if (!std::ranges::is_sorted(objects, order)) std::ranges::sort(objects, order);
  std::string out =
      fmt::format("{{\"kind\":\"{}\",\"version\":{}", kDocumentKind, kDocumentVersion);
  for (auto from = objects.cbegin(); from != objects.cend();) {
    const Section section = from->object.section;
    const auto to = std::find_if(from, objects.cend(), [section](const BriefObject& each) {
      return each.object.section != section;
    });
    out += fmt::format(",\"{}\":{{", enum_name(section));
    if (section == Section::nodes) {
      append_nodes(out, from, to);
    } else {
      for (auto each = from; each != to; ++each) {
        const bool setting = section == Section::settings;
        append_member(out, each->object.name,
                      setting ? setting_value(each->fields) : std::string_view(each->fields));
      }
    }
    out.push_back('}');
    from = to;
  }
  return out + "}";
}

}  // namespace drover::cluster
