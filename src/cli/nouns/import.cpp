// drover import: files of other systems as a document to review and apply.
#include "cluster/import/import.hpp"

#include "base/json_values.hpp"
#include "base/yaml.hpp"
#include "cli/declare.hpp"
#include "cli/nouns/nouns.hpp"

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

Result<int> import_file(Context& context, const Given& given, std::string_view format,
                        Result<cluster::Imported> (*read)(std::string_view)) {
  const std::string& file = given.text("file");
  const std::string place = file == "-" ? "standard input" : file;
  DROVER_TRY(const std::string text, read_text(context, file));
  auto imported = read(text);
  if (!imported) return fail_in(place, imported.error());
  for (const cluster::ImportNote& note : imported->notes) {
    context.warn(note.line > 0 ? fmt::format("{}:{}: {}", place, note.line, note.text)
                               : fmt::format("{}: {}", place, note.text));
  }
  const json::value document = cluster::to_document(*imported);
  const std::string yaml = to_yaml(document);
  if (!given.has("apply")) {
    const bool as_json =
        context.output().format == Format::json || context.output().format == Format::jsonl;
    if (as_json) return context.print_document(document);
    context.print(yaml);
    return 0;
  }
  ApplyFlags flags;
  flags.dry_run = given.has("dry-run");
  flags.name = fmt::format("import-{}", format);
  flags.why = given.has("why") ? given.text("why") : fmt::format("imported from {}", place);
  return run_apply(context, {place, yaml}, flags);
}

template <size_t kIndex>
Result<int> import_with(Context& context, const Given& given) {
  const cluster::ImportFormat& format = cluster::import_formats()[kIndex];
  return import_file(context, given, format.name, format.read);
}

Command command(size_t index, std::string file, Command::Handler handler) {
  const cluster::ImportFormat& format = cluster::import_formats()[index];
  const std::string name(format.name);
  return {"import",
          name,
          fmt::format("Read {} as a document", format.help),
          {{"file", Kind::required, "The file; - for standard input"},
           {"apply", Kind::flag, "Apply the document at once instead of printing it"},
           {"dry-run", Kind::flag, "With --apply: show what would be changed"},
           {"why", Kind::option, "With --apply: reason, kept in the history"}},
          {fmt::format("drover import {} {} > cluster.yaml", name, file),
           fmt::format("drover import {} {} --apply --dry-run", name, file)},
          handler};
}

}  // namespace

std::vector<Command> import_commands() {
  return {command(0, "/etc/warewulf/nodes.conf", import_with<0>),
          command(1, "lsdef.stanza", import_with<1>), command(2, "/etc/hosts", import_with<2>),
          command(3, "/etc/slurm/slurm.conf", import_with<3>),
          command(4, "nodes.yaml", import_with<4>)};
}

}  // namespace drover::cli
