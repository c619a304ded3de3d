// drover certificate: the certificates of daemons; drover node revoke: the same for a stolen node.
#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "cli/common_parameters.hpp"
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

const ListView& certificate_view() {
  static const ListView view{{{"ROLE", "role"},
                              {"NAME", "name"},
                              {"REVOKED", "revoked_at", Show::age},
                              {"EXPIRES", "expires"},
                              {"ENROLLED", "enrolled", Show::age},
                              {"RENEWED", "renewed", Show::age},
                              {"SERIAL", "serial", Show::text, true},
                              {"KEY", "key_sha256", Show::text, true},
                              {"BY", "revoked_by", Show::text, true},
                              {"WHY", "why"}}};
  return view;
}

Result<int> list(Context& context, const Given& /*given*/) {
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::array items, client->list("/api/v1/certificates", context.timeout()));
  if (items.empty() && context.for_people()) context.warn("no certificates");
  return context.print_list(items, certificate_view());
}

Result<int> revoke_of(Context& context, const Given& given, const std::string& role,
                      const std::string& range) {
  const std::string why = given.has("why") ? given.text("why") : "";
  const bool dry_run = given.has("dry-run");
  DROVER_CHECK_OK(check_range(range));
  DROVER_TRY(const std::vector<std::string> names, expand_names(range));
  if (why.empty()) {
    return fail(Code::invalid_argument, "--why is missing: it is what the daemons' owner reads");
  }
  if (!dry_run) {
    DROVER_CHECK_OK(context.confirm_many(
        names.size(), fmt::format("revoke the certificates of {} {}", role, fold_names(names))));
  }
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(
      const json::value answer,
      client->send(
          "POST",
          dry_run ? "/api/v1/certificates/revoke?dry_run=true" : "/api/v1/certificates/revoke",
          json::object{{"role", role}, {"names", range}, {"why", why}}, context.timeout()));
  if (context.for_people()) {
    context.print(fmt::format("{}revoked: {} {}\n", dry_run ? "would be " : "", role,
                              printable(fold_names(names))));
  }
  if (context.for_people() && !dry_run) {
    context.warn("to let one in again: drover token create --replace --names NAME");
  }
  return 0;
}

Result<int> revoke(Context& context, const Given& given) {
  return revoke_of(context, given, given.text("role"), given.text("names"));
}
Result<int> revoke_node(Context& context, const Given& given) {
  return revoke_of(context, given, "compute", given.text("noderange"));
}

}  // namespace

std::vector<Command> certificate_commands() {
  const Parameter why{"why", Kind::option, "Shown to whoever is refused, and in the change log"};
  const Parameter dry_run = dry_run_flag();
  return {
      {"certificate",
       "list",
       "The certificates of daemons, revoked ones too",
       {},
       {"drover certificate list --filter role=compute"},
       list},
      {"certificate",
       "revoke",
       "Refuse daemons from now on and cut their links",
       {{"role",
         Kind::required,
         "Kind of daemon",
         {"compute", "aggregator", "utility", "boot", "master"}},
        {"names", Kind::required, "Noderange of their plain names"},
        why,
        dry_run},
       {"drover certificate revoke aggregator agg2 --why 'disk sold'"},
       revoke},
      {"node",
       "revoke",
       "Refuse the agents of nodes from now on and cut their links",
       {{"noderange", Kind::required, "Noderange of plain names"}, why, dry_run},
       {"drover node revoke n17 --why stolen"},
       revoke_node},
  };
}

}  // namespace drover::cli
