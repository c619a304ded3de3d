// GET /operations, GET /operations/{id} with wait=, DELETE /operations/{id}.
#include "api/idempotency.hpp"
#include "api/list_writer.hpp"
#include "api/native/changing.hpp"
#include "api/native/native.hpp"
#include "base/noderange.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

constexpr uint64_t kLongestWait = 300;

Error unknown(const std::string& id) {
  return {Code::not_found, fmt::format("there is no operation '{}'", id.substr(0, 64)), "",
          "drover operation list shows those that are kept"};
}

bool fits(const Request& request, const cluster::Operation& operation) {
  const auto state = request.query("state");
  if (state && *state != enum_name(operation.state) &&
      !(*state == "unfinished" && !cluster::has_ended(operation.state))) {
    return false;
  }
  const auto kind = request.query("kind");
  return !kind || *kind == operation.kind;
}

void list_operations(Services& services, const RequestPtr& request) {
  services.operations->when_ready([&services, request] {
    ListWriter list;
    for (const cluster::Operation& operation : services.operations->all()) {
      if (fits(*request, operation)) list.add(operation);
    }
    request->json(200, list.finish());
  });
}

void answer_with(Services& services, const RequestPtr& request) {
  const auto operation = services.operations->find(request->path("id"));
  if (!operation) return request->fail(unknown(request->path("id")));
  request->json(200, encode(*operation));
}

/// A request that waits for an operation's end: the handle and the timer die with the answer.
struct Wait {
  std::shared_ptr<void> handle;
  Timer timer;
};

void show_operation(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const uint64_t seconds,
                 request->query_number("wait", 0, 0, kLongestWait));
  services.operations->when_ready([&services, request, seconds] {
    const auto operation = services.operations->find(request->path("id"));
    if (!operation) return request->fail(unknown(request->path("id")));
    if (seconds == 0 || cluster::has_ended(operation->state)) {
      return answer_with(services, request);
    }
    const Duration longest = std::chrono::seconds(seconds);
    constexpr Duration kMargin = std::chrono::seconds(5);
    request->allow(longest + kMargin);
    const auto wait = std::make_shared<Wait>();
    const auto done = [&services, request, wait] {
      // Both let go of what they hold: it holds them.
      wait->timer.cancel();
      services.executor.post([held = std::move(wait->handle)] {});
      answer_with(services, request);
    };
    wait->timer.after(services.executor, longest, done);
    wait->handle = services.operations->on_end(operation->id, done);
  });
}

void cancel_operation(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const std::string why, why_of(request));
  services.operations->when_ready([&services, request, why] {
    const std::string id = request->path("id");
    const auto operation = services.operations->find(id);
    if (!operation) return request->fail(unknown(id));
    DROVER_OR_FAIL(request, const auto names, expand_names(operation->nodes));
    if (const Status may = request->authorize_nodes(names, auth::NodeUse::run); !may) {
      return request->fail(may.error());
    }
    mutate(services, request, [id, why](store::Transaction& tx) -> Result<Reply> {
      DROVER_TRY(const auto cancelled, cluster::cancel_operation(tx, id, why));
      return Reply{200, encode(cancelled), ""};
    });
  });
}

}  // namespace

void add_operations(Router& router, Services& services) {
  router.add({.method = "GET",
              .path = "/api/v1/operations",
              .privilege = auth::Privilege::view,
              .summary = "List long-running requests, the newest first.",
              .query = {{.name = "state",
                         .doc = "Only those in this state.",
                         .choices = {"unfinished", "running", "cancelling", "done", "failed",
                                     "cancelled", "interrupted"}},
                        {"kind", "Only those of this kind."}},
              .gives = list_of<cluster::Operation>(),
              .handler = [&services](const RequestPtr& r) { list_operations(services, r); }});
  router.add({.method = "GET",
              .path = "/api/v1/operations/{id}",
              .privilege = auth::Privilege::view,
              .summary = "Show a long-running request: its progress and outcomes.",
              .query = {{.name = "wait",
                         .doc = "Seconds to wait for its end; then it is shown as it is.",
                         .number = true,
                         .least = 0,
                         .most = kLongestWait}},
              .gives = body_of<cluster::Operation>(),
              .handler = [&services](const RequestPtr& r) { show_operation(services, r); }});
  router.add({.method = "DELETE",
              .path = "/api/v1/operations/{id}",
              .privilege = auth::Privilege::use,
              .summary = "Stop a long-running request; what nodes have done stays done.",
              .query = {why_parameter("Reason, kept with it.")},
              .gives = body_of<cluster::Operation>(),
              .on_nodes = true,
              .handler = [&services](const RequestPtr& r) { cancel_operation(services, r); }});
}

}  // namespace drover::api
