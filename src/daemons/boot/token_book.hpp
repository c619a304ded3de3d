// The boot tokens that this daemon has given out: each for one machine, one boot, once.
#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"

#include <algorithm>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace drover::daemons {

/// What a token stands for.
struct BootTicket {
  std::string node;
  std::string mac;  ///< of the interface that it boots by
  /// That it was given out to, and the node's own: it counts from these alone.
  std::vector<std::string> addresses;
  MonoTime expires{};
  std::string enrolled_key;   ///< SHA-256 of the request it was used with; empty: not used yet
  bool told_secrets = false;  ///< they are given once
};

/// In memory: a daemon that restarts has forgotten them, and machines that were on their way ask
/// for a new script. One thread.
class TokenBook {
 public:
  /// A machine has so long from its script to its last use of the token: the largest image over the
  /// slowest link, and every retry.
  static constexpr Duration kLife = std::chrono::minutes(30);
  /// Scripts asked for again by the same machine: the newest tokens of a node that count.
  static constexpr size_t kMostOfANode = 4;

  TokenBook(Clock& clock, Random& random) : clock_(clock), random_(random) {}

  /// A token that stands for nothing yet: 32 characters of base32, 160 bits.
  std::string draw();
  /// It stands for this machine from now on.
  void give(const std::string& token, std::string node, std::string mac,
            std::vector<std::string> addresses);
  /// What the token stands for; unauthenticated when it is unknown or has expired, denied when it
  /// comes from another address.
  Result<const BootTicket*> check(std::string_view token, std::string_view address);
  /// Whose it is, from wherever it comes; empty: unknown or expired.
  [[nodiscard]] std::string node_of(std::string_view token);
  /// Uses a token that was checked for an enrolment with this request: once, or again with the same
  /// (the answer may have been lost). denied otherwise.
  Status use(std::string_view token, std::string_view request_sha256);
  /// Takes the one right of a token to its node's secrets; errors of check(), and denied when it
  /// was taken before.
  Result<const BootTicket*> take_secrets(std::string_view token, std::string_view address);
  /// Gives it back: nothing was told.
  void return_secrets(std::string_view token);
  /// Tokens that are remembered.
  [[nodiscard]] size_t size() const { return std::max(tickets_.size(), ending_.size()); }

 private:
  /// All live for as long, so they end in the order in which they were given.
  using Ending = std::list<std::string>;
  struct Held {
    BootTicket ticket;
    Ending::iterator place;
  };

  void sweep();

  Clock& clock_;
  Random& random_;
  std::unordered_map<std::string, Held> tickets_;  ///< by token; lookup only
  Ending ending_;                                  ///< every token of tickets_, the oldest first
  std::unordered_map<std::string, std::vector<std::string>>
      of_node_;  ///< oldest first; lookup only
};

}  // namespace drover::daemons
