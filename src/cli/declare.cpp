#include "cli/declare.hpp"

#include "base/json_values.hpp"
#include "base/text.hpp"
#include "base/yaml_read.hpp"
#include "cli/style.hpp"
#include "net/http/target.hpp"

#include <fmt/core.h>

namespace drover::cli {
namespace {

constexpr Duration kApplyTime = std::chrono::minutes(2);
constexpr size_t kMostText = size_t{32} << 20;

const json::array& items_at(const json::value& in, std::string_view key) {
  static const json::array none;
  const json::value* found = find_path(in, key);
  return found != nullptr && found->is_array() ? found->get_array() : none;
}

uint64_t number_at(const json::value& in, std::string_view key) {
  const json::value* found = find_path(in, key);
  return found != nullptr && found->is_number() ? found->to_number<uint64_t>() : 0;
}

bool truth_at(const json::value& in, std::string_view key) {
  return text_at(in, key) == "true";
}

/// A field's value: texts bare, nothing as "-".
std::string value_text(const json::value& in, std::string_view key) {
  const json::value* found = find_path(in, key);
  if (found == nullptr || found->is_null()) return "-";
  const std::string text = scalar_text(*found);
  return text.empty() ? "\"\"" : text;
}

/// "/nodes/n[1-4]/interfaces/0/mac" as "nodes.n[1-4].interfaces.0.mac".
std::string pointer_text(std::string_view pointer) {
  std::string out;
  for (size_t i = pointer.starts_with('/') ? 1 : 0; i < pointer.size(); ++i) {
    const bool escape = pointer[i] == '~' && i + 1 < pointer.size();
    if (escape) {
      out.push_back(pointer[++i] == '1' ? '/' : '~');
    } else {
      out.push_back(pointer[i] == '/' ? '.' : pointer[i]);
    }
  }
  return printable(out);
}

std::string path_of(const ApplyFlags& flags, bool dry_run) {
  std::string out = "/api/v1/apply";
  char join = '?';
  const auto add = [&](std::string_view name, const std::string& value) {
    out += fmt::format("{}{}={}", std::exchange(join, '&'), name, net::percent_encode(value));
  };
  if (dry_run) add("dry_run", "true");
  if (flags.prune) add("prune", "true");
  if (flags.force) add("force", "true");
  if (!flags.name.empty()) add("name", flags.name);
  return out;
}

Result<json::value> post(Context& context, const json::value& document, const ApplyFlags& flags,
                         bool dry_run) {
  json::object body{{"document", document}, {"why", flags.why}};
  if (!flags.base.empty()) {
    DROVER_TRY(json::value base, parse_yaml(flags.base, YamlScalars::text));
    body.emplace("base", std::move(base));
  }
  DROVER_TRY(Client* const client, context.client());
  return client->send("POST", path_of(flags, dry_run), body, context.timeout(kApplyTime));
}

std::string dispute_line(const json::value& dispute) {
  std::string out = fmt::format("{} {}: {}", text_at(dispute, "kind"), text_at(dispute, "names"),
                                text_at(dispute, "field"));
  const std::string who = text_at(dispute, "who");
  out += fmt::format(" is {}", value_text(dispute, "in_force"));
  if (!who.empty()) {
    const std::string why = text_at(dispute, "why");
    out += fmt::format(", set by {} at {}{}", who, text_at(dispute, "when"),
                       why.empty() ? "" : fmt::format(" ({})", why));
  }
  return out;
}

std::string change_text(const json::value& change, bool colour) {
  const std::string action = text_at(change, "action");
  const bool create = action == "create";
  const bool remove = action == "remove";
  const uint64_t count = number_at(change, "count");
  const Tone tone = create ? Tone::good : remove ? Tone::bad : Tone::warning;
  std::string out = toned(fmt::format("{} {} {}",
                                      create   ? "+"
                                      : remove ? "-"
                                               : "~",
                                      text_at(change, "kind"), text_at(change, "names")),
                          tone, colour);
  if (count > 1) out += toned(fmt::format("  ({})", count), Tone::faint, colour);
  out += "\n";
  if (remove) return out;
  for (const json::value& field : items_at(change, "fields")) {
    const std::string name = text_at(field, "field");
    // That a new interface has the name it is listed under needs no line.
    if (create && name.starts_with("interfaces.") && name.ends_with(".name")) continue;
    out += create ? fmt::format("    {}: {}\n", name, value_text(field, "after"))
                  : fmt::format("    {}: {} -> {}\n", name, value_text(field, "before"),
                                value_text(field, "after"));
  }
  return out;
}

/// "cluster.yaml:12: ", "line 12: " of what was typed, or nothing.
std::string place_text(const std::string& place, size_t line) {
  if (place.empty()) return line > 0 ? fmt::format("line {}: ", line) : "";
  return line > 0 ? fmt::format("{}:{}: ", place, line) : place + ": ";
}

std::string summary(const json::value& plan, std::string_view done) {
  return fmt::format("{}{} created, {} changed, {} removed", done, number_at(plan, "created"),
                     number_at(plan, "changed"), number_at(plan, "removed"));
}

}  // namespace

Result<std::string> read_text(Context& context, const std::string& path) {
  Surroundings& surroundings = context.surroundings();
  if (path == "-") return surroundings.input();
  auto text = surroundings.disk.read_all(path, kMostText);
  if (!text) return fail_in("reading " + path, text.error());
  return text;
}

Result<json::value> parse_document(const DocumentText& document) {
  auto value = parse_yaml(document.text, YamlScalars::text);
  if (value) return value;
  // JSON with tabs is no YAML.
  const size_t start = document.text.find_first_not_of(" \t\r\n");
  if (start != std::string::npos && document.text[start] == '{') {
    if (auto as_json = parse_json(document.text)) return as_json;
  }
  return document.place.empty() ? tl::unexpected(value.error())
                                : fail_in(document.place, value.error());
}

Result<json::value> ask_plan(Context& context, const json::value& document,
                             const ApplyFlags& flags) {
  return post(context, document, flags, true);
}

std::vector<std::string> complaints_of(const json::value& plan, const DocumentText& document) {
  std::vector<std::string> out;
  LineMap lines;
  const json::array& problems = items_at(plan, "problems");
  if (!problems.empty()) (void)parse_yaml(document.text, YamlScalars::text, &lines);
  for (const json::value& problem : problems) {
    const json::value* held = find_path(problem, "pointer");
    const std::string pointer =
        held != nullptr && held->is_string() ? std::string(held->get_string()) : "";
    const size_t line = line_of(lines, pointer);
    const std::string path = pointer_text(pointer);
    out.push_back(fmt::format("{}{}{}{}", place_text(document.place, line), path,
                              path.empty() ? "" : ": ", text_at(problem, "message")));
  }
  const bool typed = document.place.empty();
  for (const json::value& conflict : items_at(plan, "conflicts")) {
    const json::value* says = find_path(conflict, "document");
    const bool dropped = says == nullptr || says->is_null();
    out.push_back(
        fmt::format("conflict: {}; it was {} when {}, and {} {}", dispute_line(conflict),
                    value_text(conflict, "base"),
                    typed ? "the editor was opened" : "the document was applied last",
                    typed ? "your text" : "the document",
                    dropped ? "no longer has it" : "says " + value_text(conflict, "document")));
  }
  return out;
}

std::string plan_text(const json::value& plan, const ApplyFlags& flags, bool colour) {
  std::string out;
  for (const json::value& change : items_at(plan, "changes")) out += change_text(change, colour);
  for (const json::value& kept : items_at(plan, "kept")) {
    out += toned(fmt::format("= {}; kept (the document has {})", dispute_line(kept),
                             value_text(kept, "document")),
                 Tone::faint, colour) +
           "\n";
  }
  for (const json::value& orphan : items_at(plan, "orphans")) {
    out += toned(fmt::format("? {} {}: no longer in the document{}", text_at(orphan, "kind"),
                             text_at(orphan, "names"),
                             flags.base.empty() ? "; --prune removes it" : "; it stays"),
                 Tone::faint, colour) +
           "\n";
  }
  return out;
}

Result<int> carry_out_plan(Context& context, const json::value& document, const json::value& plan,
                           const ApplyFlags& flags) {
  const bool changes = !items_at(plan, "changes").empty();
  const bool people = context.for_people();
  if (people) context.print(plan_text(plan, flags, context.output().colour));
  if (flags.dry_run || (!changes && !truth_at(plan, "remembers"))) {
    if (!people) return context.print_document(plan);
    context.print(changes ? summary(plan, "would be: ") + "\n" : "nothing to change\n");
    return 0;
  }
  const uint64_t count =
      number_at(plan, "created") + number_at(plan, "changed") + number_at(plan, "removed");
  DROVER_CHECK_OK(context.confirm_many(count, "apply " + summary(plan, "")));
  DROVER_TRY(const json::value done, post(context, document, flags, false));
  if (!people) return context.print_document(done);
  if (!changes) {
    context.print("nothing to change\n");
    return 0;
  }
  const uint64_t first = number_at(done, "first");
  const uint64_t last = number_at(done, "last");
  context.print(summary(done, "applied: ") +
                (first == last ? fmt::format(" (change {})\n", first)
                               : fmt::format(" (changes {} to {})\n", first, last)));
  return 0;
}

Result<int> run_apply(Context& context, const DocumentText& document, const ApplyFlags& flags) {
  DROVER_TRY(const json::value value, parse_document(document));
  DROVER_TRY(const json::value plan, ask_plan(context, value, flags));
  const auto complaints = complaints_of(plan, document);
  if (complaints.empty()) return carry_out_plan(context, value, plan, flags);
  const bool conflicts = items_at(plan, "problems").empty();
  if (!context.for_people()) {
    (void)context.print_document(plan);
  } else if (conflicts) {
    context.print(plan_text(plan, flags, context.output().colour));
  }
  for (const std::string& line : complaints) context.warn(line);
  context.warn(conflicts ? "nothing was changed; take their values into the document, or --force"
                         : "nothing was changed");
  return info(conflicts ? Code::conflict : Code::invalid_argument).exit_code;
}

}  // namespace drover::cli
