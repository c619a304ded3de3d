// JSON text as it is heard, event by event.
#pragma once

#include "base/json_events.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace drover {

/// Appends documents to `out`, which outlives it, one behind the other, each ending in a newline:
/// indented like to_pretty_text(), or on one line. Numbers keep their digits.
class JsonText final : public JsonEvents {
 public:
  JsonText(bool indented, std::string& out) : indented_(indented), out_(out) {}
  void object_begins() override { begins('{', '}'); }
  void array_begins() override { begins('[', ']'); }
  void ends() override;
  void key(std::string_view text) override;
  void text(std::string_view text) override;
  void word(std::string_view text) override;
  void real(double /*value*/, std::string_view text) override { word(text); }

 private:
  struct Level {
    char end = 0;
    bool empty = true;  ///< so far
  };
  void begins(char bracket, char end);
  void indent();
  void separate();
  void before_value();
  void after_value();

  bool indented_;
  std::string& out_;
  std::vector<Level> levels_;
  bool after_key_ = false;
};

}  // namespace drover
