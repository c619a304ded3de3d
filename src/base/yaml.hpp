// JSON values as YAML text, for people: block style, scalars quoted only where YAML would misread
// them. Output only; Drover's programs exchange JSON.
#pragma once

#include "base/json.hpp"
#include "base/json_events.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace drover {

/// One YAML 1.2 document ending in a newline. Texts that YAML 1.1 readers take for something else
/// (yes, no, on, 0o7, 1e3, dates, ~) are quoted too; texts of several lines become | blocks where
/// that keeps them exactly. Control characters are escaped, so a terminal is safe.
std::string to_yaml(const json::value& value);

/// The same from JSON text in one pass; of numbers too large for 64 bits the digits stay.
/// invalid_argument for what is not JSON.
Result<std::string> yaml_of_json(std::string_view text);

/// Appends what it hears to `out`, which outlives it.
class YamlText final : public JsonEvents {
 public:
  explicit YamlText(std::string& out) : out_(out) {}
  void object_begins() override { begins(false); }
  void array_begins() override { begins(true); }
  void ends() override;
  void key(std::string_view text) override;
  void text(std::string_view text) override;
  void word(std::string_view text) override;
  void real(double value, std::string_view text) override;

 private:
  struct Level {
    bool array = false;
    bool keyed = false;  ///< it is a member's value: its contents begin on a line of their own
    bool empty = true;   ///< so far
  };
  void begins(bool array);
  void lead();
  void before_value();
  void bare_or_quoted(std::string_view text);
  void literal(std::string_view text);

  std::string& out_;
  std::vector<Level> levels_;
  bool after_key_ = false;
};

}  // namespace drover
