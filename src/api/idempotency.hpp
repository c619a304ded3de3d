// Idempotency keys: the same request under the same key gets the first answer again for a day;
// another request under that key is a conflict. Keys belong to their principal.
#pragma once

#include "api/request.hpp"
#include "api/services.hpp"
#include "store/store.hpp"

#include <memory>
#include <string>

namespace drover::api {

/// Kind of the bookkeeping objects; key: a hash of principal and Idempotency-Key.
inline constexpr std::string_view kIdempotencyKind = "idempotency";
inline constexpr Duration kIdempotencyKept = std::chrono::hours(24);

/// A JSON answer as it is kept.
struct Reply {
  int status = 200;
  std::string body;
  std::string etag;           ///< empty: none
  std::string location = {};  ///< path of what was made; empty: none
};

/// Runs `effect` as one store mutation with the request's actor; what it returns is the answer.
/// With a key, the answer is kept in the same transaction, so the effect and its answer are there
/// together or not at all. Errors are answered and not kept: the request may be tried again under
/// its key.
void mutate(Services& services, const RequestPtr& request,
            Callback<Result<Reply>(store::Transaction&)> effect);

/// Runs `effect` as mutate() does and then undoes it: what would happen. Keys do not count.
void rehearse(Services& services, const RequestPtr& request,
              Callback<Result<Reply>(store::Transaction&)> effect);

/// For effects outside one mutation of ours that are safe to repeat. With a key: notes the request,
/// then calls `effect`, which answers through `finish` (once), and keeps that answer. A request
/// that is noted without an answer (its master died) is run again.
using Finish = Callback<void(Result<Reply>)>;
void once(Services& services, const RequestPtr& request, Callback<void(Finish)> effect);

/// For effects whose answer must not be kept (it holds a secret): notes the request, then runs
/// `effect`, which answers by itself. The same request under the same key is then a conflict for a
/// day.
void note_once(Services& services, const RequestPtr& request, Callback<void()> effect);

/// Erases answers older than kIdempotencyKept. For a timer of the master's, each hour or so.
void sweep_idempotency(store::Store& store);

}  // namespace drover::api
