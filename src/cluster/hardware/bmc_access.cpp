#include "cluster/hardware/bmc_access.hpp"

#include "cluster/field_rules.hpp"
#include "cluster/group.hpp"
#include "cluster/names.hpp"
#include "cluster/net_address.hpp"

#include <array>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

constexpr std::array<std::string_view, 3> kScopeNames{"default", "group", "bmc"};

struct BmcKey {
  static constexpr std::string_view kTypeName = "BmcKey";
  std::string key;
  WallTime seen{};
  void describe(Visitor& v) {
    v.field("key", key, "SHA-256 of the public key.");
    v.field("seen", seen, "When it was seen first.");
  }
};

Status check_name(store::Transaction& tx, const BmcCredential& credential) {
  if (credential.scope == BmcScope::everywhere) {
    if (credential.name == "default") return {};
    return bad_field("name", credential.name, "expected default");
  }
  if (credential.scope == BmcScope::bmc) {
    if (canonical_address(credential.name) == credential.name &&
        credential.name.find('/') == std::string::npos) {
      return {};
    }
    if (check_node_name(credential.name)) return {};
    return bad_field("name", credential.name,
                     "expected the BMC's address as its nodes have it: a host name in lower case "
                     "or an IP address");
  }
  DROVER_CHECK_OK(check_set_name("name", credential.name));
  DROVER_TRY(const auto group, tx.get(kGroupKind, credential.name));
  if (group) return {};
  return fail(Code::not_found, fmt::format("there is no group '{}'", credential.name),
              "drover group list shows all of them");
}

Error no_credential(BmcScope scope, std::string_view name) {
  return {Code::not_found,
          fmt::format("no password is kept for {}", bmc_credential_key(scope, name)),
          {},
          "drover power credentials shows what there is"};
}

}  // namespace

std::span<const std::string_view> enum_names(BmcScope) {
  return kScopeNames;
}

void BmcCredential::describe(Visitor& v) {
  v.field("scope", scope, "For whom it is.");
  v.field("name", name, "The group or BMC.");
  v.field("user", user, "Account on the BMC.");
  v.field("sealed", sealed, "The password, sealed.");
  v.field("changed", changed, "When it was set.");
}

std::string bmc_credential_key(BmcScope scope, std::string_view name) {
  if (scope == BmcScope::everywhere) return "default";
  return fmt::format("{}/{}", enum_name(scope), name);
}

Status set_bmc_credential(store::Transaction& tx, BmcCredential credential) {
  DROVER_CHECK_OK(check_name(tx, credential));
  if (credential.user.empty()) return bad_field("user", "", "expected the account on the BMC");
  DROVER_CHECK_OK(check_plain_text("user", credential.user, kMaxBmcUser));
  credential.changed = from_unix_ms(tx.time_ms());
  return tx.put_quiet(kBmcCredentialKind, bmc_credential_key(credential.scope, credential.name),
                      encode(credential));
}

Status unset_bmc_credential(store::Transaction& tx, BmcScope scope, std::string_view name) {
  DROVER_TRY(const bool there, tx.erase_quiet(kBmcCredentialKind, bmc_credential_key(scope, name)));
  if (!there) return tl::unexpected<Error>(no_credential(scope, name));
  return {};
}

Result<std::vector<BmcCredential>> bmc_credentials(store::Transaction& tx) {
  DROVER_TRY(const auto objects, tx.list({.kind = std::string(kBmcCredentialKind)}));
  std::vector<BmcCredential> all;
  for (const store::Object& object : objects) {
    if (all.size() >= kMaxBmcCredentials) break;
    DROVER_TRY(auto credential, decode_text<BmcCredential>(object.body, Unknown::ignore));
    all.push_back(std::move(credential));
  }
  return all;
}

const BmcCredential* choose_bmc_credential(const std::vector<BmcCredential>& all,
                                           std::string_view address,
                                           const std::vector<std::string>& groups,
                                           std::string_view user) {
  const auto find = [&](BmcScope scope, std::string_view name) -> const BmcCredential* {
    for (const BmcCredential& credential : all) {
      const bool same =
          credential.scope == scope && (scope == BmcScope::everywhere || credential.name == name);
      if (same && (user.empty() || credential.user == user)) return &credential;
    }
    return nullptr;
  };
  if (const auto* own = find(BmcScope::bmc, address)) return own;
  for (const std::string& group : groups) {
    if (const auto* shared = find(BmcScope::group, group)) return shared;
  }
  return find(BmcScope::everywhere, "");
}

Result<std::string> known_bmc_key(store::Transaction& tx, std::string_view at) {
  DROVER_TRY(const auto object, tx.get(kBmcKeyKind, at));
  if (!object) return std::string();
  DROVER_TRY(auto known, decode_text<BmcKey>(object->body, Unknown::ignore));
  return std::move(known.key);
}

Status note_bmc_key(store::Transaction& tx, std::string_view at, std::string_view key) {
  DROVER_TRY(const std::string known, known_bmc_key(tx, at));
  if (!known.empty()) return {};
  return tx.put_quiet(kBmcKeyKind, at,
                      encode(BmcKey{std::string(key), from_unix_ms(tx.time_ms())}));
}

Status forget_bmc_key(store::Transaction& tx, std::string_view at) {
  DROVER_TRY(const bool there, tx.erase_quiet(kBmcKeyKind, at));
  if (there) return {};
  return fail(Code::not_found, fmt::format("no certificate of a BMC at '{}' is known", at),
              "write ADDRESS:PORT as in the message that refused it");
}

}  // namespace drover::cluster
