// What words of Drover mean: fields, states, kinds of errors, metrics, noderanges. Pure.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::cli {

/// One meaning of a word.
struct Explanation {
  std::string
      what;  ///< "field", "attribute", "setting", "state", "error", "metric", "kind" or "topic"
  std::string name;  ///< "node.phase.state"
  std::string text;  ///< one or more sentences
  /// Further facts: title and text, in order; a title may repeat.
  std::vector<std::pair<std::string, std::string>> facts;
};

/// Every meaning of `word`: a field by its path (phase.state, part.serial, or its last part alone),
/// a state, an error's type or URN, a metric, a setting. not_found names the nearest known word.
Result<std::vector<Explanation>> explain(std::string_view word);

/// For people.
std::string explanation_text(const Explanation& explanation);

}  // namespace drover::cli
