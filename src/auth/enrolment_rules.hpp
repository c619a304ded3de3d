// The rules of enrolment as they run inside one store transaction. For enrolment.cpp and its tests.
#pragma once

#include "auth/authority.hpp"
#include "auth/enrolment_records.hpp"
#include "auth/join_token.hpp"
#include "base/callback.hpp"
#include "base/result.hpp"
#include "store/store.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace drover::auth {

Result<std::optional<TokenRecord>> read_token(store::Transaction& tx, std::string_view id);
Result<std::optional<Credential>> read_credential(store::Transaction& tx, std::string_view role,
                                                  std::string_view name);
Status write_token(store::Transaction& tx, const TokenRecord& token);
Status write_credential(store::Transaction& tx, const Credential& credential);

/// Whether the token lets `role`/`name` in at `now`, uses left aside. `covers` says whether a
/// noderange holds a name.
Status check_token(const std::optional<TokenRecord>& token, const JoinToken& shown,
                   std::string_view role, std::string_view name, WallTime now,
                   Callback<Result<bool>(const std::string& names, std::string_view name)>& covers);

/// Whether this is the request again whose answer was lost.
bool is_repeat(const TokenRecord& token, const std::optional<Credential>& credential,
               std::string_view key_sha256);

/// Whether a use is left and the name is free for this key.
Status check_use(const TokenRecord& token, const std::optional<Credential>& credential,
                 std::string_view key_sha256);

/// denied for a revoked daemon, or when `proven_key` is neither empty nor one of its keys.
Status check_credential(const Credential& credential, std::string_view proven_key);

/// Erases tokens that expired more than a day before `now`.
Status sweep_tokens(store::Transaction& tx, WallTime now);

}  // namespace drover::auth
