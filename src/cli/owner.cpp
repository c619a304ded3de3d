#include "cli/owner.hpp"

#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/bulk.hpp"
#include "cluster/content/owner.hpp"
#include "net/http/target.hpp"

#include <fmt/format.h>

namespace drover::cli {

Result<std::string> owner_segments(const std::string& word) {
  const std::string text = word.find('/') == std::string::npos ? "node/" + word : word;
  DROVER_TRY(const cluster::Owner owner, cluster::parse_owner("owner", text));
  return fmt::format("{}/{}", enum_name(owner.kind), net::percent_encode(owner.name));
}

std::string changing_path(std::string path, const Given& given) {
  if (given.has("dry-run")) path = with_query(path, "dry_run", "true");
  if (given.has("why")) path = with_query(path, "why", given.text("why"));
  return path;
}

Result<int> change_content(Context& context, const Given& given, std::string_view noun,
                           const std::string& path, const json::value& body) {
  DROVER_TRY(Client* const client, context.client());
  const char* const method = body.is_null() ? "DELETE" : "PATCH";
  DROVER_TRY(const json::value answer,
             client->send(method, changing_path(path, given), body, context.timeout()));
  if (!context.for_people() && !body.is_null()) return context.print_document(answer);
  if (!context.for_people()) return 0;
  const std::string& word = given.text("owner");
  context.print(fmt::format("{} of {} {}{}\n", noun, printable(word),
                            given.has("dry-run") ? "would be " : "",
                            body.is_null() ? "removed" : "changed"));
  return 0;
}

Parameter owner_parameter() {
  return {"owner", Parameter::Kind::required, "A node, or group/NAME or profile/NAME"};
}
Parameter why_option() {
  return {"why", Parameter::Kind::option, "Reason, kept in the history"};
}
Parameter dry_run_flag() {
  return {"dry-run", Parameter::Kind::flag, "Let the cluster check it and change nothing"};
}

}  // namespace drover::cli
