// Another name for a group in the noderanges that name it. Pure but for the look at what a bare
// word means.
#pragma once

#include "base/result.hpp"
#include "store/store.hpp"

#include <string>
#include <string_view>

namespace drover::cluster {

struct GroupRename {
  std::string from;
  std::string to;
  /// A node or an alias has the old name too: without @ it means that, and stays.
  bool bare_is_node = false;
};

/// What a bare word of this name means now.
Result<GroupRename> group_rename(store::Transaction& tx, std::string from, std::string to);

/// `range` with @from written @to; as it is where it does not name the group. conflict where it
/// does in a way that cannot be rewritten for certain: without @, in brackets, or beside a quoted
/// name or a regular expression.
Result<std::string> renamed_in(std::string_view range, const GroupRename& rename);

}  // namespace drover::cluster
