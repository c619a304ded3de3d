// Sealed values lie beside the definitions as bookkeeping, so that no log, feed or copy has them.
#include "cluster/content/mutations.hpp"

#include "base/describe.hpp"
#include "cluster/content/owner.hpp"
#include "cluster/group.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

struct Sealed {
  static constexpr std::string_view kTypeName = "SealedSecret";
  std::string sealed;
  void describe(Visitor& v) { v.field("sealed", sealed, "The value, sealed."); }
};

std::string secret_key(const std::string& owner, const std::string& secret) {
  return fmt::format("{}/{}", owner, secret);
}

/// What nobody owns would never reach a node.
Status check_owner(store::Transaction& tx, const std::string& name) {
  DROVER_TRY(const Owner owner, parse_owner("name", name));
  if (owner.kind == AttributeSource::group && is_built_in_group(owner.name)) return {};
  DROVER_TRY(const auto there, tx.get(owner.store_kind(), owner.name));
  if (there) return {};
  return fail(Code::not_found,
              fmt::format("there is no {} '{}'", enum_name(owner.kind), owner.name),
              fmt::format("drover {} list shows all of them", enum_name(owner.kind)));
}

template <Described T>
Result<std::optional<T>> read_content(store::Transaction& tx, std::string_view kind,
                                      const std::string& owner) {
  DROVER_TRY(const auto object, tx.get(kind, owner));
  if (!object) return std::nullopt;
  DROVER_TRY(T value, decode_text<T>(object->body, Unknown::ignore));
  return std::optional<T>(std::move(value));
}

template <Described T>
Status write_content(store::Transaction& tx, std::string_view kind, T value) {
  DROVER_CHECK_OK(normalise(value));
  DROVER_CHECK_OK(check_owner(tx, value.name));
  DROVER_CHECK_OK(tx.put(kind, value.name, encode(value)));
  return {};
}

template <Described T>
Status move_one(store::Transaction& tx, std::string_view kind, const std::string& from,
                const std::string& to) {
  DROVER_TRY(auto value, read_content<T>(tx, kind, from));
  if (!value) return {};
  DROVER_CHECK_OK(tx.erase(kind, from));
  if (to.empty()) return {};
  value->name = to;
  DROVER_CHECK_OK(tx.put(kind, to, encode(*value)));
  return {};
}

Status move_secrets(store::Transaction& tx, const std::string& from, const std::string& to) {
  const std::string prefix = secret_key(from, "");
  DROVER_TRY(const auto secrets,
             tx.list({.kind = std::string(kCloudInitSecretKind), .prefix = prefix}));
  for (const store::Object& secret : secrets) {
    if (!to.empty()) {
      DROVER_CHECK_OK(tx.put_quiet(kCloudInitSecretKind,
                                   secret_key(to, secret.key.substr(prefix.size())), secret.body));
    }
    DROVER_CHECK_OK(tx.erase_quiet(kCloudInitSecretKind, secret.key));
  }
  return {};
}

Status write_names(store::Transaction& tx, CloudInit definition) {
  definition.secrets_changed = from_unix_ms(tx.time_ms());
  return write_content(tx, kCloudInitKind, std::move(definition));
}

}  // namespace

Status put_content(store::Transaction& tx, CloudInit definition) {
  DROVER_TRY(const auto before, read_content<CloudInit>(tx, kCloudInitKind, definition.name));
  definition.secrets = before ? before->secrets : std::vector<std::string>();
  definition.secrets_changed = before ? before->secrets_changed : WallTime{};
  return write_content(tx, kCloudInitKind, std::move(definition));
}

Status put_content(store::Transaction& tx, StepList list) {
  return write_content(tx, kStepsKind, std::move(list));
}

Status put_content(store::Transaction& tx, Overlay overlay) {
  return write_content(tx, kOverlayKind, std::move(overlay));
}

Result<bool> erase_content(store::Transaction& tx, std::string_view kind,
                           const std::string& owner) {
  if (kind == kCloudInitKind) DROVER_CHECK_OK(move_secrets(tx, owner, ""));
  return tx.erase(kind, owner);
}

Status move_content(store::Transaction& tx, const std::string& from, const std::string& to) {
  DROVER_CHECK_OK(move_one<CloudInit>(tx, kCloudInitKind, from, to));
  DROVER_CHECK_OK(move_secrets(tx, from, to));
  DROVER_CHECK_OK(move_one<StepList>(tx, kStepsKind, from, to));
  return move_one<Overlay>(tx, kOverlayKind, from, to);
}

Status set_secret(store::Transaction& tx, const std::string& owner, const std::string& secret,
                  const std::string& sealed) {
  DROVER_CHECK_OK(check_secret_name(secret));
  DROVER_TRY(auto definition, read_content<CloudInit>(tx, kCloudInitKind, owner));
  if (!definition) {
    definition.emplace();
    definition->name = owner;
  }
  if (std::ranges::find(definition->secrets, secret) == definition->secrets.end()) {
    if (definition->secrets.size() >= kMaxSecrets) {
      return fail(Code::too_large, fmt::format("{} has {} secrets already", owner, kMaxSecrets));
    }
    definition->secrets.push_back(secret);
  }
  DROVER_CHECK_OK(write_names(tx, *std::move(definition)));
  return tx.put_quiet(kCloudInitSecretKind, secret_key(owner, secret), encode(Sealed{sealed}));
}

Status unset_secret(store::Transaction& tx, const std::string& owner, const std::string& secret) {
  DROVER_TRY(auto definition, read_content<CloudInit>(tx, kCloudInitKind, owner));
  if (!definition || std::erase(definition->secrets, secret) == 0) {
    return fail(Code::not_found, fmt::format("{} has no secret '{}'", owner, secret),
                "drover cloud-init list shows the names of all");
  }
  DROVER_CHECK_OK(write_names(tx, *std::move(definition)));
  DROVER_CHECK_OK(tx.erase_quiet(kCloudInitSecretKind, secret_key(owner, secret)));
  return {};
}

Result<std::string> read_secret(store::Transaction& tx, const std::string& owner,
                                const std::string& secret) {
  DROVER_TRY(const auto held,
             read_content<Sealed>(tx, kCloudInitSecretKind, secret_key(owner, secret)));
  if (held) return held->sealed;
  return fail(Code::not_found,
              fmt::format("the value of {}'s secret '{}' is not there", owner, secret));
}

}  // namespace drover::cluster
