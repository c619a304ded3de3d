// drover version: of this program and of the daemon that answers.
#include "base/json_values.hpp"
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"

#include <fmt/core.h>

namespace drover::cli {
namespace {

Result<int> version(Context& context, const Given& /*given*/) {
  if (context.output().format == Format::name) {
    return fail(Code::invalid_argument, "-o name: a version has no name",
                "drover local -o name   prints the name of the daemon that answers");
  }
  json::object out{{"client", DROVER_VERSION}};
  auto client = context.client();
  if (client) {
    auto answer = (*client)->get("/api/v1/version", context.timeout());
    if (!answer) return tl::unexpected(std::move(answer).error());
    out["daemon"] = *std::move(answer);
  } else if (client.error().code != Code::unreachable) {
    return tl::unexpected(std::move(client).error());
  }
  return context.print_document(out);
}

}  // namespace

std::vector<Command> version_commands() {
  return {{"version",
           "",
           "Show the version of this program and of the daemon that answers",
           {},
           {"drover version"},
           version}};
}

}  // namespace drover::cli
