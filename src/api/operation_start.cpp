#include "api/operation_start.hpp"

#include "api/idempotency.hpp"
#include "auth/assertion.hpp"
#include "store/reason.hpp"

#include <utility>

#include <fmt/format.h>

namespace drover::api {

std::string operation_id(Services& services, const Request& request, std::string_view kind,
                         const std::string& key) {
  constexpr size_t kIdBytes = 16;
  if (key.empty()) return services.random.hex(kIdBytes);
  return auth::request_hash(kind, request.actor(), key).substr(0, 2 * kIdBytes);
}

void start_operation(Services& services, const RequestPtr& request, cluster::Operation operation,
                     std::string why) {
  mutate(services, request,
         [operation = std::move(operation),
          why = std::move(why)](store::Transaction& tx) -> Result<Reply> {
           tx.explain(
               store::with_reason(fmt::format("{} on {}", operation.what, operation.nodes), why));
           DROVER_CHECK_OK(cluster::create_operation(tx, operation));
           DROVER_TRY(const auto made, cluster::read_operation(tx, operation.id));
           return Reply{202, encode(made), "", "/api/v1/operations/" + operation.id};
         });
}

}  // namespace drover::api
