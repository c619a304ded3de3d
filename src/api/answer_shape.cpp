#include "api/answer_shape.hpp"

#include "api/json_scan.hpp"
#include "api/whole_number.hpp"
#include "base/base64.hpp"
#include "base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::api {
namespace {

constexpr char kBetween = '\x1f';  // of the parts of a position; JSON text never holds it

/// FNV-1a, so that a mistyped or foreign token is told from one of ours. Not a secret: a token
/// gives nobody more than the list itself.
uint32_t check_sum(std::string_view text) {
  uint32_t sum = 2166136261U;
  for (const char c : text) sum = (sum ^ static_cast<unsigned char>(c)) * 16777619U;
  return sum;
}

/// -1, 0 or 1 over JSON values: null, then numbers, then everything else in natural order.
int compare(std::string_view a, std::string_view b) {
  const auto rank = [](std::string_view text) {
    if (text.empty() || text == "null") return 0;
    const char c = text.front();
    return c == '-' || (c >= '0' && c <= '9') ? 1 : 2;
  };
  const int difference = rank(a) - rank(b);
  if (difference != 0) return difference < 0 ? -1 : 1;
  if (rank(a) != 1) return natural_compare(a, b);
  double x = 0;
  double y = 0;
  std::from_chars(a.data(), a.data() + a.size(), x);
  std::from_chars(b.data(), b.data() + b.size(), y);
  return x < y ? -1 : (x > y ? 1 : 0);
}

/// The first member of an object: what names an item in its list.
std::string_view first_member(std::string_view item) {
  JsonScan scan(item);
  if (!scan.take('{') || scan.peek() != '"') return item;
  scan.key();
  return scan.value();
}

/// Members "items" and "next_page" of a list as the handlers write it.
struct ListParts {
  std::string_view items;  ///< with its brackets
  std::string_view next;   ///< with its quotes; empty: none
};

std::optional<ListParts> parts_of(std::string_view body) {
  ListParts out;
  JsonScan scan(body);
  if (!scan.take('{')) return std::nullopt;
  while (!scan.at_end() && scan.peek() != '}') {
    const std::string_view name = scan.key();
    const std::string_view value = scan.value();
    if (name == "items") out.items = value;
    if (name == "next_page") out.next = value;
    if (!scan.take(',')) break;
  }
  if (!out.items.starts_with('[')) return std::nullopt;
  return out;
}

std::string_view unquoted(std::string_view text) {
  return text.size() < 2 ? std::string_view() : text.substr(1, text.size() - 2);
}

}  // namespace

std::string make_page_token(std::string_view list, std::string_view position) {
  const std::string whole = fmt::format("{}{}{}", list, kBetween, position);
  return to_base64url(fmt::format("{:08x}{}", check_sum(whole), position));
}

Result<std::string> read_page_token(std::string_view list, std::string_view token) {
  constexpr size_t kSum = 8;
  const auto text = from_base64url(token);
  if (text && text->size() >= kSum) {
    std::string position = text->substr(kSum);
    const std::string whole = fmt::format("{}{}{}", list, kBetween, position);
    if (text->substr(0, kSum) == fmt::format("{:08x}", check_sum(whole))) return position;
  }
  return fail(Code::invalid_argument, "query parameter page: not a next_page of this list",
              "begin again without it");
}

Status AnswerShape::read_sort(std::string_view text, const FieldTree& known) {
  if (text.empty()) {
    return fail(Code::invalid_argument,
                "query parameter sort: is empty; the fields are " + known.names());
  }
  sorts_ = true;
  place_ = fmt::format("{}?{}", list_, text);
  while (!text.empty()) {
    std::string_view path = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), path.size() + 1));
    const bool descending = path.starts_with('-');
    path.remove_prefix(descending ? 1 : 0);
    DROVER_CHECK_OK(check_field(known, "sort", path));
    sort_.push_back({std::string(path), descending});
  }
  return {};
}

void AnswerShape::take_pages(net::Target& target) {
  if (const auto limit = target.query.find("limit"); limit != target.query.end()) {
    limit_ = whole_number<uint64_t>(limit->second).value_or(kMostSorted);
    target.query.erase(limit);
  }
  const auto page = target.query.find("page");
  if (page == target.query.end()) return;
  std::string_view left = page->second;
  for (size_t i = 0; i <= sort_.size(); ++i) {
    const std::string_view part = left.substr(0, left.find(kBetween));
    after_.emplace_back(part);
    left.remove_prefix(std::min(left.size(), part.size() + 1));
  }
  target.query.erase(page);
}

Result<std::shared_ptr<const AnswerShape>> AnswerShape::take(net::Target& target, Subject subject) {
  auto out = std::make_shared<AnswerShape>();
  out->list_ = subject.list;
  out->place_ = subject.list;
  if (const auto fields = target.get("fields")) {
    DROVER_TRY(out->fields_, FieldChoice::parse(*fields, *subject.known));
  }
  if (subject.list.empty()) {
    if (!out->fields_) return std::shared_ptr<const AnswerShape>();
    return std::shared_ptr<const AnswerShape>(std::move(out));
  }
  if (const auto sort = target.get("sort")) {
    DROVER_CHECK_OK(out->read_sort(*sort, *subject.known));
  } else if (!subject.pages) {
    out->sorts_ = target.get("limit") || target.get("page");
  }
  if (const auto page = target.query.find("page"); page != target.query.end()) {
    DROVER_TRY(page->second, read_page_token(out->place_, page->second));
  }
  if (out->sorts_) out->take_pages(target);
  return std::shared_ptr<const AnswerShape>(std::move(out));
}

bool AnswerShape::before(const std::vector<std::string_view>& a,
                         const std::vector<std::string_view>& b) const {
  for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
    const int order = compare(a[i], b[i]);
    if (order != 0) return i < sort_.size() && sort_[i].descending ? order > 0 : order < 0;
  }
  return false;
}

std::vector<std::string_view> AnswerShape::keys_of(std::string_view item) const {
  std::vector<std::string_view> out;
  for (const SortKey& key : sort_) out.push_back(value_at(item, key.path));
  out.push_back(first_member(item));
  return out;
}

void AnswerShape::apply(std::string& body) const {
  if (list_.empty()) {
    if (!fields_) return;
    std::string out;
    fields_->append(out, body);
    body = std::move(out);
    return;
  }
  // ListWriter puts next_page last: one that ends with its items has none, and needs no walk.
  if (!sorts() && !fields_ && body.ends_with("]}\n")) return;
  const auto parts = parts_of(body);
  if (!parts) return;
  if (!sorts() && !fields_ && parts->next.empty()) return;
  apply_to_list(body, parts->items, unquoted(parts->next));
}

void AnswerShape::apply_to_list(std::string& body, std::string_view items,
                                std::string_view next) const {
  std::string token = next.empty() ? std::string() : make_page_token(place_, next);
  if (!sorts() && !fields_) {  // the list stays where it is: a copy of 15 MB saved
    const auto at = static_cast<size_t>(next.data() - body.data());
    body.replace(at, next.size(), token);
    return;
  }
  std::vector<Item> list;
  JsonScan scan(items);
  scan.take('[');
  while (!scan.at_end() && scan.peek() != ']') {
    const std::string_view text = scan.value();
    list.push_back({text, sorts() ? keys_of(text) : std::vector<std::string_view>()});
    if (!scan.take(',')) break;
  }
  if (sorts()) {
    std::ranges::sort(list, [&](const Item& a, const Item& b) { return before(a.keys, b.keys); });
    const std::vector<std::string_view> after(after_.begin(), after_.end());
    if (!after.empty()) {
      const auto from = std::ranges::partition_point(
          list, [&](const Item& item) { return !before(after, item.keys); });
      list.erase(list.begin(), from);
    }
    if (list.size() > limit_) {
      list.resize(limit_);
      std::string position;
      for (const std::string_view key : list.back().keys) {
        position.append(position.empty() ? "" : std::string_view(&kBetween, 1)).append(key);
      }
      token = make_page_token(place_, position);
    }
  }
  std::string out = "{\"items\":[";
  out.reserve(fields_ ? items.size() / 4 : items.size() + 64);
  for (const Item& item : list) {
    if (&item != list.data()) out.push_back(',');
    if (fields_) {
      fields_->append(out, item.text);
    } else {
      out.append(item.text);
    }
  }
  out.append("]");
  if (!token.empty()) out.append(R"(,"next_page":")").append(token).append("\"");
  out.append("}");
  body = std::move(out);
}

}  // namespace drover::api
