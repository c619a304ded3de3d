// What a route promises, as far as it follows from its form.
#include "api/router.hpp"

#include <algorithm>

namespace drover::api {

int success_status(const Route& route) {
  if (route.status != 0) return route.status;
  return route.gives ? 200 : 204;
}

bool takes_key(const Route& route) {
  if (route.dialect == Dialect::smd) return false;
  return route.takes_key && route.method != "GET" && route.privilege != auth::Privilege::open;
}

std::vector<Code> documented_errors(const Route& route) {
  std::vector<Code> out = route.errors;
  const bool native = route.dialect == Dialect::native;
  if (native || route.takes) out.push_back(Code::invalid_argument);
  out.push_back(Code::exhausted);
  if (route.privilege != auth::Privilege::open) {
    out.push_back(Code::unauthenticated);
    out.push_back(Code::denied);
  }
  const bool makes = route.method == "PUT";  // what is not there
  if (native && route.path.find('{') != std::string_view::npos && !makes)
    out.push_back(Code::not_found);
  if (std::ranges::find(route.query, "nodes", &QueryParameter::name) != route.query.end()) {
    if (route.method != "POST") out.push_back(Code::not_found);  // new names are not looked up
    out.push_back(Code::too_large);
  }
  if (route.takes) out.push_back(Code::too_large);
  if (takes_key(route)) out.push_back(Code::conflict);
  if (route.condition != Condition::none) out.push_back(Code::stale);
  if (route.condition == Condition::required) out.push_back(Code::precondition_required);
  std::ranges::sort(out);
  const auto twice = std::ranges::unique(out);
  out.erase(twice.begin(), twice.end());
  return out;
}

bool documents(const Route& route, int status) {
  constexpr int kLeft = 499;  // the client has gone; nobody reads it
  if (status >= 500 || status == kLeft) return true;
  if (status == success_status(route)) return true;
  if (status == kUnprocessable && route.unprocessable) return true;
  if (status == 304) return route.etag && route.method == "GET";
  return std::ranges::any_of(route.also,
                             [&](const AlsoGives& also) { return also.status == status; }) ||
         std::ranges::any_of(documented_errors(route),
                             [&](Code code) { return info(code).http_status == status; });
}

}  // namespace drover::api
