// What a request on many nodes answers: one entry per way of ending, with the nodes folded.
#pragma once

#include "api/problem.hpp"
#include "base/describe.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api {

/// Stands for the node's own name in a problem that several nodes share.
inline constexpr std::string_view kOwnName = "{node}";

/// Nodes that ended alike.
struct BulkGroup {
  static constexpr std::string_view kTypeName = "BulkGroup";
  std::string nodes;  ///< folded noderange
  uint64_t count = 0;
  int32_t status = 200;
  bool unchanged = false;
  std::optional<ProblemDocument> problem;  ///< nothing: done
  void describe(Visitor& v);
};

struct BulkView {
  static constexpr std::string_view kTypeName = "BulkResult";
  std::vector<BulkGroup> results;
  uint64_t done = 0;
  uint64_t unchanged = 0;  ///< of those
  uint64_t failed = 0;
  bool dry_run = false;
  void describe(Visitor& v);
};

/// Gathers per-node outcomes and folds equal ones. Problems that differ by nothing but the node's
/// own name are equal. Any thread, one at a time.
class BulkResult {
 public:
  /// Each node is named once, by one of these.
  void done(std::string_view node, int status = 200);
  /// Done: it was so already.
  void unchanged(std::string_view node);
  void failed(std::string_view node, const Error& error);
  [[nodiscard]] uint64_t count_failed() const { return failed_; }
  /// Groups: those that failed first, then the biggest first, then by the first node's name.
  [[nodiscard]] BulkView view(bool dry_run = false) const;

 private:
  struct Group {
    int status = 200;
    bool unchanged = false;
    std::optional<ProblemDocument> problem;  ///< as it was for the first node
    std::vector<std::string> nodes;
  };
  uint64_t done_ = 0;
  uint64_t unchanged_ = 0;
  uint64_t failed_ = 0;
  std::map<std::string, Group> groups_;  ///< by what makes them equal
};

/// Status of the whole answer: 200 when all nodes are done, otherwise 207 (RFC 4918 section 11.1),
/// the body says which.
int http_status(const BulkView& view);

}  // namespace drover::api
