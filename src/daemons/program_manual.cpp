#include "daemons/program_manual.hpp"

#include "base/roff.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace drover::daemons {
namespace {

std::string flag_of(const ConfigOption& option) {
  std::string out = "--" + option.key;
  std::replace(out.begin(), out.end(), '.', '-');
  std::replace(out.begin(), out.end(), '_', '-');
  switch (option.type) {
    case ConfigType::boolean:
      return out;
    case ConfigType::duration:
      return out + "=TIME";
    case ConfigType::bytes:
      return out + "=SIZE";
    case ConfigType::integer:
      return out + "=NUMBER";
    case ConfigType::path:
      return out + "=PATH";
    case ConfigType::choice:
      return fmt::format("{}={}", out, fmt::join(option.choices, "|"));
    default:
      return out + "=TEXT";
  }
}

std::string variable_of(const ConfigOption& option) {
  std::string out = "DROVER_" + option.key;
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) {
    return c == '.' ? '_' : static_cast<char>(std::toupper(c));
  });
  return out;
}

std::string text_of(const ConfigOption& option) {
  std::string out = option.help;
  if (!option.standard.empty()) out += fmt::format("; default {}", option.standard);
  out +=
      fmt::format(".\nIn the file: {}. In the environment: {}.", option.key, variable_of(option));
  return out;
}

}  // namespace

std::string manual_page(const ConfigTable& table) {
  const std::string& program = table.program();
  const std::string file =
      fmt::format("/etc/drover/{}.toml", program.substr(program.find('-') + 1));
  std::string out = roff::title(program, "8", "Drover " DROVER_VERSION);
  out += roff::section("name");
  std::string summary = table.summary();
  while (summary.ends_with('.')) summary.pop_back();
  out += fmt::format("{} \\- {}\n", roff::plain(program), roff::plain(summary));
  out += roff::section("synopsis");
  out += fmt::format("{} [{}]\n", roff::bold(program), roff::italic("OPTION.."));
  out += roff::section("description");
  out +=
      roff::plain(
          "A daemon of the cluster system manager Drover. Each setting may be given as an option, "
          "in the environment and in one TOML file, in this order of strength; a key such as "
          "tree.heartbeat is heartbeat in the file's section [tree]. SIGHUP reads the file again "
          "and applies what can change live; SIGTERM and SIGINT stop the daemon in order.") +
      "\n";
  out += roff::section("options");
  for (const ConfigOption& option : table.options()) {
    out += roff::item(roff::bold(flag_of(option)), text_of(option));
  }
  out += roff::item(roff::bold("--config=FILE"),
                    fmt::format("Read settings from this file; default {}.", file));
  out += roff::item(roff::bold("--help"), "Show the options.");
  out += roff::item(roff::bold("--version"), "Show the version.");
  out += roff::item(roff::bold("--man"), "Print this page.");
  out += roff::section("exit status");
  out += roff::item(roff::bold("0"), "Stopped in order.");
  out += roff::item(roff::bold("78"),
                    "A setting or what it names is wrong; the message says which. systemd does not "
                    "start it again.");
  out += roff::section("files") + roff::item(roff::bold(file), "Settings.");
  out += roff::section("see also");
  return out + ".BR drover (1)\n";
}

}  // namespace drover::daemons
