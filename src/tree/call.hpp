// A call as its caller sees it: what is asked of whom, and how each target ended.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drover::tree {

/// Largest payload of a call: leaves room for the targets in one frame.
inline constexpr size_t kMaxCallPayload = size_t{512} << 10;
/// Largest result of one node; a larger one ends as failed(too_large).
inline constexpr size_t kMaxCallResult = size_t{64} << 10;
/// Distinct results of one call together; what comes after ends as failed(too_large).
inline constexpr size_t kMaxCallResults = size_t{64} << 20;
/// Most targets of one call.
inline constexpr size_t kMaxCallTargets = 1'000'000;
inline constexpr Duration kMaxCallBudget = std::chrono::hours(24);

/// How a target ended: each ends in exactly one of these.
///  - unreached: the node did not answer because there was no way to it; the error says why, and
///    whether it may have got the call before the way broke.
///  - timed_out: it had the call and did not answer in time, or nobody can say more.
enum class Outcome : uint8_t { done, failed, unreached, timed_out };
inline constexpr size_t kOutcomes = 4;
std::string_view name(Outcome outcome);

/// What is asked of whom.
struct CallSpec {
  std::string id;       ///< idempotency key, 1..128 bytes: a node runs one id once
  std::string method;   ///< "ping", "inventory.collect" ..
  std::string payload;  ///< at most kMaxCallPayload
  Duration budget{};    ///< from the start to the last answer; over 0, at most kMaxCallBudget
  std::vector<std::string> targets;  ///< node names; those named twice count once
};

/// Targets that ended in the same way with the same bytes.
struct CallGroup {
  Outcome outcome = Outcome::done;
  std::string nodes;  ///< folded noderange
  size_t count = 0;
  std::string result;  ///< done
  Error error;         ///< otherwise: code and message
};

/// How many targets ended how.
struct CallTotals {
  std::array<size_t, kOutcomes> counts{};
  [[nodiscard]] size_t of(Outcome outcome) const { return counts.at(static_cast<size_t>(outcome)); }
  [[nodiscard]] size_t answered() const;
};

/// Groups, the biggest first, then by the first node's name.
struct CallReport {
  std::string id;
  std::vector<CallGroup> groups;
  CallTotals totals;   ///< of the call so far
  size_t targets = 0;  ///< how many were asked
};

}  // namespace drover::tree
