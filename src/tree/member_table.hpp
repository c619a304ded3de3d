// The nodes that an aggregator knows and how it hears them: the facts that travel up as changes,
// and as digests after a reconnect, so that only differences are resent. Pure.
#pragma once

#include "base/clock.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace drover::tree {

enum class MemberState : uint8_t { lost = 0, secondary = 1, primary = 2 };
std::string_view name(MemberState state);

/// One node as one aggregator sees it.
struct MemberFacts {
  std::string node;
  std::string role;
  uint64_t incarnation = 0;
  uint64_t starts = 0;
  std::string boot_id;
  std::string version;
  std::string address;
  MemberState state = MemberState::lost;
  uint64_t path_epoch = 0;
  WallTime since{};  ///< of the last change of state
  std::string why;   ///< lost: the reason
  bool operator==(const MemberFacts&) const = default;
};

inline constexpr size_t kDigestBuckets = 64;
using MembersDigest = std::array<uint64_t, kDigestBuckets>;
/// The bucket that a node's facts are digested in; part of the protocol.
size_t digest_bucket(std::string_view node);

/// Facts by node with running digests. Used by the aggregator for its own table and by the master
/// for its copy of each aggregator's.
class MemberTable {
 public:
  /// True when something changed.
  bool put(const MemberFacts& facts);
  bool forget(const std::string& node);
  [[nodiscard]] const MemberFacts* find(const std::string& node) const;
  [[nodiscard]] const std::map<std::string, MemberFacts, std::less<>>& all() const {
    return members_;
  }
  [[nodiscard]] const MembersDigest& digest() const { return digest_; }
  /// Buckets whose digests differ.
  [[nodiscard]] std::vector<uint32_t> differing(const MembersDigest& other) const;

 private:
  std::map<std::string, MemberFacts, std::less<>> members_;
  MembersDigest digest_{};
};

}  // namespace drover::tree
