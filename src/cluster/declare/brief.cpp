// Row by row of the section's table, straight from the stored values.
#include "cluster/declare/brief.hpp"

#include "base/json_values.hpp"
#include "cluster/declare/field_rows.hpp"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

/// Whether it is the text that the row has anyway, as most are, told without making its JSON.
bool is_standard_text(const Row& row, const json::value& value) {
  const auto* text = value.if_string();
  const std::string_view standard = row.standard;
  return text != nullptr && standard.size() == text->size() + 2 && standard.front() == '"' &&
         standard.substr(1, text->size()) == std::string_view(*text) && needs_no_escape(*text);
}

/// What stays of a plain field when it is written: its JSON; empty for its default, and for what is
/// no value of this form.
std::string plain_value(const Row& row, const json::value& value) {
  std::string out;
  if (is_whole(row.form)) {
    out = to_text(value);
  } else if (row.form == Form::texts || row.form == Form::addresses) {
    const auto* array = value.if_array();
    if (array == nullptr || (array->empty() && row.standard == "[]")) return {};
    out = "[";
    for (const json::value& each : *array) {
      auto text = scalar_of(each);
      if (!text) return {};
      if (out.size() > 1) out.push_back(',');
      append_quoted(out, canonical(row.form, *std::move(text)));
    }
    out.push_back(']');
  } else if (is_standard_text(row, value)) {
    return {};
  } else if (auto text = scalar_of(value); !text) {
    return {};
  } else if (row.form == Form::whole || row.form == Form::integer) {
    int64_t number = 0;
    const char* const end = text->data() + text->size();
    const auto [rest, error] = std::from_chars(text->data(), end, number);
    const bool good = error == std::errc() && rest == end && !text->empty();
    if (!good || (row.form == Form::whole && number < 0)) return {};
    out = std::to_string(number);
  } else {
    out = quoted(canonical(row.form, *std::move(text)));
  }
  return out == row.standard ? std::string() : out;
}

class BriefWriter {
 public:
  explicit BriefWriter(std::string& out) : out_(out) {}

  void object(std::span<const Row> rows, const json::object& from) {
    begin('{');
    for (const Row& row : rows) {
      if (const auto* value = from.if_contains(row.name)) field(row, *value);
    }
    end('}');
  }
  void node(const json::object& body) {
    static const json::object nothing;
    const auto* spec = body.if_contains("spec");
    const json::object& from = spec != nullptr && spec->is_object() ? spec->get_object() : nothing;
    const auto* role = body.if_contains("role");
    if (role != nullptr && !role->is_string()) role = nullptr;
    begin('{');
    for (const Row& row : rows_of(Section::nodes)) {
      const auto* value = row.name == "role" ? role : from.if_contains(row.name);
      if (value != nullptr) field(row, *value);
    }
    end('}');
  }

 private:
  void begin(char bracket) {
    out_.push_back(bracket);
    first_ = true;
  }
  void end(char bracket) {
    out_.push_back(bracket);
    first_ = false;
  }
  void element() {
    if (!std::exchange(first_, false)) out_.push_back(',');
  }
  /// Of a row: our own, without anything to escape.
  void name(std::string_view text) {
    element();
    out_.push_back('"');
    out_ += text;
    out_ += "\":";
  }

  void field(const Row& row, const json::value& value) {
    switch (row.form) {
      case Form::attributes:
        return attributes(row, value);
      case Form::interfaces:
        return interfaces(row, value);
      case Form::bmc:
        return bmc(row, value);
      default:
        break;
    }
    if (value.is_null()) return;
    const std::string text = plain_value(row, value);
    if (text.empty()) return;
    name(row.name);
    out_ += text;
  }

  void attributes(const Row& row, const json::value& value) {
    const auto* map = value.if_object();
    if (map == nullptr) return;
    std::vector<std::pair<std::string_view, std::string>> members;
    for (const auto& member : *map) {
      if (auto text = scalar_of(member.value())) {
        members.emplace_back(member.key(), *std::move(text));
      }
    }
    if (members.empty()) return;
    std::ranges::sort(members);
    name(row.name);
    begin('{');
    for (const auto& [key, text] : members) {
      element();
      append_quoted(out_, key);
      out_.push_back(':');
      append_quoted(out_, text);
    }
    end('}');
  }

  void interfaces(const Row& row, const json::value& value) {
    const auto* array = value.if_array();
    if (array == nullptr) return;
    std::vector<std::string_view> names;
    for (const json::value& each : *array) {
      const auto* object = each.if_object();
      const auto* held = object == nullptr ? nullptr : object->if_contains("name");
      if (held == nullptr || !held->is_string() || held->get_string().empty()) continue;
      const std::string_view text = held->get_string();
      if (text.find('/') != std::string_view::npos) continue;
      if (std::ranges::find(names, text) != names.end()) continue;
      if (names.empty()) {
        name(row.name);
        begin('[');
      }
      names.push_back(text);
      element();
      this->object(kInterfaceRows, *object);
    }
    if (!names.empty()) end(']');
  }

  /// The protocol is always said, so that a BMC is never an empty map.
  void bmc(const Row& row, const json::value& value) {
    const auto* held = value.if_object();
    if (held == nullptr) return;
    const size_t before = out_.size();
    const bool first = first_;
    name(row.name);
    begin('{');
    for (const Row& inner : kBmcRows) {
      const auto* member = held->if_contains(inner.name);
      if (member == nullptr) continue;
      std::string text = member->is_null() ? std::string() : plain_value(inner, *member);
      if (text.empty() && inner.name == "protocol") text = inner.standard;
      if (text.empty()) continue;
      name(inner.name);
      out_ += text;
    }
    if (!first_) return end('}');
    out_.resize(before);
    first_ = first;
  }

  std::string& out_;
  bool first_ = true;
};

}  // namespace

void append_brief(std::string& out, Section section, const json::object& stored) {
  BriefWriter writer(out);
  section == Section::nodes ? writer.node(stored) : writer.object(rows_of(section), stored);
}

}  // namespace drover::cluster
