// Completion of a command line: what may stand at its end, from the command table. Live names are
// asked from the cluster by whoever calls.
#pragma once

#include "cli/command.hpp"
#include "cli/surroundings.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace drover::cli {

struct Candidate {
  std::string text;  ///< the whole word; one that ends in '=' is not finished
  std::string help;
};

/// What may stand in place of the last word.
struct Completion {
  std::vector<Candidate> candidates;
  bool files = false;              ///< file names too
  std::vector<std::string> kinds;  ///< live names wanted: node, group, profile, setting, metric
  std::string head;                ///< stays in front of each live name
  std::string prefix;              ///< what live names begin with
  Given globals;                   ///< --socket, --server, .. as given so far
};

/// `words` are those after the program's name, the last one is to be completed and may be empty.
Completion complete(const std::vector<std::string>& words);

/// `drover __complete -- WORD..`: one "text<tab>help" a line, or ":files". Asks the cluster for
/// live names, briefly; says nothing when it does not answer.
int run_complete(Surroundings& surroundings);

}  // namespace drover::cli
