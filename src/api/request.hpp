// One API request in hand: who asks what, until when, and the one answer it gets.
#pragma once

#include "api/answer.hpp"
#include "api/answer_shape.hpp"
#include "auth/node_permission.hpp"
#include "auth/policy.hpp"
#include "auth/principal.hpp"
#include "base/clock.hpp"
#include "base/describe.hpp"
#include "base/result.hpp"
#include "net/http/http.hpp"
#include "net/http/target.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace drover::api {

inline constexpr std::string_view kTimeoutHeader = "Drover-Timeout-Ms";
inline constexpr std::string_view kIdempotencyHeader = "Idempotency-Key";
inline constexpr Duration kDefaultTimeout = std::chrono::seconds(30);
inline constexpr Duration kLongestTimeout = std::chrono::minutes(10);
inline constexpr size_t kMaxIdempotencyKey = 128;

/// Shared by whoever works on it. The first answer counts, later ones do nothing: when the deadline
/// passes the client gets 504, and what the work says afterwards is dropped. Destroyed unanswered
/// it answers 500. Executor's thread only.
class Request final : public std::enable_shared_from_this<Request> {
 public:
  struct Facts {
    net::HttpRequest http;
    net::Target target;
    std::map<std::string, std::string, std::less<>> path;  ///< variables of the route
    auth::Principal principal;
    std::string trace_id;  ///< 32 hexadecimal digits
    std::string via;       ///< store::Author::via
    Duration timeout = kDefaultTimeout;
    std::shared_ptr<const AnswerShape> shape =
        {};                       ///< null: the answer stays as the handler gives it
    bool plain_problems = false;  ///< problems in the form of SMD (plain_problem())
  };
  /// Whether the caller may do that to these nodes; see NodeAuthority.
  using CheckNodes = Callback<Status(const auth::Principal&, const auth::Standing&,
                                     std::span<const std::string> names, auth::NodeUse use)>;
  /// Told once, when the answer is given: its status and, of a problem, why. For the audit.
  using OnAnswer = Callback<void(const Request&, int status, const std::string& why)>;
  /// `clock` outlives it.
  Request(Facts facts, Clock& clock, std::unique_ptr<Answer> answer, OnAnswer on_answer);
  ~Request();
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  /// Arms the deadline; it must be in a shared_ptr by then.
  void start();

  [[nodiscard]] const net::HttpRequest& http() const { return facts_.http; }
  /// Value of "{name}" in the route's path.
  [[nodiscard]] const std::string& path(std::string_view name) const;
  [[nodiscard]] std::optional<std::string_view> query(std::string_view name) const;
  /// A whole number in [least, most], or `fallback` when absent; invalid_argument otherwise.
  [[nodiscard]] Result<uint64_t> query_number(std::string_view name, uint64_t fallback,
                                              uint64_t least, uint64_t most) const;
  [[nodiscard]] const auth::Principal& principal() const { return facts_.principal; }
  /// The answer will be sorted or cut into pages behind the handler, so it must be the whole list.
  [[nodiscard]] bool wants_all() const { return facts_.shape && facts_.shape->sorts(); }
  /// The principal as the change log names it.
  [[nodiscard]] std::string actor() const { return facts_.principal.text(); }
  /// What the caller may do, as the policy said when the request came.
  [[nodiscard]] const auth::Standing& standing() const { return standing_; }
  /// Every handler that changes nodes or runs something on them calls this with all of their names
  /// before it does so: limits of grants and credentials, and for the role user the permission of
  /// each node. denied names the nodes that the caller may not touch. Routes whose handlers do so
  /// are marked `on_nodes`; no other changing route is open to a limited caller.
  [[nodiscard]] Status authorize_nodes(std::span<const std::string> names,
                                       auth::NodeUse use = auth::NodeUse::change);
  [[nodiscard]] Status authorize_node(const std::string& name,
                                      auth::NodeUse use = auth::NodeUse::change) {
    return authorize_nodes(std::span(&name, 1), use);
  }
  /// For the router: what was found out about the caller; `check` outlives the request.
  void admit(auth::Standing standing, CheckNodes* check) {
    standing_ = std::move(standing);
    check_nodes_ = check;
  }
  /// Whether authorize_nodes() was asked.
  [[nodiscard]] bool nodes_checked() const { return nodes_checked_; }
  /// Who asks and from where, for what the request writes to the store.
  [[nodiscard]] store::Author author() const { return {actor(), facts_.via}; }
  [[nodiscard]] const std::string& trace_id() const { return facts_.trace_id; }
  [[nodiscard]] Duration time_left() const;
  /// Moves the deadline to at least `from_now` for work whose own limit is known to be longer,
  /// unless the client has set one.
  void allow(Duration from_now);
  [[nodiscard]] Duration age() const { return clock_.now() - started_; }
  /// Empty without one; invalid_argument for a malformed one.
  [[nodiscard]] Result<std::string> idempotency_key() const;
  /// The body read as a T, errors with paths.
  template <Described T>
  [[nodiscard]] Result<T> body() const {
    return decode_text<T>(http().body.empty() ? std::string_view("{}") : http().body);
  }

  void respond(net::HttpResponse response);
  void json(int status, std::string body);
  void fail(const Error& error);
  [[nodiscard]] bool answered() const { return answer_ == nullptr; }
  /// Starts a stream: takes the answer over, and the deadline no longer counts. Null when it has
  /// been answered already.
  std::unique_ptr<Answer> take_stream();

 private:
  void respond(net::HttpResponse response, const std::string& why);
  void shape(net::HttpResponse& response) const;

  Facts facts_;
  Clock& clock_;
  std::unique_ptr<Answer> answer_;
  OnAnswer on_answer_;
  auth::Standing standing_;
  CheckNodes* check_nodes_ = nullptr;
  bool nodes_checked_ = false;
  MonoTime started_;
  Timer deadline_;
};

using RequestPtr = std::shared_ptr<Request>;

/// The trace id of a W3C traceparent header, or nothing when it is not one.
std::optional<std::string> trace_id_of(std::string_view traceparent);

/// Returns from a handler with the error answered: DROVER_OR_FAIL(request, auto x, f()).
#define DROVER_OR_FAIL_IMPL_(tmp, request, decl, expr) \
  auto tmp = (expr);                                   \
  if (!tmp) return (request)->fail(tmp.error());       \
  decl = *std::move(tmp)
#define DROVER_OR_FAIL(request, decl, expr) \
  DROVER_OR_FAIL_IMPL_(DROVER_CONCAT(try_, __LINE__), request, decl, expr)

}  // namespace drover::api
