#include "api/idempotency.hpp"

#include "auth/assertion.hpp"

#include <optional>

#include <fmt/format.h>

namespace drover::api {
namespace {

constexpr std::string_view kReplayedHeader = "Idempotency-Replayed";

/// The stored form: what was asked, and the answer when there is one.
struct Kept {
  static constexpr std::string_view kTypeName = "IdempotentAnswer";
  std::string request_sha256;
  WallTime time{};
  bool finished = false;
  int32_t status = 0;
  std::string body;
  std::string etag;
  std::string location;
  void describe(Visitor& v) {
    v.field("request_sha256", request_sha256, "");
    v.field("time", time, "");
    v.field("finished", finished, "");
    v.field("status", status, "");
    v.field("body", body, "");
    v.field("etag", etag, "");
    v.field("location", location, "", Presence::optional);
  }
};

/// One keyed request. The key is empty when the request carries none.
struct Keyed {
  std::string object_key;
  std::string request_sha256;
};

Result<Keyed> keyed(const RequestPtr& request) {
  DROVER_TRY(const std::string key, request->idempotency_key());
  if (key.empty()) return Keyed{};
  const net::HttpRequest& http = request->http();
  return Keyed{auth::request_hash(request->actor(), key, ""),
               auth::request_hash(http.method, http.target, http.body)};
}

Result<std::optional<Kept>> read_kept(store::Transaction& tx, const Keyed& key) {
  if (key.object_key.empty()) return std::nullopt;
  DROVER_TRY(const auto object, tx.get(kIdempotencyKind, key.object_key));
  if (!object) return std::nullopt;
  DROVER_TRY(Kept kept, decode_text<Kept>(object->body, Unknown::ignore));
  if (from_unix_ms(tx.time_ms()) - kept.time > kIdempotencyKept) return std::nullopt;
  if (kept.request_sha256 != key.request_sha256) {
    return fail(Code::conflict,
                fmt::format("this {} was used for another request at {}", kIdempotencyHeader,
                            to_rfc3339(kept.time)),
                "use a new key for a new request");
  }
  return kept;
}

Status keep(store::Transaction& tx, const Keyed& key, const Reply* reply) {
  if (key.object_key.empty()) return {};
  Kept kept;
  kept.request_sha256 = key.request_sha256;
  kept.time = from_unix_ms(tx.time_ms());
  if (reply != nullptr) {
    kept.finished = true;
    kept.status = reply->status;
    kept.body = reply->body;
    kept.etag = reply->etag;
    kept.location = reply->location;
  }
  return tx.put_quiet(kIdempotencyKind, key.object_key, encode(kept));
}

void give(const RequestPtr& request, const Reply& reply, bool replayed) {
  net::HttpResponse response;
  response.status = reply.status;
  if (!reply.body.empty()) {
    response.headers.add("Content-Type", "application/json");
    response.body = reply.body + "\n";
  }
  if (!reply.etag.empty()) response.headers.add("ETag", reply.etag);
  if (!reply.location.empty()) response.headers.add("Location", reply.location);
  if (replayed) response.headers.add(std::string(kReplayedHeader), "true");
  request->respond(std::move(response));
}

struct Outcome {
  Reply reply;
  bool replayed = false;
};

Reply reply_of(const Kept& kept) {
  return {kept.status, kept.body, kept.etag, kept.location};
}

}  // namespace

void mutate(Services& services, const RequestPtr& request,
            Callback<Result<Reply>(store::Transaction&)> effect) {
  DROVER_OR_FAIL(request, Keyed key, keyed(request));
  const auto outcome = std::make_shared<Outcome>();
  services.store.write(
      request->author(),
      [key = std::move(key), effect = std::move(effect),
       outcome](store::Transaction& tx) mutable -> Status {
        DROVER_TRY(const auto kept, read_kept(tx, key));
        if (kept && kept->finished) {
          *outcome = {reply_of(*kept), true};
          return {};
        }
        DROVER_TRY(Reply reply, effect(tx));
        DROVER_CHECK_OK(keep(tx, key, &reply));
        *outcome = {std::move(reply), false};
        return {};
      },
      [request, outcome](const Result<store::Committed>& committed) {
        if (!committed) return request->fail(committed.error());
        give(request, outcome->reply, outcome->replayed);
      });
}

void rehearse(Services& services, const RequestPtr& request,
              Callback<Result<Reply>(store::Transaction&)> effect) {
  const auto outcome = std::make_shared<std::optional<Reply>>();
  services.store.write(
      request->actor(),
      [effect = std::move(effect), outcome](store::Transaction& tx) mutable -> Status {
        DROVER_TRY(*outcome, effect(tx));
        return fail(Code::cancelled, "undone: it was a rehearsal");
      },
      [request, outcome](const Result<store::Committed>& committed) {
        if (!*outcome) {
          return request->fail(committed ? Error{Code::internal, "no outcome", {}, {}}
                                         : committed.error());
        }
        Reply reply = std::move(**outcome);
        reply.location.clear();
        give(request, reply, false);
      });
}

namespace {

enum class Unfinished : uint8_t { resume, refuse };

/// Keeps the answer of once(), then gives it; an error takes the note back.
void finish_once(Services& services, const RequestPtr& request, const Keyed& key,
                 Result<Reply> result) {
  if (key.object_key.empty()) {
    if (!result) return request->fail(result.error());
    return give(request, *result, false);
  }
  const auto shared = std::make_shared<Result<Reply>>(std::move(result));
  services.store.write(
      request->author(),
      [key, shared](store::Transaction& tx) -> Status {
        if (*shared) return keep(tx, key, &**shared);
        const auto erased = tx.erase_quiet(kIdempotencyKind, key.object_key);
        return erased ? Status() : tl::unexpected<Error>(erased.error());
      },
      // The effect happened whether or not its answer could be kept.
      [request, shared](const Result<store::Committed>&) {
        if (!*shared) return request->fail(shared->error());
        give(request, **shared, false);
      });
}

/// Notes the request under its key, then runs `effect`; or gives the kept answer again.
void run_noted(Services& services, const RequestPtr& request, const Keyed& key,
               Unfinished unfinished, Callback<void()> effect) {
  if (key.object_key.empty()) return effect();
  const auto found = std::make_shared<std::optional<Kept>>();
  services.store.write(
      request->author(),
      [key, unfinished, found](store::Transaction& tx) -> Status {
        DROVER_TRY(*found, read_kept(tx, key));
        if (*found && !(*found)->finished && unfinished == Unfinished::refuse) {
          return fail(Code::conflict,
                      "a request under this key was taken before; it is not done twice, and its "
                      "answer is not kept",
                      "look at what is there, then use a new key");
        }
        if (*found) return {};
        return keep(tx, key, nullptr);
      },
      [request, found,
       effect = std::move(effect)](const Result<store::Committed>& committed) mutable {
        if (!committed) return request->fail(committed.error());
        if (*found && (*found)->finished) return give(request, reply_of(**found), true);
        effect();
      });
}

}  // namespace

void once(Services& services, const RequestPtr& request, Callback<void(Finish)> effect) {
  DROVER_OR_FAIL(request, const Keyed key, keyed(request));
  run_noted(services, request, key, Unfinished::resume,
            [&services, request, key, effect = std::move(effect)]() mutable {
              effect([&services, request, key](Result<Reply> result) {
                finish_once(services, request, key, std::move(result));
              });
            });
}

void note_once(Services& services, const RequestPtr& request, Callback<void()> effect) {
  DROVER_OR_FAIL(request, const Keyed key, keyed(request));
  run_noted(services, request, key, Unfinished::refuse, std::move(effect));
}

void sweep_idempotency(store::Store& store) {
  store.write("daemon",
              [](store::Transaction& tx) -> Status {
                store::ListQuery query;
                query.kind = kIdempotencyKind;
                DROVER_TRY(const auto objects, tx.list(query));
                for (const store::Object& object : objects) {
                  const auto kept = decode_text<Kept>(object.body, Unknown::ignore);
                  const bool old =
                      !kept || from_unix_ms(tx.time_ms()) - kept->time > kIdempotencyKept;
                  if (!old) continue;
                  const auto erased = tx.erase_quiet(kIdempotencyKind, object.key);
                  if (!erased) return tl::unexpected<Error>(erased.error());
                }
                return {};
              },
              {});
}

}  // namespace drover::api
