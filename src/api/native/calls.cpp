// POST /calls: one request to many nodes, with folded answers: at once, as a stream, or as an
// operation that runs on its own.
#include "api/call_operation.hpp"
#include "api/call_view.hpp"
#include "api/idempotency.hpp"
#include "api/native/native.hpp"
#include "api/node_selection.hpp"
#include "api/power_note.hpp"
#include "auth/assertion.hpp"
#include "store/reason.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

constexpr std::string_view kLines = "application/jsonl";
constexpr std::string_view kEvents = "text/event-stream";
/// A stream says so often that it lives; those who pass it on give up after 45 s of silence.
constexpr Duration kPulse = std::chrono::seconds(10);

/// With an Idempotency-Key the call's id follows from it, so that asking again after this master
/// died runs nothing twice: a node runs one id once.
std::string call_id(Services& services, const Request& request, const std::string& key) {
  constexpr size_t kIdBytes = 16;
  if (key.empty()) return services.random.hex(kIdBytes);
  return auth::request_hash("call", request.actor(), key).substr(0, 2 * kIdBytes);
}

Result<tree::CallSpec> spec_of(Services& services, const RequestPtr& request, CallRequest asked) {
  constexpr int64_t kMostMs = kLongestTimeout / std::chrono::milliseconds(1);
  if (asked.method.empty()) return fail(Code::invalid_argument, "method: is empty");
  if (asked.timeout_ms < 1 || asked.timeout_ms > kMostMs) {
    return fail(Code::invalid_argument,
                fmt::format("timeout_ms: expected 1 to {}, got {}", kMostMs, asked.timeout_ms));
  }
  if (asked.payload.size() > tree::kMaxCallPayload) {
    return fail(Code::too_large, fmt::format("payload: {} bytes; at most {}", asked.payload.size(),
                                             tree::kMaxCallPayload));
  }
  DROVER_CHECK_OK(store::check_why(asked.why));
  DROVER_TRY(const std::string key, request->idempotency_key());
  tree::CallSpec spec;
  DROVER_TRY(spec.targets, evaluate(asked.nodes, cluster::ModelNames(services.model)));
  if (spec.targets.empty()) {
    return fail(Code::invalid_argument, fmt::format("nodes: '{}' names no node", asked.nodes));
  }
  spec.id = call_id(services, *request, key);
  spec.method = std::move(asked.method);
  spec.payload = std::move(asked.payload);
  spec.budget = std::chrono::milliseconds(asked.timeout_ms);
  return spec;
}

/// A call whose outcomes go out as they come. Lives until the call or the client ends.
class CallStream : public std::enable_shared_from_this<CallStream> {
 public:
  CallStream(Services& services, RequestPtr request, const tree::CallSpec& spec, bool lines,
             PowerNote note)
      : services_(services), request_(std::move(request)), lines_(lines), note_(std::move(note)) {
    last_.id = spec.id;
    last_.targets = spec.targets.size();
  }

  void start(tree::CallSpec spec) {
    const auto self = shared_from_this();
    const Status started = services_.calls.start(
        std::move(spec), [self](const tree::CallReport& fresh) { self->tell(fresh); },
        [self](const tree::CallReport& report) { self->end(report); });
    if (!started) return request_->fail(started.error());
    answer_ = request_->take_stream();
    if (answer_ == nullptr) return;
    answer_->begin(200, {{"Content-Type", std::string(lines_ ? kLines : kEvents)},
                         {"Cache-Control", "no-store"}});
    // Nobody reads what comes: the nodes need not go on.
    answer_->on_gone([weak = weak_from_this()] {
      if (const auto stream = weak.lock()) stream->leave();
    });
    pulse();
  }

 private:
  void tell(const tree::CallReport& fresh) {
    note_.take(fresh);
    last_.totals = totals_of(fresh.totals);
    for (const tree::CallGroup& group : fresh.groups) {
      last_.group = view_of(group);
      write();
      told_ += group.count;
    }
  }
  void end(const tree::CallReport& report) {
    note_.take(report);
    // What no progress has told, such as nodes that nothing was heard of.
    if (told_ == 0) tell(report);
    last_.totals = totals_of(report.totals);
    last_.group.reset();
    last_.end = true;
    write();
    pulse_.cancel();
    if (answer_ != nullptr) answer_->end();
    answer_ = nullptr;
  }
  void write() {
    if (answer_ == nullptr) return;
    answer_->write(lines_ ? encode(last_) + "\n"
                          : fmt::format("event: call\ndata: {}\n\n", encode(last_)));
  }
  void pulse() {
    pulse_.after(services_.executor, kPulse, [weak = weak_from_this()] {
      if (const auto stream = weak.lock()) {
        stream->last_.group.reset();
        stream->write();
        stream->pulse();
      }
    });
  }
  void leave() {
    pulse_.cancel();
    (void)services_.calls.cancel(last_.id);
    // Not in its own callback.
    services_.executor.post([held = std::shared_ptr<Answer>(std::move(answer_))] {});
  }

  Services& services_;
  RequestPtr request_;
  bool lines_;
  PowerNote note_;
  std::unique_ptr<Answer> answer_;
  CallEvent last_;
  uint64_t told_ = 0;
  Timer pulse_;
};

void run_on_its_own(Services& services, const RequestPtr& request, const tree::CallSpec& spec,
                    const std::string& why) {
  mutate(services, request,
         [operation = call_operation(spec, why, request->actor(), services.operations->master())](
             store::Transaction& tx) -> Result<Reply> {
           tx.explain(fmt::format("{} on {}", operation.what, operation.nodes));
           DROVER_CHECK_OK(cluster::create_operation(tx, operation));
           DROVER_TRY(const auto made, cluster::read_operation(tx, operation.id));
           return Reply{202, encode(made), "", "/api/v1/operations/" + operation.id};
         });
}

void start_call(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const CallRequest asked, request->body<CallRequest>());
  DROVER_OR_FAIL(request, tree::CallSpec spec, spec_of(services, request, asked));
  // Who may run something on a node may not end it for the others.
  const auto use = spec.method.starts_with("power.") ? auth::NodeUse::change : auth::NodeUse::run;
  if (const Status allowed = request->authorize_nodes(spec.targets, use); !allowed) {
    return request->fail(allowed.error());
  }
  const net::HttpHeaders& headers = request->http().headers;
  if (headers.has_token("Prefer", "respond-async")) {
    return run_on_its_own(services, request, spec, asked.why);
  }
  PowerNote note(services, spec.method, asked.why, request->author());
  const bool lines = headers.has_token("Accept", kLines);
  if (lines || headers.has_token("Accept", kEvents)) {
    const auto stream =
        std::make_shared<CallStream>(services, request, spec, lines, std::move(note));
    return stream->start(std::move(spec));
  }
  constexpr Duration kGathering = std::chrono::seconds(5);  // the last answers on their way up
  request->allow(spec.budget + kGathering);
  const auto noted = std::make_shared<PowerNote>(std::move(note));
  once(services, request, [&services, noted, spec = std::move(spec)](Finish finish) mutable {
    const auto shared = std::make_shared<Finish>(std::move(finish));
    const Status started = services.calls.start(
        std::move(spec), [noted](const tree::CallReport& fresh) { noted->take(fresh); },
        [shared, noted](const tree::CallReport& report) {
          noted->take(report);
          (*shared)(Reply{200, encode(view_of(report)), ""});
        });
    if (!started) (*shared)(tl::unexpected<Error>(started.error()));
  });
}

}  // namespace

void add_calls(Router& router, Services& services) {
  router.add({.method = "POST",
              .path = "/api/v1/calls",
              .privilege = auth::Privilege::use,
              .summary = "Run a method on nodes and gather their answers.",
              .takes = body_of<CallRequest>(),
              .gives = body_of<CallView>(),
              .on_nodes = true,
              .errors = {Code::not_found},
              .also = {{200, body_of<CallEvent>(), kLines},
                       {200, body_of<CallEvent>(), kEvents},
                       {202, body_of<cluster::Operation>(), "application/json",
                        "It runs on its own (Prefer: respond-async): look at the operation."}},
              .headers = {{"Prefer",
                           "respond-async: answer 202 at once with an operation that goes on "
                           "without this connection, also over a restart of the master."},
                          {"Accept",
                           "application/jsonl or text/event-stream: outcomes as they come, one "
                           "CallEvent each. The call ends when the client leaves."}},
              .handler = [&services](const RequestPtr& r) { start_call(services, r); }});
}

}  // namespace drover::api
