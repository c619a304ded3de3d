#include "auth/enrolment_rules.hpp"

#include "auth/keys.hpp"
#include "base/text.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace drover::auth {
namespace {

constexpr std::string_view kNewToken = "ask an administrator for 'drover token create'";
constexpr Duration kKeepExpired = std::chrono::hours(24);

template <typename T>
Result<std::optional<T>> read(store::Transaction& tx, std::string_view kind, std::string_view key) {
  DROVER_TRY(const auto object, tx.get(kind, key));
  if (!object) return std::optional<T>();
  auto value = decode_text<T>(object->body, Unknown::ignore);
  if (!value) {
    return fail(Code::corrupt,
                fmt::format("{} '{}' in the store: {}", kind, key, value.error().text()));
  }
  return std::optional<T>(std::move(*value));
}

tl::unexpected<Error> refuse(std::string why) {
  return fail(Code::denied, std::move(why), std::string(kNewToken));
}

}  // namespace

Result<std::optional<TokenRecord>> read_token(store::Transaction& tx, std::string_view id) {
  return read<TokenRecord>(tx, kTokenKind, id);
}

Result<std::optional<Credential>> read_credential(store::Transaction& tx, std::string_view role,
                                                  std::string_view name) {
  return read<Credential>(tx, kCredentialKind, credential_key(role, name));
}

Status write_token(store::Transaction& tx, const TokenRecord& token) {
  DROVER_CHECK_OK(tx.put(kTokenKind, token.id, encode(token)));
  return {};
}

Status write_credential(store::Transaction& tx, const Credential& credential) {
  DROVER_CHECK_OK(tx.put(kCredentialKind, credential_key(credential.role, credential.name),
                         encode(credential)));
  return {};
}

Status check_token(
    const std::optional<TokenRecord>& token, const JoinToken& shown, std::string_view role,
    std::string_view name, WallTime now,
    Callback<Result<bool>(const std::string& names, std::string_view name)>& covers) {
  // One answer for a wrong id and a wrong secret: ids may be guessed from lists and logs.
  if (!token || !equal_in_constant_time(token->secret_sha256, sha256_hex(shown.secret))) {
    return fail(Code::unauthenticated,
                fmt::format("there is no such join token '{}' here: it was revoked, expired long "
                            "ago, or its secret is wrong",
                            shown.id),
                std::string(kNewToken));
  }
  if (now >= token->expires) {
    return refuse(fmt::format("token {} expired at {}", token->id, to_rfc3339(token->expires)));
  }
  if (role != token->role) {
    return refuse(fmt::format("token {} is for role {}, not for {}", token->id, token->role,
                              printable(role)));
  }
  if (token->names.empty()) return {};
  DROVER_TRY(const bool covered, covers(token->names, name));
  if (covered) return {};
  return refuse(
      fmt::format("token {} is for {}, not for '{}'", token->id, token->names, printable(name)));
}

bool is_repeat(const TokenRecord& token, const std::optional<Credential>& credential,
               std::string_view key_sha256) {
  return credential && credential->token == token.id && credential->key_sha256 == key_sha256 &&
         !credential->revoked;
}

Status check_use(const TokenRecord& token, const std::optional<Credential>& credential,
                 std::string_view key_sha256) {
  if (token.uses_left == 0) {
    return refuse(fmt::format("token {} is already used", token.id));
  }
  if (!credential || token.replace) return {};
  if (credential->revoked) {
    return fail(
        Code::denied,
        fmt::format("{} {} was revoked by {} at {}: {}", credential->role, credential->name,
                    credential->revoked_by, to_rfc3339(credential->revoked_at), credential->why),
        "make the token with 'drover token create --replace' to let it in again");
  }
  if (credential->key_sha256 == key_sha256) return {};
  return fail(Code::conflict,
              fmt::format("{} {} joined at {} with another key", credential->role, credential->name,
                          to_rfc3339(credential->enrolled)),
              "if that host is gone, make the token with 'drover token create --replace'");
}

Status check_credential(const Credential& credential, const ProvenKey& proven) {
  if (credential.revoked) {
    return fail(
        Code::denied,
        fmt::format("{} {} was revoked by {} at {}: {}", credential.role, credential.name,
                    credential.revoked_by, to_rfc3339(credential.revoked_at), credential.why),
        "let it join again with a token made by 'drover token create --replace'");
  }
  if (proven.sha256.empty() || proven.sha256 == credential.key_sha256 ||
      proven.sha256 == credential.previous_key_sha256) {
    return {};
  }
  const bool retired = std::ranges::find(credential.retired, proven.sha256,
                                         &RetiredKey::key_sha256) != credential.retired.end();
  if (!retired && proven.expires > credential.expires) return {};
  return fail(Code::denied,
              fmt::format("{} {} holds another key since {}", credential.role, credential.name,
                          to_rfc3339(credential.enrolled)),
              "stop the other daemon of this name, or give this one another name");
}

std::vector<RetiredKey> retired_after(const Credential& known, std::string_view fresh_key,
                                      WallTime now) {
  std::vector<RetiredKey> out = known.retired;
  if (known.key_sha256 != fresh_key) {
    out.push_back({known.key_sha256, known.expires});
    const bool has_previous =
        !known.previous_key_sha256.empty() && known.previous_key_sha256 != known.key_sha256;
    // A certificate of the key before lives no longer than the one that replaced it.
    if (has_previous) out.push_back({known.previous_key_sha256, known.expires});
  }
  std::erase_if(out, [&](const RetiredKey& key) {
    return key.expires <= now || key.key_sha256 == fresh_key;
  });
  return out;
}

Status sweep_tokens(store::Transaction& tx, WallTime now) {
  DROVER_TRY(const auto objects, tx.list({.kind = std::string(kTokenKind)}));
  for (const store::Object& object : objects) {
    const auto token = decode_text<TokenRecord>(object.body, Unknown::ignore);
    if (!token || now < token->expires + kKeepExpired) continue;
    DROVER_CHECK_OK(tx.erase(kTokenKind, object.key));
  }
  return {};
}

}  // namespace drover::auth
