// Looking into the audit: which records, and a page of them, newest first. Pure.
#pragma once

#include "auth/audit.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::auth {

inline constexpr size_t kMostAuditRecords = 10'000;

/// Records that fit everything that is set.
struct AuditQuery {
  std::string principal = {};          ///< pattern with * for any text; empty: all
  std::string outcome = {};            ///< done, refused or failed; empty: all
  std::string method = {};             ///< HTTP method; empty: all
  std::string target = {};             ///< anywhere in the path and query; empty: all
  std::string address = {};            ///< how the address begins, "10.0.0."; empty: all
  std::optional<WallTime> since = {};  ///< at or after
  std::optional<WallTime> until = {};  ///< before
  std::string page = {};               ///< AuditPage::next of the page before
  size_t limit = 1000;                 ///< 1 to kMostAuditRecords
};

struct AuditPage {
  std::vector<AuditRecord> records;  ///< newest first
  std::string next;                  ///< where the next page begins; empty: nothing follows
};

/// Takes records one by one, newest first, until it has a page.
class AuditReader {
 public:
  /// invalid_argument for a page that none of ours had, or a limit out of range.
  static Result<AuditReader> make(AuditQuery query);
  /// One line of the file. False: enough was seen, older lines cannot matter. A line that cannot be
  /// read (half of one after a crash) is passed over.
  bool take(std::string_view line);
  [[nodiscard]] AuditPage page() &&;

 private:
  explicit AuditReader(AuditQuery query) : query_(std::move(query)) {}
  [[nodiscard]] bool fits(const AuditRecord& record) const;

  AuditQuery query_;
  AuditPage page_;
  std::optional<int64_t> from_ms_;  ///< of a page: records of this millisecond ..
  size_t skip_ = 0;                 ///< .. but the first so many
  int64_t last_ms_ = 0;             ///< of the last record taken
  size_t at_last_ms_ = 0;           ///< records that fit in that millisecond so far
};

}  // namespace drover::auth
