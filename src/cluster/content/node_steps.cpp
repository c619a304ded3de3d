// A step says only what its kind needs, so that what is written has a meaning.
#include "cluster/content/node_steps.hpp"

#include "cluster/content/owner.hpp"
#include "cluster/field_rules.hpp"
#include "cluster/node_spec.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

constexpr std::array<std::string_view, 4> kKindNames{"module", "mount", "file", "command"};
constexpr std::array<std::string_view, 2> kFailureNames{"stop", "continue"};
constexpr size_t kMaxWord = 4096;
constexpr size_t kMaxPath = 1024;

/// A text of one line that a program or the kernel is given.
Status check_word(const std::string& field, std::string_view value, bool needed) {
  if (needed && value.empty()) return bad_field(field, value, "a step of this kind needs it");
  return check_plain_text(field, value, kMaxWord);
}

/// Which fields a kind has.
Status check_alien(const Step& step, const std::string& at) {
  struct Row {
    std::string_view name;
    bool said;
    bool fits;
  };
  const StepKind kind = step.kind;
  const std::array rows{
      Row{"module", !step.module.empty(), kind == StepKind::module},
      Row{"source", !step.source.empty(), kind == StepKind::mount},
      Row{"target", !step.target.empty(), kind == StepKind::mount},
      Row{"type", !step.type.empty(), kind == StepKind::mount},
      Row{"options", !step.options.empty(), kind == StepKind::mount || kind == StepKind::module},
      Row{"path", !step.path.empty(), kind == StepKind::file},
      Row{"content", !step.content.empty(), kind == StepKind::file},
      Row{"mode", !step.mode.empty(), kind == StepKind::file},
      Row{"command", !step.command.empty(), kind == StepKind::command}};
  const auto* const alien =
      std::ranges::find_if(rows, [](const Row& row) { return row.said && !row.fits; });
  if (alien == rows.end()) return {};
  return bad_field(fmt::format("{}{}", at, alien->name), "..",
                   fmt::format("a step of kind {} has no such field", enum_name(kind)));
}

Status check_module(const Step& step, const std::string& at) {
  DROVER_CHECK_OK(check_word(at + "module", step.module, true));
  const bool plain = std::ranges::all_of(step.module, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
  if (!plain) return bad_field(at + "module", step.module, "expected the name of a kernel module");
  return check_word(at + "options", step.options, false);
}

Status check_mount(const Step& step, const std::string& at) {
  DROVER_CHECK_OK(check_word(at + "source", step.source, true));
  DROVER_CHECK_OK(check_node_path(at + "target", step.target));
  DROVER_CHECK_OK(check_word(at + "type", step.type, false));
  return check_word(at + "options", step.options, false);
}

Status check_file(Step& step, const std::string& at) {
  DROVER_CHECK_OK(check_node_path(at + "path", step.path));
  if (step.content.size() > kMaxStepFile) {
    return fail(Code::too_large, fmt::format("{}content: longer than {} bytes", at, kMaxStepFile));
  }
  if (step.mode.empty()) return {};
  const auto bits = mode_bits(step.mode);
  if (!bits) return bad_field(at + "mode", step.mode, "expected octal digits, such as 0644");
  step.mode = fmt::format("{:04o}", *bits);
  return {};
}

Status check_command(const Step& step, const std::string& at) {
  if (step.command.empty() || step.command.front().empty()) {
    return bad_field(at + "command", "", "expected a program and its arguments, as a list");
  }
  if (step.command.size() > kMaxStepArguments) {
    return bad_field(at + "command", fmt::format("{} words", step.command.size()),
                     fmt::format("expected at most {}", kMaxStepArguments));
  }
  for (size_t i = 0; i < step.command.size(); ++i) {
    const std::string& word = step.command[i];
    const bool good = word.size() <= kMaxWord && word.find('\0') == std::string::npos;
    if (good) continue;
    return bad_field(fmt::format("{}command[{}]", at, i), word,
                     fmt::format("expected at most {} bytes, none of them zero", kMaxWord));
  }
  const std::string& program = step.command.front();
  if (program.front() == '/' || program.find('/') == std::string::npos) return {};
  return bad_field(at + "command[0]", program, "expected a name or an absolute path");
}

}  // namespace

std::span<const std::string_view> enum_names(StepKind) {
  return kKindNames;
}
std::span<const std::string_view> enum_names(OnFailure) {
  return kFailureNames;
}

void Step::describe(Visitor& v) {
  v.field("name", name, "Its name; a stronger owner's step of the same name takes its place.");
  v.field("kind", kind, "What it does: module, mount, file or command.");
  v.field("timeout_s", timeout_s, "It is ended after so many seconds: 1 to 3600.",
          Presence::optional);
  v.field("on_failure", on_failure,
          "stop: the node is in phase error; continue: it is told, and the next step runs.",
          Presence::optional);
  v.field("module", module, "Of a module: its name.", Presence::optional);
  v.field("source", source, "Of a mount: the device, or HOST:/PATH.", Presence::optional);
  v.field("target", target, "Of a mount: the folder, made when it is not there.",
          Presence::optional);
  v.field("type", type, "Of a mount: the file system; empty: what mount finds.",
          Presence::optional);
  v.field("options", options, "Of a module or mount.", Presence::optional);
  v.field("path", path, "Of a file: where it is written.", Presence::optional);
  v.field("content", content, "Of a file: what is in it.", Presence::optional);
  v.field("mode", mode, "Of a file: its permissions in octal digits; empty: 0644.",
          Presence::optional);
  v.field("command", command, "Of a command: the program and its arguments; no shell reads them.",
          Presence::optional);
}

void StepList::describe(Visitor& v) {
  v.field("name", name, "Whose they are: node/NAME, group/NAME or profile/NAME.");
  v.field("steps", steps, "In the order in which they run.", Presence::optional);
}

Status check_node_path(std::string_view field, std::string_view path) {
  constexpr std::string_view kRule = "expected an absolute path without '.', '..' and '//'";
  if (path.size() < 2 || path.front() != '/' || path.size() > kMaxPath) {
    return bad_field(field, path, kRule);
  }
  DROVER_CHECK_OK(check_plain_text(field, path, kMaxPath));
  for (size_t at = 1; at <= path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    if (part.empty() || part == "." || part == "..") return bad_field(field, path, kRule);
    at = end + 1;
  }
  for (const std::string_view own : {"/proc", "/sys", "/dev"}) {
    if (path != own && !path.starts_with(fmt::format("{}/", own))) continue;
    return bad_field(field, path, fmt::format("{} is the kernel's", own));
  }
  return {};
}

Status normalise(Step& step, std::string_view field) {
  const std::string at = fmt::format("{}.", field);
  DROVER_CHECK_OK(check_set_name(at + "name", step.name));
  if (step.timeout_s == 0 || step.timeout_s > kMostStepSeconds) {
    return bad_field(at + "timeout_s", std::to_string(step.timeout_s),
                     fmt::format("expected 1 to {}", kMostStepSeconds));
  }
  DROVER_CHECK_OK(check_alien(step, at));
  switch (step.kind) {
    case StepKind::module:
      return check_module(step, at);
    case StepKind::mount:
      return check_mount(step, at);
    case StepKind::file:
      return check_file(step, at);
    case StepKind::command:
      break;
  }
  return check_command(step, at);
}

Status normalise(StepList& list) {
  DROVER_TRY(const Owner owner, parse_owner("name", list.name));
  list.name = owner.text();
  if (list.steps.size() > kMaxSteps) {
    return bad_field("steps", fmt::format("{} steps", list.steps.size()),
                     fmt::format("expected at most {}", kMaxSteps));
  }
  std::set<std::string_view> names;
  for (size_t i = 0; i < list.steps.size(); ++i) {
    const std::string field = fmt::format("steps[{}]", i);
    DROVER_CHECK_OK(normalise(list.steps[i], field));
    if (names.insert(list.steps[i].name).second) continue;
    return bad_field(field + ".name", list.steps[i].name, "a step of this name comes before it");
  }
  return {};
}

}  // namespace drover::cluster
