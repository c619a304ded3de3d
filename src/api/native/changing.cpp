// The parameters dry_run and why, and what they do.
#include "api/native/changing.hpp"

namespace drover::api {

QueryParameter dry_run_parameter() {
  return {.name = "dry_run",
          .doc = "true: say what would happen and change nothing.",
          .choices = {"true", "false"}};
}

bool is_dry_run(const RequestPtr& request) {
  return request->query("dry_run") == "true";
}

QueryParameter why_parameter(std::string_view doc) {
  return {.name = "why", .doc = doc};
}

Result<std::string> why_of(const RequestPtr& request) {
  const std::string_view why = request->query("why").value_or("");
  DROVER_CHECK_OK(store::check_why(why));
  return std::string(why);
}

void change(Services& services, const RequestPtr& request,
            Callback<Result<Reply>(store::Transaction&)> effect) {
  if (is_dry_run(request)) return rehearse(services, request, std::move(effect));
  mutate(services, request, std::move(effect));
}

}  // namespace drover::api
