// Rewrites text, then compares what the noderange's own parser finds in it before and after.
#include "cluster/range_rename.hpp"

#include "base/noderange.hpp"
#include "cluster/claims.hpp"
#include "cluster/node.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

/// What a name may hold; '[' behind one makes it a pattern.
bool continues_name(char c) {
  constexpr std::string_view kOther = "_.-[";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kOther.find(c) != std::string_view::npos;
}

std::string with_other_name(std::string_view range, const GroupRename& rename) {
  const std::string old = "@" + rename.from;
  std::string out;
  for (size_t at = 0; at < range.size();) {
    const size_t end = at + old.size();
    const bool here =
        range.substr(at).starts_with(old) && (end == range.size() || !continues_name(range[end]));
    if (here) {
      out += "@" + rename.to;
      at = end;
    } else {
      out += range[at++];
    }
  }
  return out;
}

std::set<std::string> groups_after(const std::vector<std::string>& groups,
                                   const GroupRename& rename) {
  std::set<std::string> out(groups.begin(), groups.end());
  if (out.erase(rename.from) > 0) out.insert(rename.to);
  return out;
}

tl::unexpected<Error> cannot(std::string_view range, const GroupRename& rename) {
  constexpr size_t kShown = 80;
  return fail(Code::conflict,
              fmt::format("'{}' names the group '{}' in a way that cannot be rewritten for certain",
                          range.substr(0, kShown), rename.from),
              fmt::format("write it as @{} there, without brackets, quotes or a regular expression "
                          "beside it, then rename",
                          rename.from));
}

}  // namespace

Result<GroupRename> group_rename(store::Transaction& tx, std::string from, std::string to) {
  GroupRename out{std::move(from), std::move(to), false};
  DROVER_TRY(const auto node, tx.get(kNodeKind, out.from));
  DROVER_TRY(const std::string alias, ClaimBook(tx).holder("alias/" + out.from));
  out.bare_is_node = node.has_value() || !alias.empty();
  return out;
}

Result<std::string> renamed_in(std::string_view range, const GroupRename& rename) {
  // Brackets can make the name out of pieces; what cannot be read cannot name it.
  const auto before = names_in(range);
  if (!before) return std::string(range);
  const auto has = [&](const std::vector<std::string>& names) {
    return std::ranges::find(names, rename.from) != names.end();
  };
  if (!rename.bare_is_node && has(before->words)) return cannot(range, rename);
  if (!has(before->groups)) return std::string(range);
  if (range.find_first_of("~\"'") != std::string_view::npos) return cannot(range, rename);
  std::string out = with_other_name(range, rename);
  const auto after = names_in(out);
  const bool same = after && after->words == before->words &&
                    after->attributes == before->attributes &&
                    groups_after(before->groups, rename) ==
                        std::set<std::string>(after->groups.begin(), after->groups.end());
  if (!same) return cannot(range, rename);
  return out;
}

}  // namespace drover::cluster
