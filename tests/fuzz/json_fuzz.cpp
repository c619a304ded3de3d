// JSON documents from clients: what parses is written and read back alike.
#include "base/json.hpp"
#include "base/json_items.hpp"
#include "base/json_values.hpp"
#include "fuzz.hpp"

#include <algorithm>
#include <cmath>

namespace {

/// Equal, but for the last bits of doubles: Boost.JSON 1.81 may be off by one there, both ways.
bool alike(const drover::json::value& a, const drover::json::value& b) {
  if (a.is_double() && b.is_number()) {
    const double x = a.get_double();
    return std::abs(x - b.to_number<double>()) <= 1e-15 * std::abs(x);
  }
  if (a.kind() != b.kind()) return false;
  if (a.is_array()) {
    return std::equal(a.get_array().begin(), a.get_array().end(), b.get_array().begin(),
                      b.get_array().end(), alike);
  }
  if (a.is_object()) {
    return std::equal(a.get_object().begin(), a.get_object().end(), b.get_object().begin(),
                      b.get_object().end(), [](const auto& x, const auto& y) {
                        return x.key() == y.key() && alike(x.value(), y.value());
                      });
  }
  return a == b;
}

/// The way from text to text takes what the way over values takes, and gives the same.
void as_items(std::string_view input, bool valid) {
  std::string out;
  drover::ItemsText text(drover::ItemsText::Layout::indented,
                         [&out](const std::string& piece) { out += piece; });
  std::string page = "{\"items\":[";
  page.append(input).append("]}");
  const auto added = text.add(page);
  if (!valid || !added) return;
  const auto whole = drover::parse_json(page);
  text.finish();
  const auto again = drover::parse_json(out);
  drover::fuzz::require(whole && again && alike(*whole, *again), "items come out alike");
}

}  // namespace

DROVER_FUZZ_TARGET(input) {
  const auto value = drover::parse_json(input);
  as_items(input, value.has_value());
  if (!value) return;
  const auto again = drover::parse_json(drover::to_text(*value));
  drover::fuzz::require(again.has_value(), "what is written can be read");
  drover::fuzz::require(alike(*value, *again), "it is read back alike");
  (void)drover::to_pretty_text(*value);
}
