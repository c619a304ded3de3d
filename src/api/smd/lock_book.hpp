// Locks and reservations of components, as SMD's clients take them: what may be done is decided
// here, inside a store mutation. A lock of a node is the node's own; reservations are kept apart
// from the change log, since their keys are secrets.
#pragma once

#include "base/clock.hpp"
#include "base/describe.hpp"
#include "base/result.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api::smd {

/// Kind of the quiet objects with reservations; key: the xname.
inline constexpr std::string_view kReservationKind = "reservations";
/// Longest reservation by a service, in minutes.
inline constexpr int64_t kMostMinutes = 15;

struct Reservation {
  static constexpr std::string_view kTypeName = "Reservation";
  std::string xname;
  std::string deputy_key;
  std::string key;
  WallTime created{};
  WallTime expires{};  ///< zero: never, an administrator's
  std::string holder;  ///< id of the operation of ours that made it; empty: a client did
  void describe(Visitor& v);
};

/// A component and what is known of it outside the store's quiet part.
struct Lockable {
  std::string xname;
  std::string node;  ///< empty: it is no node
  bool known = false;
  std::string random;  ///< for its keys
};

enum class LockAct : uint8_t { lock, unlock, disable, repair };

/// Why it could not be done, in SMD's words; nullptr: it was.
using Reason = const char*;

class LockBook {
 public:
  explicit LockBook(store::Transaction& tx) : tx_(tx) {}

  Result<Reason> act(const Lockable& what, LockAct act);
  /// `minutes` 0: an administrator's, of what is locked; else a service's, of what is not.
  Result<Reason> reserve(const Lockable& what, int64_t minutes, Reservation& made);
  /// With its key; an empty one takes any reservation away.
  Result<Reason> release(const std::string& xname, std::string_view key);
  Result<Reason> renew(const std::string& xname, std::string_view key, int64_t minutes);
  /// Whether the deputy key is that of a reservation in force.
  Result<Reason> check(const std::string& xname, std::string_view deputy, Reservation& found);
  /// The one in force.
  Result<std::optional<Reservation>> reservation(const std::string& xname);

  struct State {
    bool locked = false;
    bool disabled = false;
  };
  Result<State> state(const Lockable& what);
  /// Keeps a reservation in place of any other.
  Status keep(const Reservation& reservation);

 private:
  Status set(const Lockable& what, const State& state);
  store::Transaction& tx_;
};

}  // namespace drover::api::smd
