// --watch: a command that shows something, shown again whenever something changes.
#pragma once

#include "base/json.hpp"
#include "base/result.hpp"
#include "cli/output.hpp"
#include "cli/parse.hpp"
#include "cli/surroundings.hpp"

#include <map>
#include <string>
#include <string_view>

namespace drover::cli {

/// Whether --watch makes sense with it: what lists, shows or counts.
bool can_be_watched(const Command& command);

/// What differs between two answers to one list, as JSON lines.
class ListDifference {
 public:
  /// {"event":"added|changed|removed","item":{..}} for each item that differs from the answer
  /// before, in the order of the list, what was removed last. The time of the last contact with an
  /// agent is no difference.
  std::string next(const json::array& items, const ListView& view);

 private:
  struct Known {
    std::string compared;  ///< JSON without what moves all the time
    std::string whole;
  };
  std::map<std::string, Known, std::less<>> known_;
};

/// A screen of `text` drawn from the top left corner without flicker: each line cut at the
/// terminal's height, what was there before wiped out. ECMA-48.
std::string redraw(std::string_view title, std::string_view text, size_t height);

/// Runs the command at once, after each change of the cluster and each few seconds. On a terminal
/// the screen is drawn anew; otherwise differences are written as JSON lines, or, with another
/// -o, the whole answer when it is not the same as before. Goes on when the connection breaks.
Result<int> run_live(const Invocation& invocation, Surroundings& surroundings);

}  // namespace drover::cli
