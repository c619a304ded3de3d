// What the routes that change definitions share: trying without changing, and the reason given.
#pragma once

#include "api/idempotency.hpp"
#include "api/request.hpp"
#include "api/router.hpp"
#include "api/services.hpp"
#include "base/result.hpp"
#include "store/reason.hpp"

#include <string>
#include <string_view>

namespace drover::api {

QueryParameter dry_run_parameter();
/// ?dry_run=true; the router has refused other values.
bool is_dry_run(const RequestPtr& request);

QueryParameter why_parameter(std::string_view doc = "Reason, for the change log.");
/// ?why=, or empty; the error of store::check_why().
Result<std::string> why_of(const RequestPtr& request);
/// The body of a change, whose reason (T::why) obeys store::check_why() too.
template <Described T>
Result<T> change_body(const RequestPtr& request) {
  DROVER_TRY(T out, request->body<T>());
  DROVER_CHECK_OK(store::check_why(out.why));
  return out;
}

/// mutate(), or rehearse() with ?dry_run=true.
void change(Services& services, const RequestPtr& request,
            Callback<Result<Reply>(store::Transaction&)> effect);

}  // namespace drover::api
