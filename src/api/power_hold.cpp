#include "api/power_hold.hpp"

#include "api/smd/lock_book.hpp"
#include "net/sha256.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

Error reserved(const smd::Reservation& held, bool with_deputy) {
  std::string text =
      with_deputy ? "the deputy key is not the one, and it is reserved" : "it is reserved";
  if (!held.holder.empty()) text += fmt::format(" by the operation {}", held.holder);
  if (held.expires != WallTime{}) text += fmt::format(" until {}", to_rfc3339(held.expires));
  return {Code::conflict, std::move(text), {}, "wait for its end, or show its deputy key"};
}

}  // namespace

Status hold_power(store::Transaction& tx, const PowerHold& hold) {
  smd::LockBook book(tx);
  const smd::Lockable what{hold.xname, hold.node, true, {}};
  DROVER_TRY(const auto held, book.reservation(hold.xname));
  const bool ours = held && held->holder == hold.operation;
  if (held && !ours && !hold.deputy.empty() && net::sha256_hex(held->deputy_key) == hold.deputy) {
    return {};
  }
  if (hold.force) return {};
  DROVER_TRY(const smd::LockBook::State state, book.state(what));
  if (state.locked) {
    return fail(Code::conflict, "it is locked",
                fmt::format("drover node set {} locked=false", hold.node));
  }
  if (state.disabled) {
    return fail(Code::conflict, "nobody may reserve it, so nobody may change its power",
                "POST /hsm/v2/locks/repair, or --force");
  }
  if (held && !ours) return tl::unexpected(reserved(*held, !hold.deputy.empty()));
  const size_t half = hold.random.size() / 2;
  smd::Reservation made;
  made.xname = hold.xname;
  made.deputy_key = fmt::format("{}:dk:{}", hold.xname, hold.random.substr(0, half));
  made.key = fmt::format("{}:rk:{}", hold.xname, hold.random.substr(half));
  made.created = from_unix_ms(tx.time_ms());
  made.expires = made.created + hold.longest;
  made.holder = hold.operation;
  return book.keep(made);
}

Status release_power(store::Transaction& tx, const std::string& xname,
                     const std::string& operation) {
  smd::LockBook book(tx);
  DROVER_TRY(const auto held, book.reservation(xname));
  if (!held || held->holder != operation) return {};
  DROVER_CHECK_OK(tx.erase_quiet(smd::kReservationKind, xname));
  return {};
}

}  // namespace drover::api
