// What the cluster keeps to get into BMCs: passwords, sealed by the caller, and the keys that their
// certificates have shown. Bookkeeping of the store: in no log, feed or copy.
#pragma once

#include "base/clock.hpp"
#include "base/describe.hpp"
#include "base/result.hpp"
#include "store/store.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// Keys "default", "group/NAME" and "bmc/ADDRESS".
inline constexpr std::string_view kBmcCredentialKind = "bmc-credential";
/// Key "ADDRESS:PORT".
inline constexpr std::string_view kBmcKeyKind = "bmc-key";
inline constexpr size_t kMaxBmcCredentials = 20'000;
inline constexpr size_t kMaxBmcPassword = 256;  ///< bytes
inline constexpr size_t kMaxBmcUser = 63;       ///< bytes

enum class BmcScope : uint8_t { everywhere, group, bmc };
std::span<const std::string_view> enum_names(BmcScope);  ///< "default", "group", "bmc"

struct BmcCredential {
  static constexpr std::string_view kTypeName = "StoredBmcCredential";
  BmcScope scope = BmcScope::everywhere;
  std::string name;  ///< of the group, or the BMC's address; "default" for everywhere
  std::string user;
  std::string sealed;  ///< the password
  WallTime changed{};
  bool operator==(const BmcCredential&) const = default;
  void describe(Visitor& v);
};

/// "default", "group/rack1", "bmc/10.0.0.7": the store's key, and what passwords are sealed under.
std::string bmc_credential_key(BmcScope scope, std::string_view name);

/// Keeps it instead of what was there. `changed` is set here. invalid_argument for a name that does
/// not fit the scope or a bad user; not_found for a group that is not there.
Status set_bmc_credential(store::Transaction& tx, BmcCredential credential);
/// not_found when there is none.
Status unset_bmc_credential(store::Transaction& tx, BmcScope scope, std::string_view name);
/// All of them, in the order of their keys.
Result<std::vector<BmcCredential>> bmc_credentials(store::Transaction& tx);

/// The one for a BMC: its own, else that of the first of `groups` (strongest first) that has one,
/// else the default. A `user` that is not empty (the node's own) leaves out those of other users.
/// nullptr: there is none.
const BmcCredential* choose_bmc_credential(const std::vector<BmcCredential>& all,
                                           std::string_view address,
                                           const std::vector<std::string>& groups,
                                           std::string_view user);

/// The key that the BMC at "ADDRESS:PORT" has shown first; empty: none was seen.
Result<std::string> known_bmc_key(store::Transaction& tx, std::string_view at);
/// Remembers the first; one that is known already stays.
Status note_bmc_key(store::Transaction& tx, std::string_view at, std::string_view key);
/// For a BMC that was replaced: the next that it shows is the first again. not_found when none is
/// known.
Status forget_bmc_key(store::Transaction& tx, std::string_view at);

}  // namespace drover::cluster
