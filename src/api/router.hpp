// The route table: one statement per route says method, path, privilege, types and handler. It
// answers 404, 405, 401, 403 and bad parameters itself, and writes the OpenAPI document.
#pragma once

#include "api/answer.hpp"
#include "api/rate_limit.hpp"
#include "api/request.hpp"
#include "auth/audit.hpp"
#include "auth/policy.hpp"
#include "base/clock.hpp"
#include "base/describe.hpp"
#include "base/log.hpp"
#include "base/random.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api {

/// The JSON type of a body: a described struct, or a list of it with paging.
struct BodyType {
  std::string_view name;
  void (*add)(SchemaSet&) = nullptr;
  bool list = false;
  bool map = false;    ///< an object with one of them by each name
  bool array = false;  ///< a bare array of them
};
template <Described T>
BodyType body_of() {
  return {T::kTypeName, [](SchemaSet& set) { set.add<T>(); }, false};
}
template <Described T>
BodyType list_of() {
  return {T::kTypeName, [](SchemaSet& set) { set.add<T>(); }, true};
}

template <Described T>
BodyType map_of() {
  return {T::kTypeName, [](SchemaSet& set) { set.add<T>(); }, false, true};
}
template <Described T>
BodyType array_of() {
  return {T::kTypeName, [](SchemaSet& set) { set.add<T>(); }, false, false, true};
}
/// A body that is text and has no schema.
inline BodyType text_body() {
  return {"", [](SchemaSet&) {}, false};
}

/// The router refuses values that break these rules before the handler runs.
struct QueryParameter {
  std::string_view name;
  std::string_view doc;
  bool number = false;                         ///< a whole number in [least, most]
  uint64_t least = 0;                          ///< of a number
  uint64_t most = 0;                           ///< of a number; 0: not bounded
  std::vector<std::string_view> choices = {};  ///< not empty: one of these
  std::string_view example = {};
};

/// What a change demands of the thing as it was (api/precondition.hpp).
enum class Condition : uint8_t {
  none,
  taken,     ///< If-Match and If-None-Match: * are heeded; 412 when they do not hold
  required,  ///< and 428 without either
};

/// One more form of success beside a route's own.
struct AlsoGives {
  int status = 200;
  std::optional<BodyType> gives = {};
  std::string_view content_type = "application/json";
  std::string_view doc = "Done.";
};

struct HeaderParameter {
  std::string_view name;
  std::string_view doc;
};

/// Whose manners a route has.
enum class Dialect : uint8_t {
  native,
  /// OpenCHAMI's SMD, everything below kSmdPrefix: parameters may be repeated and unknown ones are
  /// ignored (the handler reads the target's query), bodies where none is due too, problems have
  /// the type about:blank, there are no fields, pages and keys.
  smd,
};
inline constexpr std::string_view kSmdPrefix = "/hsm/";

using Handler = Callback<void(const RequestPtr&)>;

/// Largest body of a request, unless its route says otherwise.
inline constexpr size_t kBodyLimit = size_t{1} << 20;

/// What a route promises is in api/openapi.yaml, and tests hold it to that: a status that it does
/// not document must not be seen, and one that it does must be.
struct Route {
  std::string_view method;
  std::string_view path;  ///< "/api/v1/nodes/{name}"
  auth::Privilege privilege = auth::Privilege::view;
  std::string_view summary;
  std::vector<QueryParameter> query = {};
  std::optional<BodyType> takes = {};
  std::optional<BodyType> gives = {};
  int status = 0;  ///< of success; 0: 200 with a body, 204 without
  std::string_view content_type = "application/json";
  /// The handler asks Request::authorize_nodes() for every node that it touches, so callers who are
  /// limited to some nodes may use the route.
  bool on_nodes = false;
  /// What a GET gives would let its reader take the cluster over: it is in the audit like a change,
  /// and refused to callers who are limited to some nodes.
  bool secrets = false;
  /// Errors of its own, beside those that follow from its form (documented_errors()).
  std::vector<Code> errors = {};
  Condition condition = Condition::none;
  bool etag = false;      ///< success carries an ETag; a GET with it as If-None-Match gets 304
  bool location = false;  ///< success carries the Location of what was made
  std::vector<AlsoGives> also = {};
  size_t body_limit = kBodyLimit;
  bool sortable =
      true;  ///< a list: the handler can give all of it at once (request.hpp wants_all())
  std::vector<HeaderParameter> headers = {};  ///< of its own
  bool takes_key = true;  ///< of a change that is not open to anyone: heeds an Idempotency-Key
  Handler handler = {};
  /// A body that breaks a rule gets 422 (kUnprocessable), as what this route is modelled on says.
  bool unprocessable = false;
  Dialect dialect = Dialect::native;
  /// While it says so, the route is open to anyone, whatever its privilege. May be empty.
  Callback<bool()> open_when = {};
  bool pages_itself = false;  ///< set by Router::add
  /// Of a change: its requests are in the audit one by one. false: only those that were refused.
  bool recorded = true;
};

/// The status for a body of a route that says so (Route::unprocessable); its type is that of
/// Code::invalid_argument.
inline constexpr int kUnprocessable = 422;
/// The status of success.
int success_status(const Route& route);

/// Every Code that the route may answer with, in order: `errors`, and
///  - invalid_argument always (parameters and headers are checked);
///  - unauthenticated and denied unless it is open to anyone; exhausted (too many requests);
///  - not_found when its path has a variable; that and too_large when it has the parameter nodes;
///  - too_large when it takes a body;
///  - conflict when it takes an Idempotency-Key (used for another request);
///  - stale and precondition_required by its condition.
/// What the server itself may answer to anything (500, 503, 504) is not listed.
std::vector<Code> documented_errors(const Route& route);
/// Whether an answer of this status is what the route promises, 5xx and 499 included.
bool documents(const Route& route, int status);
/// Whether it takes an Idempotency-Key.
bool takes_key(const Route& route);

/// What a router needs of its daemon. References outlive it.
struct RouterContext {
  Executor& executor;
  Random& random;
  Log log;
  /// The policy in force; it may change between requests.
  Callback<std::shared_ptr<const auth::Policy>()> policy;
  /// The answering daemon, "master/m1", for the audit.
  std::string daemon = {};
  /// Takes a record of every request that would change something, of those for secrets, and of
  /// every one that was refused. May be empty.
  Callback<void(const auth::AuditRecord&)> audit = {};
  /// What Request::authorize_nodes() asks. May be empty where no route is on nodes.
  Request::CheckNodes check_nodes = {};
};

/// Executor's thread only.
class Router {
 public:
  explicit Router(RouterContext context) : context_(std::move(context)) {
    constexpr RateLimit kRecordedRefusals{5, 200};
    refusals_.set(kRecordedRefusals);
  }

  /// Routes that read JSON get the parameter `fields`, lists also `limit`, `page` and, when they
  /// are sortable, `sort`: see AnswerShape. The handler of a list that names `limit` itself does
  /// its own pages, and gives the position of its last item as ListWriter's `next_page`.
  void add(Route route);
  /// Requests beyond this are answered with 429. From now on; nobody is limited without.
  void limit_rate(const RateLimit& limit) { rates_.set(limit); }
  /// Takes requests for paths that no route knows, in place of 404: what a daemon forwards.
  using Otherwise =
      Callback<void(net::HttpRequest, const auth::Principal&, std::unique_ptr<Answer>)>;
  void otherwise(Otherwise otherwise) { otherwise_ = std::move(otherwise); }

  /// Answers one request. `principal`: who the transport or an assertion says it is.
  void serve(net::HttpRequest request, Result<auth::Principal> principal,
             std::unique_ptr<Answer> answer);
  /// True when a route of this table has the request's path.
  [[nodiscard]] bool knows(std::string_view target) const;

  /// Empty when an answer of this status to this request is documented, or no route of this table
  /// took it; otherwise what is missing, in words. For tests.
  [[nodiscard]] std::string undocumented(std::string_view method, std::string_view target,
                                         int status) const;

  /// OpenAPI 3.1 as YAML, from the table alone.
  [[nodiscard]] std::string openapi(std::string_view version) const;

 private:
  struct Match {
    Route* route = nullptr;
    std::map<std::string, std::string, std::less<>> variables;
    std::string allowed;  ///< methods of the path when the method is not among them
  };
  [[nodiscard]] Match match(const net::HttpRequest& request, const net::Target& target);
  void note(const Request& request, int status);
  void record(const Request& request, int status, std::string why);
  [[nodiscard]] Status check(Route& route, const RequestPtr& request, const net::Target& target);
  [[nodiscard]] Status check_caller(Route& route, const RequestPtr& request);

  /// Ok, or how long the caller has to wait.
  [[nodiscard]] Status check_rate(const net::HttpRequest& http, const auth::Principal& principal);
  [[nodiscard]] Result<std::shared_ptr<const AnswerShape>> shape_of(const Route& route,
                                                                    net::Target& target);

  RouterContext context_;
  std::vector<Route> routes_;
  std::map<std::pair<std::string_view, std::string_view>, FieldTree> fields_;  ///< made when asked
  RateLimiter rates_;
  /// Who is refused all the time shall not push everything else out of the audit: above this its
  /// refusals are counted alone.
  RateLimiter refusals_;
  uint64_t uncounted_ = 0;
  Otherwise otherwise_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::api
