// YAML from people and other systems: any text is a value or an error, and a value survives the
// writer and the reader.
#include "base/json_values.hpp"
#include "base/yaml.hpp"
#include "base/yaml_read.hpp"
#include "fuzz.hpp"

#include <algorithm>

namespace {

/// Equal but for the kind of a number: 1.5e3 is written 1500.
bool same(const drover::json::value& a, const drover::json::value& b) {
  if (a.is_number() && b.is_number()) return a.to_number<double>() == b.to_number<double>();
  if (a.is_array() && b.is_array()) {
    return std::equal(a.get_array().begin(), a.get_array().end(), b.get_array().begin(),
                      b.get_array().end(), same);
  }
  if (a.is_object() && b.is_object()) {
    return std::equal(a.get_object().begin(), a.get_object().end(), b.get_object().begin(),
                      b.get_object().end(), [](const auto& left, const auto& right) {
                        return left.key() == right.key() && same(left.value(), right.value());
                      });
  }
  return a == b;
}

}  // namespace

DROVER_FUZZ_TARGET(input) {
  drover::LineMap lines;
  const auto value = drover::parse_yaml(input, drover::YamlScalars::typed, &lines);
  if (!value) return;
  drover::fuzz::require(lines.empty() || drover::line_of(lines, "") > 0, "the root has a line");
  const auto texts = drover::parse_yaml(input, drover::YamlScalars::text);
  drover::fuzz::require(texts.has_value(), "how scalars are read changes no acceptance");
  const auto back = drover::parse_yaml(drover::to_yaml(*value));
  drover::fuzz::require(back && same(*back, *value), "round trip");
}
