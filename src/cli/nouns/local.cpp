// drover local: the daemon that answers on this host.
#include "base/json_values.hpp"
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"

namespace drover::cli {
namespace {

Result<int> local(Context& context, const Given& /*given*/) {
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value answer, client->get("/api/v1/local", context.timeout()));
  return context.print_document(answer);
}

}  // namespace

std::vector<Command> local_commands() {
  return {{"local",
           "",
           "Show the daemon of this host: its role, links, spool, and whether it is degraded",
           {},
           {"drover local", "drover local --socket /run/drover/compute.sock -o json"},
           local}};
}

}  // namespace drover::cli
