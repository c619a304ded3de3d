// What commands that change many nodes share: they send one request and show its outcomes.
#pragma once

#include "base/json.hpp"
#include "base/result.hpp"
#include "cli/context.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace drover::cli {

/// The outcomes of one or more bulk requests, gathered.
class Outcomes {
 public:
  /// A BulkResult of the API.
  void add(const json::value& answer);
  /// For people one line per outcome: "n[1-8]: changed"; problems go to standard error with their
  /// next step. -o name prints the nodes that are done. Returns the exit code: 0 all done, that of
  /// the problem when all failed for one reason, else 1.
  Result<int> print(Context& context, std::string_view done_word);

 private:
  std::vector<std::string> results_;  ///< JSON texts
  size_t done_ = 0;
  size_t failed_ = 0;
  bool dry_run_ = false;
};

/// "&dry_run=true" and the like, joined to a path that has a query or not.
std::string with_query(std::string path, std::string_view name, std::string_view value);

}  // namespace drover::cli
