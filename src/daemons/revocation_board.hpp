// Whom an aggregator refuses: the newest list that a master sent.
#pragma once

#include "auth/enrolment.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::daemons {

/// As a master has it.
struct RevocationList {
  uint64_t version = 0;  ///< grows with every change
  std::vector<auth::Revocation> entries;
};

/// The list as messages for an aggregator, each far below the frame limit; always at least one,
/// since an empty list is news too.
std::vector<std::string> encode_revocations(const RevocationList& list);

/// Executor's thread only.
class RevocationBoard {
 public:
  /// Takes one message of a master's process. True: a newer list is complete and in force. A list
  /// of an older version is dropped, and so is one whose beginning was not seen. A process that was
  /// not heard before is believed: versions count from the store, and it may have been restored
  /// from a back-up. invalid_argument for bytes that are no such message; corrupt when a list grows
  /// over the limit.
  Result<bool> take(const std::string& master, uint64_t incarnation, std::string_view payload);

  /// denied with the reason when this name, or this key of it, is on the list.
  [[nodiscard]] Status check(std::string_view role, const std::string& name,
                             std::string_view key_sha256) const;
  [[nodiscard]] uint64_t version() const { return version_; }
  [[nodiscard]] size_t size() const { return count_; }

 private:
  /// One list holds at most so many: a hundred times what a big site ever revoked.
  static constexpr size_t kMost = 1'000'000;
  /// By (role, name): key, empty for any, and why.
  using Entries = std::map<std::pair<std::string, std::string>,
                           std::vector<std::pair<std::string, std::string>>, std::less<>>;

  std::map<std::string, uint64_t> heard_;  ///< master to the process that spoke last
  uint64_t version_ = 0;
  size_t count_ = 0;
  Entries entries_;
  uint64_t coming_version_ = 0;  ///< 0: nothing under way
  size_t coming_count_ = 0;
  Entries coming_;
};

}  // namespace drover::daemons
