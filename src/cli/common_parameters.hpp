// Parameters that many commands have, worded once.
#pragma once

#include "cli/command.hpp"

namespace drover::cli {

/// --why and --dry-run of a command that changes something.
inline Parameter why_option() {
  return {"why", Parameter::Kind::option, "Reason, kept in the history"};
}
inline Parameter dry_run_flag() {
  return {"dry-run", Parameter::Kind::flag, "Let the cluster check it and change nothing"};
}

}  // namespace drover::cli
