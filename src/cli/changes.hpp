// Changes of the change log as lines for people.
#pragma once

#include "base/json.hpp"
#include "cli/output.hpp"

#include <string>

namespace drover::cli {

/// "21:33:17 #1042 node/n1 phase.state: node_up -> lost (why) by who", one line, printable.
std::string change_line(const json::value& change, bool colour);
/// What differs between "before" and "after", leaf by leaf; times and revisions left out.
std::string change_summary(const json::value& change);
/// Whether the change is of "kind" or "kind/key"; an empty filter takes all.
bool change_matches(const json::value& change, std::string_view filter);
const ListView& change_view();

}  // namespace drover::cli
