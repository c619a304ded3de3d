// The dynamic addresses: who holds which until when. In memory, with every change told to a journal
// that makes it last. Pure: times come in, nothing waits. One thread.
#pragma once

#include "base/clock.hpp"
#include "boot/wire/address.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace drover::boot::dhcp {

/// What an address of a pool is to the book.
enum class LeaseState : uint8_t {
  offered,      ///< held for a client that was offered it; never journaled
  leased,       ///< a client has it until `until`
  free,         ///< nobody has it; `client` had it last and gets it again if it can
  quarantined,  ///< somebody else was seen using it; nobody gets it until `until`
};
std::string_view name(LeaseState state);

/// One address as the book knows it; also the record of the journal and of a snapshot.
struct Lease {
  Ipv4 address;
  LeaseState state = LeaseState::free;
  std::string client;  ///< client_key(): opaque bytes; empty when no client is remembered
  std::string name;    ///< what the client calls itself or is called, for people
  WallTime since;      ///< when the state began or, of a lease, was last confirmed
  WallTime until;      ///< when it ends; of `free`: when it became so
  bool operator==(const Lease&) const = default;
};

/// Makes changes last. The book calls it at once for each change; what the book answers must not
/// reach a client before the record is safe, which the caller sees to (LeaseBook::records()).
class LeaseJournal {
 public:
  LeaseJournal() = default;
  LeaseJournal(const LeaseJournal&) = delete;
  LeaseJournal& operator=(const LeaseJournal&) = delete;
  virtual ~LeaseJournal() = default;
  /// The state of one address from now on; replaces what was said of that address before.
  virtual void append(const Lease& lease) = 0;
};

/// A run of addresses that one subnet's unknown or floating machines share; both ends belong to it.
struct Pool {
  Ipv4 first;
  Ipv4 last;
};

/// The key of a client in the book: its hardware address, so that firmware, loader and system of
/// one machine, which send different client identifiers, get one address; the identifier only where
/// there is no hardware address.
std::string client_key(const HardwareAddress& hardware, std::string_view client_id);

/// The book of all pools. Costs grow with the logarithm of the addresses in use, memory with the
/// addresses ever used; a flood of made-up clients cannot fill more than the pools.
class LeaseBook {
 public:
  struct Times {
    Duration offer = std::chrono::seconds(30);       ///< an offer is held so long for its client
    Duration quarantine = std::chrono::minutes(30);  ///< an address in conflict rests so long
  };

  /// `journal` must outlive the book. Pools must not overlap; one whose ends are reversed is empty.
  LeaseBook(const std::vector<Pool>& pools, Times times, LeaseJournal& journal);

  /// An address for `client` out of pool `pool`, held for it until Times::offer has passed: the one
  /// it has or had last, else `wanted` where that is free, else one that nobody had yet, else the
  /// one free the longest. Nothing when all are taken.
  std::optional<Ipv4> offer(size_t pool, std::string_view client, Ipv4 wanted, WallTime now);

  /// Gives `client` the address until now + `length`: after an offer, again, or straight from free.
  /// False, and nothing changed, when another has it, it rests, is reserved or is in no pool.
  bool grant(std::string_view client, Ipv4 address, std::string_view name, Duration length,
             WallTime now);

  /// The client gives its address back, or took another server's offer. False when it had none
  /// there.
  bool release(std::string_view client, Ipv4 address, WallTime now);

  /// Somebody unknown uses `address` (a DECLINE, an answer to a probe): it rests for a while.
  /// With `client`, only when that client held it. False when the book does not deal it out.
  bool conflict(Ipv4 address, std::optional<std::string_view> client, WallTime now);

  /// What the client has or is offered in `pool`, if it still holds.
  [[nodiscard]] const Lease* held(size_t pool, std::string_view client, WallTime now) const;
  /// What is known of an address; nothing for one never used.
  [[nodiscard]] const Lease* find(Ipv4 address) const;

  /// Fixes or frees an address for a machine of the model: a reserved one is never dealt out. A
  /// lease on it ends by itself, but is not renewed.
  void set_reserved(Ipv4 address, bool reserved);

  /// Ends what is over; offer() and grant() do so themselves, so this is for the sake of lists and
  /// of the journal. Returns how many ended.
  size_t expire(WallTime now);

  /// How many records the journal was given so far.
  [[nodiscard]] uint64_t records() const { return records_; }
  /// Addresses leased or offered now.
  [[nodiscard]] size_t in_use() const { return ending_.size(); }
  /// Every address ever used, by address: a snapshot for the journal, and lists.
  [[nodiscard]] std::vector<Lease> snapshot() const;
  /// Puts a record of a journal or snapshot back, the latest of an address last. Not journaled;
  /// records of addresses that are in no pool any more are dropped (false).
  bool restore(Lease lease);

 private:
  struct PoolState {
    Pool range;
    uint64_t fresh = 0;  ///< the lowest address never dealt out; beyond `last` when none is left
    std::set<std::pair<WallTime, Ipv4>> free;  ///< remembered, by how long they have been free
    std::unordered_map<std::string, Ipv4> by_client;
  };

  [[nodiscard]] std::optional<size_t> pool_of(Ipv4 address) const;
  [[nodiscard]] bool is_free(Ipv4 address) const;
  std::optional<Ipv4> choose(PoolState& pool, const std::string& client, Ipv4 wanted);
  /// Moves the address to a new state in every index.
  const Lease& put(PoolState& pool, Lease lease);
  void forget(PoolState& pool, const Lease& lease);
  void journal(const Lease& lease);

  std::vector<PoolState> pools_;
  Times times_;
  LeaseJournal& journal_;
  std::unordered_map<uint32_t, Lease> leases_;
  std::unordered_set<uint32_t> reserved_;
  std::set<std::pair<WallTime, Ipv4>> ending_;  ///< offered, leased and quarantined, by end
  uint64_t records_ = 0;
};

}  // namespace drover::boot::dhcp
