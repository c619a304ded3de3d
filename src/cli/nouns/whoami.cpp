// drover whoami: the caller as the cluster sees it.
#include "base/json_values.hpp"
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"

namespace drover::cli {
namespace {

Result<int> whoami(Context& context, const Given& /*given*/) {
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value answer, client->get("/api/v1/whoami", context.timeout()));
  if (context.output().format == Format::name) {
    context.print(text_at(answer, "principal") + "\n");
    return 0;
  }
  return context.print_document(answer);
}

}  // namespace

std::vector<Command> whoami_commands() {
  return {{"whoami",
           "",
           "Who you are here, what you may do and why",
           {},
           {"drover whoami", "drover --server https://m1:9443 --token-file token whoami"},
           whoami}};
}

}  // namespace drover::cli
