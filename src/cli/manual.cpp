#include "cli/manual.hpp"

#include "base/result.hpp"
#include "base/roff.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;
using Pair = std::pair<std::string_view, std::string_view>;

constexpr std::string_view kSource = "Drover " DROVER_VERSION;

constexpr std::array<Pair, 6> kExits{
    {{"0", "All went well."},
     {"1", "Some nodes failed, or what was asked for is not there."},
     {"2", "The command line is wrong; the message names the place and what to type instead."},
     {"3", "The daemon or master cannot be reached, or did not answer in time."},
     {"4", "Not allowed."},
     {"5", "Somebody else changed it first, or its state does not allow it."}}};

constexpr std::array<Pair, 8> kVariables{
    {{"DROVER_SOCKET", "The local daemon's Unix socket; as --socket."},
     {"DROVER_SERVER", "A master elsewhere, https://HOST:PORT; as --server."},
     {"DROVER_CERT", "Own certificate for DROVER_SERVER; as --cert."},
     {"DROVER_KEY", "Its private key; as --key."},
     {"DROVER_CA", "The cluster's CA for DROVER_SERVER; as --ca."},
     {"DROVER_CONFIRM_ABOVE",
      "A change of more nodes than this is asked about; stronger than the cluster's setting "
      "confirm.above (16)."},
     {"DROVER_TOKEN", "Join token for drover join."},
     {"NO_COLOR", "Set and not empty: no colours."}}};

constexpr std::array<Pair, 7> kForms{
    {{"table", "Columns for people; nodes that agree in all of them folded into one row."},
     {"wide", "A row for each, with more columns."},
     {"json", "What the API gave, in one document; terminals cannot be steered by it."},
     {"jsonl", "One JSON object a line."},
     {"yaml", "The same as json, in YAML."},
     {"csv", "RFC 4180, the columns of wide, raw values."},
     {"name", "Names alone, one a line: for drover nodes fold -, xargs and the like."}}};

constexpr std::string_view kAbout =
    "drover shows and steers a cluster through the daemon of this host: it asks the Unix socket of "
    "a drover-master, drover-utility, drover-aggregator or drover-compute, which passes requests "
    "on to a master under the caller's own identity. With --server it asks a master elsewhere.";

constexpr std::string_view kRanges =
    "NODERANGE is an expression that names nodes: n[1-8], rack[1-2]n[01-16/2], n1-n4, @group, "
    "compute,-n3 (without), rack1@phase=up (both), rack1^rack2 (one of both), ~^login, * (all). "
    "drover explain noderange has the whole grammar. Quote it for the shell.";

bool is_dashed(const Parameter& parameter) {
  return parameter.kind == Kind::option || parameter.kind == Kind::flag ||
         parameter.kind == Kind::repeated;
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) {
    return c == '-' ? '_' : static_cast<char>(std::toupper(c));
  });
  return out;
}

/// "--why WHY", "-o, --output table|wide".
std::string dashed_text(const Parameter& parameter) {
  std::string out = parameter.letter == 0 ? "" : fmt::format("-{}, ", parameter.letter);
  out += "--" + parameter.name;
  if (parameter.kind == Kind::flag) return out;
  return out + " " +
         (parameter.choices.empty() ? upper(parameter.name)
                                    : fmt::format("{}", fmt::join(parameter.choices, "|")));
}

std::string positional_text(const Parameter& parameter) {
  const std::string name = parameter.choices.empty()
                               ? upper(parameter.name)
                               : fmt::format("{}", fmt::join(parameter.choices, "|"));
  if (parameter.kind == Kind::optional) return "[" + name + "]";
  if (parameter.kind == Kind::any) return "[" + name + "..]";
  return parameter.kind == Kind::many ? name + ".." : name;
}

std::string command_name(const Command& command) {
  return command.verb.empty() ? command.noun : command.noun + " " + command.verb;
}

std::string parameters_roff(const std::vector<Parameter>& parameters) {
  std::string out;
  for (const Parameter& parameter : parameters) {
    const std::string term =
        is_dashed(parameter) ? dashed_text(parameter) : positional_text(parameter);
    const std::string_view more = parameter.kind == Kind::repeated ? " (may be repeated)" : "";
    out += roff::item(roff::bold(term), fmt::format("{}{}", parameter.help, more));
  }
  return out;
}

template <typename List>
std::string pairs_roff(const List& list) {
  std::string out;
  for (const auto& [term, text] : list) out += roff::item(roff::bold(term), text);
  return out;
}

std::string command_roff(const Command& command) {
  std::string out = roff::subsection(synopsis(command));
  out += roff::plain(command.help) + ".\n";
  out += parameters_roff(command.parameters);
  if (!command.examples.empty()) {
    out += roff::example(fmt::format("{}", fmt::join(command.examples, "\n")));
  }
  return out;
}

std::string noun_page(const Noun& noun) {
  std::string out = roff::title("drover-" + noun.name, "1", kSource);
  out += roff::section("name");
  out += fmt::format("drover\\-{} \\- {}\n", roff::plain(noun.name), roff::plain(noun.help));
  out += roff::section("synopsis");
  for (const Command& command : commands()) {
    if (command.noun == noun.name) out += fmt::format("{}\n.br\n", roff::bold(synopsis(command)));
  }
  out += roff::section("commands");
  bool ranges = false;
  for (const Command& command : commands()) {
    if (command.noun != noun.name) continue;
    out += command_roff(command);
    ranges = ranges || std::any_of(command.parameters.begin(), command.parameters.end(),
                                   [](const Parameter& p) { return p.name == "noderange"; });
  }
  if (ranges) out += roff::section("noderanges") + roff::plain(kRanges) + "\n";
  out += roff::section("see also");
  return out + ".BR drover (1)\nfor the options of every command, exit status and environment\n";
}

std::string main_page() {
  std::string out = roff::title("drover", "1", kSource);
  out += roff::section("name") + "drover \\- show and steer a cluster\n";
  out += roff::section("synopsis");
  out += fmt::format("{} {} [{}] [{}] [{}]\n", roff::bold("drover"), roff::italic("NOUN"),
                     roff::italic("VERB"), roff::italic("ARGUMENT.."), roff::italic("OPTION.."));
  out +=
      roff::section("description") + roff::plain(kAbout) + "\n.PP\n" + roff::plain(kRanges) + "\n";
  out += roff::section("commands");
  for (const Noun& noun : manual_nouns()) {
    out += roff::item(fmt::format("\\fBdrover\\-{}\\fR(1)", roff::plain(noun.name)), noun.help);
  }
  out += roff::section("options") + "These stand anywhere on the line.\n";
  out += parameters_roff(global_parameters());
  out += roff::item(roff::bold("-h, --help"), "Help of the command, with examples");
  out += roff::item(roff::bold("--version"), "The version of this program");
  out += roff::section("forms of output") + pairs_roff(kForms);
  out += roff::section("exit status") + pairs_roff(kExits);
  out += roff::section("environment") + pairs_roff(kVariables);
  out += roff::section("files");
  out += roff::item(roff::bold("/run/drover/*.sock"),
                    "Sockets of this host's daemons, tried in "
                    "this order: master, utility, aggregator, "
                    "compute");
  out += roff::section("see also");
  return out +
         ".BR drover\\-master (8),\n.BR drover\\-aggregator (8),\n.BR drover\\-utility (8),\n"
         ".BR drover\\-compute (8)\n";
}

std::string markdown_cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

std::string parameters_markdown(const std::vector<Parameter>& parameters) {
  std::string out;
  for (const Parameter& parameter : parameters) {
    const std::string term =
        is_dashed(parameter) ? dashed_text(parameter) : positional_text(parameter);
    out += fmt::format("- `{}`: {}\n", term, parameter.help);
  }
  return out;
}

template <typename List>
std::string pairs_markdown(std::string_view head, const List& list) {
  std::string out = fmt::format("| {} | |\n|---|---|\n", head);
  for (const auto& [term, text] : list) {
    out += fmt::format("| `{}` | {} |\n", term, markdown_cell(text));
  }
  return out + "\n";
}

}  // namespace

std::string synopsis(const Command& command) {
  std::string out = "drover " + command_name(command);
  for (const Parameter& parameter : command.parameters) {
    out += is_dashed(parameter) ? fmt::format(" [{}]", dashed_text(parameter))
                                : " " + positional_text(parameter);
  }
  return out;
}

std::vector<Noun> manual_nouns() {
  std::vector<Noun> out;
  for (const Command& command : commands()) {
    const auto known = [&](const Noun& noun) { return noun.name == command.noun; };
    if (std::any_of(out.begin(), out.end(), known)) continue;
    const auto named = std::find_if(nouns().begin(), nouns().end(), known);
    out.push_back({command.noun, named == nouns().end() ? command.help : named->help});
  }
  return out;
}

std::vector<ManualPage> manual_pages() {
  std::vector<ManualPage> out{{"drover.1", main_page()}};
  for (const Noun& noun : manual_nouns()) {
    out.push_back({"drover-" + noun.name + ".1", noun_page(noun)});
  }
  return out;
}

std::string manual_markdown() {
  std::string out =
      "# The command line\n\n"
      "Made from the command table by the tests "
      "(`DROVER_UPDATE_GOLDEN=1 build/dev/bin/cli_test`); do not edit.\n\n";
  out += fmt::format("{}\n\n{}\n\n", kAbout, kRanges);
  for (const Noun& noun : manual_nouns()) {
    out += fmt::format("## drover {}\n\n{}.\n\n", noun.name, noun.help);
    for (const Command& command : commands()) {
      if (command.noun != noun.name) continue;
      if (!command.verb.empty()) {
        out += fmt::format("### drover {}\n\n{}.\n\n", command_name(command), command.help);
      }
      out += parameters_markdown(command.parameters);
      if (!command.parameters.empty()) out.push_back('\n');
      out += fmt::format("```sh\n{}\n```\n\n", fmt::join(command.examples, "\n"));
    }
  }
  out += "## Options of every command\n\n" + parameters_markdown(global_parameters()) + "\n";
  out += "## Forms of output\n\n" + pairs_markdown("`-o`", kForms);
  out += "## Exit codes\n\n" + pairs_markdown("code", kExits);
  out += "## Environment\n\n" + pairs_markdown("variable", kVariables);
  out.pop_back();
  return out;
}

}  // namespace drover::cli
