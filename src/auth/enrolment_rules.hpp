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
#include <vector>

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

/// denied for a revoked daemon, and when the key is neither empty nor one of its keys nor newer
/// than what is known of them: a certificate that lasts longer than the last one on record was
/// issued after the back-up that this store was restored from.
Status check_credential(const Credential& credential, const ProvenKey& proven);

/// The retired keys of a name once `fresh_key` takes it from `known`, those whose certificates have
/// ended left out.
std::vector<RetiredKey> retired_after(const Credential& known, std::string_view fresh_key,
                                      WallTime now);

/// Erases tokens that expired more than a day before `now`.
Status sweep_tokens(store::Transaction& tx, WallTime now);

}  // namespace drover::auth
