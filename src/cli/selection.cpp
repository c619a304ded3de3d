// Tests of fields and orders of items, for every list alike.
#include "cli/selection.hpp"

#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/fields.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Compare = FieldTest::Compare;

constexpr std::string_view kPathBytes =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-/";

/// Longer spellings first, so that >= is not read as > and "=...".
constexpr std::array<std::pair<std::string_view, Compare>, 9> kOperators{
    {{"==", Compare::equal},
     {"=~", Compare::matches},
     {"!=", Compare::not_equal},
     {"!~", Compare::differs},
     {"<=", Compare::less_equal},
     {">=", Compare::greater_equal},
     {"=", Compare::equal},
     {"<", Compare::less},
     {">", Compare::greater}}};

std::string_view spelling(Compare compare) {
  for (const auto& [text, of] : kOperators) {
    if (of == compare && text != "==") return text;
  }
  return "=";
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

tl::unexpected<Error> no_test(std::string_view text, std::string_view why) {
  return fail(Code::invalid_argument, fmt::format("--filter \"{}\": {}", printable(text), why),
              "--filter phase.state=up, --filter 'summary.cpus>=64', --filter 'name=~^n1'");
}

Result<std::string> unquoted(std::string_view text, std::string_view whole) {
  if (!text.starts_with('"')) return std::string(text);
  std::string out;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      if (i + 1 != text.size()) return no_test(whole, "something follows the closing quote");
      return out;
    }
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out.push_back(text[i]);
  }
  return no_test(whole, "the quotation is not closed");
}

std::optional<double> to_double(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

int order_of(std::string_view a, std::string_view b) {
  const auto left = to_double(a);
  const auto right = to_double(b);
  if (left && right) return static_cast<int>(*left > *right) - static_cast<int>(*left < *right);
  return natural_compare(a, b);
}

std::string plain_text(const json::value& value) {
  if (value.is_string()) return {value.get_string().data(), value.get_string().size()};
  return scalar_text(value);
}

/// `test` with = and =~ alone; the caller turns != and !~ round.
bool holds(const json::value& value, const FieldTest& test) {
  if (const auto* list = value.if_array()) {
    return std::any_of(list->begin(), list->end(),
                       [&](const json::value& element) { return holds(element, test); });
  }
  const std::string text = plain_text(value);
  switch (test.compare) {
    case Compare::equal:
    case Compare::not_equal:
      return text == test.value || (!text.empty() && !test.value.empty() && to_double(text) &&
                                    to_double(text) == to_double(test.value));
    case Compare::matches:
    case Compare::differs:
      return test.pattern->matches(text);
    default:
      break;
  }
  if (text.empty()) return false;
  const int order = order_of(text, test.value);
  switch (test.compare) {
    case Compare::less:
      return order < 0;
    case Compare::less_equal:
      return order <= 0;
    case Compare::greater:
      return order > 0;
    default:
      return order >= 0;
  }
}

struct Keyed {
  std::vector<std::string> values;  ///< one per key
  size_t place = 0;                 ///< before sorting, so that equal ones keep their order
  json::value* item = nullptr;
};

bool comes_before(const Keyed& a, const Keyed& b, const std::vector<SortKey>& keys) {
  for (size_t i = 0; i < keys.size(); ++i) {
    const std::string& left = a.values[i];
    const std::string& right = b.values[i];
    if (left == right) continue;
    if (left.empty() || right.empty()) return right.empty();
    const int order = order_of(left, right);
    if (order != 0) return keys[i].descending ? order > 0 : order < 0;
  }
  return a.place < b.place;
}

/// Whether an item of the view's kind may have something at `path`: by its first part, since what
/// is inside depends on the item.
bool may_have(const ListView& view, std::string_view path) {
  const FieldKind* kind = find_field_kind(view.kind);
  return kind == nullptr || find_field(*kind, path.substr(0, path.find('.'))) != nullptr;
}

Status sort_items(std::vector<json::value*>& kept, const json::array& items, const ListView& view,
                  const std::vector<SortKey>& keys) {
  if (keys.empty()) return {};
  std::vector<Keyed> keyed(kept.size());
  for (size_t i = 0; i < kept.size(); ++i) keyed[i] = {{}, i, kept[i]};
  for (const SortKey& key : keys) {
    const std::string path = path_of(key.path, view);
    DROVER_CHECK_OK(check_path("--sort", path, items, view));
    for (Keyed& one : keyed) {
      const json::value* value = find_path(*one.item, path);
      one.values.push_back(value == nullptr ? std::string() : plain_text(*value));
    }
  }
  std::sort(keyed.begin(), keyed.end(),
            [&](const Keyed& a, const Keyed& b) { return comes_before(a, b, keys); });
  for (size_t i = 0; i < kept.size(); ++i) kept[i] = keyed[i].item;
  return {};
}

}  // namespace

Result<FieldTest> parse_field_test(std::string_view text) {
  FieldTest out;
  const size_t end = std::min(text.find_first_not_of(kPathBytes), text.size());
  out.path = text.substr(0, end);
  if (out.path.empty()) return no_test(text, "a field's name is missing");
  std::string_view rest = text.substr(end);
  const auto* found = std::find_if(kOperators.begin(), kOperators.end(), [&](const auto& known) {
    return rest.starts_with(known.first);
  });
  if (found == kOperators.end()) {
    return no_test(text, "expected one of = != < <= > >= =~ !~ after the field's name");
  }
  out.compare = found->second;
  DROVER_TRY(out.value, unquoted(rest.substr(found->first.size()), text));
  if (out.compare == Compare::matches || out.compare == Compare::differs) {
    auto pattern = TextPattern::compile(out.value);
    if (!pattern) return no_test(text, pattern.error().message);
    out.pattern = *std::move(pattern);
  }
  return out;
}

bool passes(const json::value& item, const FieldTest& test) {
  static const json::value nothing(nullptr);
  const json::value* value = find_path(item, test.path);
  const bool held = holds(value == nullptr ? nothing : *value, test);
  const bool turned = test.compare == Compare::not_equal || test.compare == Compare::differs;
  return held != turned;
}

std::string range_text(const FieldTest& test) {
  std::string out = fmt::format("{}{}\"", test.path, spelling(test.compare));
  for (const char c : test.value) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "\"";
}

Result<std::vector<SortKey>> parse_sort(std::string_view text) {
  std::vector<SortKey> out;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    std::string_view part = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    const bool descending = part.starts_with('-');
    if (descending) part.remove_prefix(1);
    if (part.empty()) {
      return fail(Code::invalid_argument, "--sort has an empty name",
                  "--sort phase.state,-summary.cpus");
    }
    out.push_back({std::string(part), descending});
  }
  return out;
}

std::string path_of(std::string_view name, const ListView& view) {
  for (const Column& column : view.columns) {
    if (lower(column.title) == lower(name)) return column.path;
  }
  // What people said of a thing is in its spec, where nobody who asks for "nid" looks.
  const FieldKind* kind = find_field_kind(view.kind);
  const std::string_view first = name.substr(0, name.find('.'));
  if (kind != nullptr && find_field(*kind, first) == nullptr &&
      find_field(*kind, fmt::format("spec.{}", first)) != nullptr) {
    return fmt::format("spec.{}", name);
  }
  return std::string(name);
}

Status check_path(std::string_view option, std::string_view path, const json::array& items,
                  const ListView& view) {
  const auto has = [&](const json::value& item) { return find_path(item, path) != nullptr; };
  if (std::any_of(items.begin(), items.end(), has)) return {};
  return check_unseen(option, path, items.size(), view);
}

Status check_unseen(std::string_view option, std::string_view path, size_t count,
                    const ListView& view) {
  const bool is_column = std::any_of(view.columns.begin(), view.columns.end(),
                                     [&](const Column& each) { return each.path == path; });
  const FieldKind* kind = find_field_kind(view.kind);
  const bool is_field = kind != nullptr && find_field(*kind, path) != nullptr;
  if (is_column || is_field || (count == 0 && may_have(view, path))) return {};
  std::vector<std::string> titles;
  for (const Column& column : view.columns) titles.push_back(lower(column.title));
  const std::vector<std::string_view> views(titles.begin(), titles.end());
  const std::string wanted = lower(path);
  const std::string_view best = nearest(wanted, views);
  return fail(Code::invalid_argument,
              fmt::format("{}: no item has a column or path \"{}\"{}", option, printable(path),
                          best.empty() ? "" : fmt::format("; did you mean {}?", best)),
              "-o json shows every path");
}

Result<json::array> refine(json::array items, const ListView& view,
                           const std::vector<FieldTest>& tests, const std::vector<SortKey>& keys) {
  std::vector<FieldTest> resolved = tests;
  for (FieldTest& test : resolved) {
    test.path = path_of(test.path, view);
    DROVER_CHECK_OK(check_path("--filter", test.path, items, view));
  }
  std::vector<json::value*> kept;
  for (json::value& item : items) {
    const bool in = std::all_of(resolved.begin(), resolved.end(),
                                [&](const FieldTest& test) { return passes(item, test); });
    if (in) kept.push_back(&item);
  }
  DROVER_CHECK_OK(sort_items(kept, items, view, keys));
  json::array out(items.storage());
  out.reserve(kept.size());
  for (json::value* item : kept) out.push_back(std::move(*item));
  return out;
}

}  // namespace drover::cli
