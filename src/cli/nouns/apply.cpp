// drover apply and drover export: the cluster as a document, both ways.
#include "base/json_text.hpp"
#include "base/yaml.hpp"
#include "cli/common_parameters.hpp"
#include "cli/declare.hpp"
#include "cli/nouns/nouns.hpp"
#include "net/http/target.hpp"

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

Result<int> apply(Context& context, const Given& given) {
  const std::string& file = given.text("file");
  if (file.empty()) {
    return fail(Code::invalid_argument, "which document? give its file with -f",
                "drover apply -f cluster.yaml   (- for standard input)");
  }
  DROVER_TRY(std::string text, read_text(context, file));
  ApplyFlags flags;
  flags.dry_run = given.has("dry-run");
  flags.prune = given.has("prune");
  flags.force = given.has("force");
  flags.name = given.text("name");
  flags.why = given.text("why");
  return run_apply(context, {file == "-" ? "standard input" : file, std::move(text)}, flags);
}

/// The document for a file: YAML unless JSON is asked for. Without values in between: it is as long
/// as the cluster is large.
Result<std::string> export_text(const std::string& document, Format format) {
  const bool json = format == Format::json || format == Format::jsonl;
  if (!json) return yaml_of_json(document);
  std::string out;
  JsonText to(format == Format::json, out);
  DROVER_CHECK_OK(read_json(document, to));
  return terminal_safe_json(std::move(out));
}

Result<int> export_cluster(Context& context, const Given& given) {
  std::string path = "/api/v1/export";
  const std::string& range = given.text("noderange");
  char join = '?';
  if (!range.empty()) {
    DROVER_CHECK_OK(check_range(range));
    path += fmt::format("{}nodes={}", std::exchange(join, '&'), net::percent_encode(range));
  }
  if (given.has("sections")) {
    path += fmt::format("{}sections={}", join, net::percent_encode(given.text("sections")));
  }
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const std::string document, client->get_text(path, context.timeout()));
  const auto text = export_text(document, context.output().format);
  if (!text) return fail_in("reading the answer of " + client->server_text(), text.error());
  context.print(*text);
  return 0;
}

}  // namespace

std::vector<Command> apply_commands() {
  return {
      {"apply",
       "",
       "Make the cluster what a document says: all of it or nothing",
       {{"file", Kind::option, "The document, YAML or JSON; - for standard input", {}, 'f'},
        {"dry-run", Kind::flag, "Show what would be changed, change nothing"},
        {"prune", Kind::flag, "Remove what was applied before and is no longer in the document"},
        {"force", Kind::flag, "Let the document win over what others changed since"},
        {"name", Kind::option, "Name under which the document is remembered [cluster]"},
        why_option()},
       {"drover apply -f cluster.yaml --dry-run", "drover apply -f cluster.yaml --why 'rack 7'",
        "drover apply -f cluster.yaml --prune"},
       apply},
      {"export",
       "",
       "Write the cluster as a document that can be applied",
       {{"noderange", Kind::optional, "Of the nodes only these [all]"},
        {"sections", Kind::option,
         "Only these: settings,networks,profiles,groups,nodes,cloud-init,steps,overlays"}},
       {"drover export > cluster.yaml", "drover export 'n[1-8]' --sections nodes",
        "drover export -o json"},
       export_cluster},
  };
}

}  // namespace drover::cli
