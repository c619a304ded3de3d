#include "cluster/inventory.hpp"

#include "base/json_values.hpp"
#include "cluster/mutations.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

/// A report as its sender writes it: attributes may be numbers and truth values.
struct RawPart {
  static constexpr std::string_view kTypeName = "ReportedPart";
  std::string kind;
  std::string slot;
  std::string serial;
  std::map<std::string, RawJson> attributes;
  void describe(Visitor& v) {
    v.field("kind", kind, "");
    v.field("slot", slot, "");
    v.field("serial", serial, "", Presence::optional);
    v.field("attributes", attributes, "", Presence::optional);
  }
};
struct RawReport {
  static constexpr std::string_view kTypeName = "InventoryReport";
  std::vector<RawPart> parts;
  NodeSummary summary;
  void describe(Visitor& v) {
    v.field("parts", parts, "");
    v.field("summary", summary, "", Presence::optional);
  }
};

/// NUL and other control bytes have no place in names that are keys and end up on terminals.
bool has_control(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

Status check_text(std::string_view path, std::string_view text, size_t most) {
  if (text.size() > most) {
    return fail(Code::too_large, fmt::format("{}: longer than {} bytes", path, most));
  }
  if (has_control(text)) {
    return fail(Code::invalid_argument, fmt::format("{}: holds a control character", path));
  }
  return {};
}

Status check_kind(std::string_view path, std::string_view kind) {
  constexpr size_t kLongest = 32;
  const bool word =
      std::ranges::all_of(kind, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
  if (!kind.empty() && kind.size() <= kLongest && word) return {};
  return fail(Code::invalid_argument,
              fmt::format("{}: expected a lower-case word of 1 to {} letters, such as {}", path,
                          kLongest, kPartKinds));
}

/// The text of a simple value; nothing for a list or an object.
std::optional<std::string> simple_text(const RawJson& raw) {
  if (raw.text.starts_with('{') || raw.text.starts_with('[')) return std::nullopt;
  if (raw.text == "null") return std::string();
  const auto value = parse_json(raw.text);
  if (!value) return std::nullopt;
  if (value->is_string()) return std::string(value->get_string());
  if (value->is_double()) return fmt::format("{}", value->get_double());
  return raw.text;
}

Status take_attributes(const std::string& path, const RawPart& raw, Part& part) {
  if (raw.attributes.size() > kMaxPartAttributes) {
    return fail(Code::too_large,
                fmt::format("{}.attributes: more than {}", path, kMaxPartAttributes));
  }
  for (const auto& [name, value] : raw.attributes) {
    const std::string where = fmt::format("{}.attributes.{}", path, name.substr(0, kMaxPartText));
    DROVER_CHECK_OK(check_text(where, name, kMaxPartText));
    auto text = simple_text(value);
    if (!text) {
      return fail(Code::invalid_argument,
                  fmt::format("{}: expected a string, a number, true or false", where));
    }
    DROVER_CHECK_OK(check_text(where, *text, kMaxPartText));
    part.attributes.emplace(name, std::move(*text));
  }
  return {};
}

Result<Part> take_part(const std::string& path, RawPart& raw) {
  DROVER_CHECK_OK(check_kind(path + ".kind", raw.kind));
  DROVER_CHECK_OK(check_text(path + ".slot", raw.slot, kMaxPartSlot));
  if (raw.slot.empty()) return fail(Code::invalid_argument, path + ".slot: is empty");
  DROVER_CHECK_OK(check_text(path + ".serial", raw.serial, kMaxPartText));
  Part part;
  DROVER_CHECK_OK(take_attributes(path, raw, part));
  part.kind = std::move(raw.kind);
  part.slot = std::move(raw.slot);
  part.serial = std::move(raw.serial);
  return part;
}

bool before(const Part& a, const Part& b) {
  return std::tie(a.kind, a.slot) < std::tie(b.kind, b.slot);
}

}  // namespace

void Part::describe(Visitor& v) {
  v.field("node", node, "Node that it is in.");
  v.field("kind", kind, "What it is: cpu, dimm, disk, nic, gpu ..");
  v.field("slot", slot, "Where it sits, unique within node and kind.");
  v.field("serial", serial, "Serial number; empty: none known.", Presence::optional);
  v.field("attributes", attributes, "What else is known of it.", Presence::optional);
}

Result<InventoryReport> parse_inventory(std::string_view text) {
  if (text.size() > kMaxReportBytes) {
    return fail(Code::too_large,
                fmt::format("an inventory report of {} bytes; at most {} are taken", text.size(),
                            kMaxReportBytes));
  }
  DROVER_TRY(RawReport raw, decode_text<RawReport>(text));
  if (raw.parts.size() > kMaxParts) {
    return fail(Code::too_large, fmt::format("parts: {} of them; at most {} are taken",
                                             raw.parts.size(), kMaxParts));
  }
  DROVER_CHECK_OK(check_text("summary.os", raw.summary.os, kMaxPartText));
  DROVER_CHECK_OK(check_text("summary.kernel", raw.summary.kernel, kMaxPartText));
  InventoryReport report;
  report.summary = std::move(raw.summary);
  report.parts.reserve(raw.parts.size());
  for (size_t i = 0; i < raw.parts.size(); ++i) {
    DROVER_TRY(Part part, take_part(fmt::format("parts[{}]", i), raw.parts[i]));
    report.parts.push_back(std::move(part));
  }
  std::ranges::sort(report.parts, before);
  const auto twice = std::ranges::adjacent_find(report.parts, [](const Part& a, const Part& b) {
    return a.kind == b.kind && a.slot == b.slot;
  });
  if (twice != report.parts.end()) {
    return fail(Code::invalid_argument,
                fmt::format("parts: {} in slot '{}' is there twice", twice->kind, twice->slot));
  }
  return report;
}

std::string part_key(std::string_view node, std::string_view kind, std::string_view slot) {
  return fmt::format("{}/{}/{}", node, kind, slot);
}

Result<InventoryOutcome> apply_inventory(store::Transaction& tx, const std::string& node_name,
                                         NodeRole role, const InventoryReport& report,
                                         const std::string& fresh_id) {
  InventoryOutcome outcome;
  tx.explain("inventory report");
  DROVER_TRY(outcome.created_node,
             ensure_node(tx, node_name, role, fresh_id, "first inventory report"));
  DROVER_TRY(Node node, read_node(tx, node_name));
  if (node.summary != report.summary) {
    node.summary = report.summary;
    DROVER_CHECK_OK(write_node(tx, node));
    outcome.summary_changed = true;
  }

  store::ListQuery query;
  query.kind = kPartKind;
  query.prefix = node_name + "/";
  DROVER_TRY(const auto stored, tx.list(query));
  std::map<std::string_view, std::string_view> old;
  for (const store::Object& object : stored) old.emplace(object.key, object.body);

  for (Part part : report.parts) {
    part.node = node_name;
    const std::string key = part_key(node_name, part.kind, part.slot);
    const std::string body = encode(part);
    const auto found = old.find(key);
    const bool is_new = found == old.end();
    const bool same = !is_new && found->second == body;
    if (!is_new) old.erase(found);
    if (same) continue;
    DROVER_CHECK_OK(tx.put(kPartKind, key, body));
    ++(is_new ? outcome.inserted : outcome.updated);
  }
  for (const auto& [key, body] : old) {
    DROVER_CHECK_OK(tx.erase(kPartKind, key));
    ++outcome.removed;
  }
  return outcome;
}

}  // namespace drover::cluster
