// The route table: one statement per route says method, path, privilege, types and handler. It
// answers 404, 405, 401, 403 and bad parameters itself, and writes the OpenAPI document.
#pragma once

#include "api/answer.hpp"
#include "api/request.hpp"
#include "auth/audit.hpp"
#include "auth/policy.hpp"
#include "base/clock.hpp"
#include "base/describe.hpp"
#include "base/log.hpp"
#include "base/random.hpp"

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
};
template <Described T>
BodyType body_of() {
  return {T::kTypeName, [](SchemaSet& set) { set.add<T>(); }, false};
}
template <Described T>
BodyType list_of() {
  return {T::kTypeName, [](SchemaSet& set) { set.add<T>(); }, true};
}

struct QueryParameter {
  std::string_view name;
  std::string_view doc;
  bool number = false;
};

using Handler = Callback<void(const RequestPtr&)>;

struct Route {
  std::string_view method;
  std::string_view path;  ///< "/api/v1/nodes/{name}"
  auth::Privilege privilege = auth::Privilege::view;
  std::string_view summary;
  std::vector<QueryParameter> query = {};
  std::optional<BodyType> takes = {};
  std::optional<BodyType> gives = {};  ///< none: 204 without a body
  int status = 200;
  std::string_view content_type = "application/json";
  /// The handler asks Request::authorize_nodes() for every node that it touches, so callers who are
  /// limited to some nodes may use the route.
  bool on_nodes = false;
  Handler handler = {};
};

/// What a router needs of its daemon. References outlive it.
struct RouterContext {
  Executor& executor;
  Random& random;
  Log log;
  /// The policy in force; it may change between requests.
  Callback<std::shared_ptr<const auth::Policy>()> policy;
  /// The answering daemon, "master/m1", for the audit.
  std::string daemon = {};
  /// Takes a record of every request that would change something, refused ones too. May be empty.
  Callback<void(const auth::AuditRecord&)> audit = {};
  /// What Request::authorize_nodes() asks. May be empty where no route is on nodes.
  Request::CheckNodes check_nodes = {};
};

/// Executor's thread only.
class Router {
 public:
  explicit Router(RouterContext context) : context_(std::move(context)) {}

  void add(Route route);
  /// Takes requests for paths that no route knows, in place of 404: what a daemon forwards.
  using Otherwise =
      Callback<void(net::HttpRequest, const auth::Principal&, std::unique_ptr<Answer>)>;
  void otherwise(Otherwise otherwise) { otherwise_ = std::move(otherwise); }

  /// Answers one request. `principal`: who the transport or an assertion says it is.
  void serve(net::HttpRequest request, Result<auth::Principal> principal,
             std::unique_ptr<Answer> answer);
  /// True when a route of this table has the request's path.
  [[nodiscard]] bool knows(std::string_view target) const;

  /// OpenAPI 3.1 as YAML, from the table alone.
  [[nodiscard]] std::string openapi(std::string_view version) const;

 private:
  struct Match {
    Route* route = nullptr;
    std::map<std::string, std::string, std::less<>> variables;
    std::string allowed;  ///< methods of the path when the method is not among them
  };
  [[nodiscard]] Match match(const net::HttpRequest& request, const net::Target& target);
  void note(const Request& request, int status, const std::string& why);
  [[nodiscard]] Status check(const Route& route, const RequestPtr& request,
                             const net::Target& target);
  [[nodiscard]] Status check_caller(const Route& route, const RequestPtr& request);

  RouterContext context_;
  std::vector<Route> routes_;
  Otherwise otherwise_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::api
