#include "api/smd/lock_book.hpp"

#include "cluster/bmc/component.hpp"
#include "cluster/mutations.hpp"

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

using cluster::ComponentLock;

constexpr Reason kDone = nullptr;
constexpr Reason kNotFound = "NotFound";
constexpr Reason kLocked = "Locked";
constexpr Reason kUnlocked = "Unlocked";
constexpr Reason kDisabled = "Disabled";
constexpr Reason kReserved = "Reserved";

/// Without saying how much of a key was right.
bool same_key(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned differs = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    differs |=
        static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]));
  }
  return differs == 0;
}

}  // namespace

void Reservation::describe(Visitor& v) {
  v.field("xname", xname, "The component.");
  v.field("deputy_key", deputy_key, "What its holder shows to others.");
  v.field("key", key, "What its holder keeps.");
  v.field("created", created, "When it was made.", Presence::optional);
  v.field("expires", expires, "When it ends; null: it does not.", Presence::optional);
  v.field("holder", holder, "The operation that made it.", Presence::optional);
}

Result<LockBook::State> LockBook::state(const Lockable& what) {
  State out;
  DROVER_TRY(const auto stored, tx_.get(cluster::kComponentLockKind, what.xname));
  if (stored) {
    DROVER_TRY(const auto lock, decode_text<ComponentLock>(stored->body, Unknown::ignore));
    out = {lock.locked, lock.no_reservations};
  }
  if (what.node.empty()) return out;
  DROVER_TRY(const cluster::Node node, cluster::read_node(tx_, what.node));
  out.locked = node.locked;
  return out;
}

Status LockBook::set(const Lockable& what, const State& state) {
  ComponentLock lock{what.xname, state.locked, state.disabled};
  if (!what.node.empty()) {
    DROVER_TRY(cluster::Node node, cluster::read_node(tx_, what.node));
    if (node.locked != state.locked) {
      node.locked = state.locked;
      DROVER_CHECK_OK(cluster::write_node(tx_, node));
    }
    lock.locked = false;
  }
  if (!lock.locked && !lock.no_reservations) {
    DROVER_CHECK_OK(tx_.erase(cluster::kComponentLockKind, what.xname));
    return {};
  }
  DROVER_CHECK_OK(tx_.put(cluster::kComponentLockKind, what.xname, encode(lock)));
  return {};
}

Status LockBook::keep(const Reservation& reservation) {
  return tx_.put_quiet(kReservationKind, reservation.xname, encode(reservation));
}

Result<std::optional<Reservation>> LockBook::reservation(const std::string& xname) {
  DROVER_TRY(const auto stored, tx_.get(kReservationKind, xname));
  if (!stored) return std::optional<Reservation>();
  DROVER_TRY(Reservation out, decode_text<Reservation>(stored->body, Unknown::ignore));
  const bool over = out.expires != WallTime{} && out.expires <= from_unix_ms(tx_.time_ms());
  return over ? std::nullopt : std::optional(std::move(out));
}

Result<Reason> LockBook::act(const Lockable& what, LockAct act) {
  if (!what.known) return kNotFound;
  DROVER_TRY(State now, state(what));
  DROVER_TRY(const auto held, reservation(what.xname));
  switch (act) {
    case LockAct::lock:
      if (now.locked) return kLocked;
      if (held) return kReserved;
      now.locked = true;
      break;
    case LockAct::unlock:
      if (!now.locked) return kUnlocked;
      if (held) return kReserved;
      now.locked = false;
      break;
    case LockAct::disable:
      if (now.disabled) return kDisabled;
      // Who may not be reserved is not: what was reserved is let go.
      if (held) DROVER_CHECK_OK(tx_.erase_quiet(kReservationKind, what.xname));
      now.disabled = true;
      break;
    case LockAct::repair:
      now.disabled = false;
      break;
  }
  DROVER_CHECK_OK(set(what, now));
  return kDone;
}

Result<Reason> LockBook::reserve(const Lockable& what, int64_t minutes, Reservation& made) {
  if (!what.known) return kNotFound;
  DROVER_TRY(const State now, state(what));
  if (now.disabled) return kDisabled;
  if (minutes > 0 && now.locked) return kLocked;
  if (minutes == 0 && !now.locked) return kUnlocked;
  DROVER_TRY(const auto held, reservation(what.xname));
  if (held) return kReserved;
  const size_t half = what.random.size() / 2;
  made.xname = what.xname;
  made.deputy_key = fmt::format("{}:dk:{}", what.xname, what.random.substr(0, half));
  made.key = fmt::format("{}:rk:{}", what.xname, what.random.substr(half));
  made.created = from_unix_ms(tx_.time_ms());
  if (minutes > 0) made.expires = made.created + std::chrono::minutes(minutes);
  DROVER_CHECK_OK(keep(made));
  return kDone;
}

Result<Reason> LockBook::release(const std::string& xname, std::string_view key) {
  DROVER_TRY(const auto held, reservation(xname));
  if (!held || (!key.empty() && !same_key(held->key, key))) return kNotFound;
  DROVER_CHECK_OK(tx_.erase_quiet(kReservationKind, xname));
  return kDone;
}

Result<Reason> LockBook::renew(const std::string& xname, std::string_view key, int64_t minutes) {
  DROVER_TRY(auto held, reservation(xname));
  const bool fits = held && held->expires != WallTime{} && same_key(held->key, key);
  if (!fits) return kNotFound;
  held->expires = from_unix_ms(tx_.time_ms()) + std::chrono::minutes(minutes);
  DROVER_CHECK_OK(keep(*held));
  return kDone;
}

Result<Reason> LockBook::check(const std::string& xname, std::string_view deputy,
                               Reservation& found) {
  DROVER_TRY(const auto held, reservation(xname));
  if (!held || !same_key(held->deputy_key, deputy)) return kNotFound;
  found = *held;
  return kDone;
}

}  // namespace drover::api::smd
