// The one file that knows CLI11: builds its parser from the command table.
#include "cli/parse.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <list>
#include <map>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <fmt/ranges.h>

namespace drover::cli {
namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) {
    return c == '-' ? '_' : static_cast<char>(std::toupper(c));
  });
  return out;
}

/// One parameter's place to be parsed into; must stay put while the parser lives.
struct Slot {
  const Parameter* parameter = nullptr;
  std::vector<std::string> values;
  bool flag = false;
  CLI::Option* option = nullptr;
};

/// The library's help without its double empty lines.
std::string tidy(std::string help) {
  for (size_t at = 0; (at = help.find("\n\n\n", at)) != std::string::npos;) help.erase(at, 1);
  return help;
}

class TableParser {
 public:
  TableParser() : app_("Drover, a cluster system manager", "drover") {
    app_.require_subcommand(0, 1);
    app_.set_help_flag("-h,--help", "Show this help");
    app_.set_version_flag("--version", "drover " DROVER_VERSION);
    app_.option_defaults()->group("Options of every command");
    for (const Parameter& parameter : global_parameters()) add(app_, parameter, globals_);
    app_.footer("Every command has its own --help with examples: drover node list --help");
    for (const Noun& noun : nouns()) {
      CLI::App* app = app_.add_subcommand(noun.name, noun.help);
      prepare(*app);
      app->require_subcommand(0, 1);
      with_verbs_.emplace(noun.name, app);
    }
    for (const Command& command : commands()) add(command);
  }

  Invocation parse(std::vector<std::string> arguments) {
    Invocation out;
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
    try {
      app_.parse(std::move(arguments));
    } catch (const CLI::CallForHelp&) {
      out.text = tidy(app_.help());
      return out;
    } catch (const CLI::CallForAllHelp&) {
      out.text = tidy(app_.help("", CLI::AppFormatMode::All));
      return out;
    } catch (const CLI::CallForVersion& version) {
      out.text = std::string(version.what()) + "\n";
      return out;
    } catch (const CLI::Error& error) {
      return usage_error(error.what());
    }
    return chosen();
  }

 private:
  struct Entry {
    const Command* command;
    CLI::App* app;
    std::list<Slot> slots;
  };

  static void prepare(CLI::App& app) {
    app.set_help_flag("-h,--help", "Show this help")->group("Options");
    app.fallthrough();  // so that global options may stand at the end
    app.option_defaults()->group("Options");
  }

  static void add(CLI::App& app, const Parameter& parameter, std::list<Slot>& slots) {
    Slot& slot = slots.emplace_back();
    slot.parameter = &parameter;
    std::string flag = "--" + parameter.name;
    if (parameter.letter != 0) flag.insert(0, {'-', parameter.letter, ','});
    using Kind = Parameter::Kind;
    switch (parameter.kind) {
      case Kind::flag:
        slot.option = app.add_flag(flag, slot.flag, parameter.help);
        return;
      case Kind::option:
        slot.option = app.add_option(flag, slot.values, parameter.help);
        slot.option->type_name(upper(parameter.name))->expected(1)->take_last();
        slot.option->allow_extra_args(false);  // or it would swallow the arguments after it
        break;
      case Kind::repeated:
        slot.option = app.add_option(flag, slot.values, parameter.help);
        slot.option->type_name(upper(parameter.name))->expected(1)->take_all();
        slot.option->allow_extra_args(false);
        break;
      case Kind::required:
      case Kind::optional:
        slot.option = app.add_option(upper(parameter.name), slot.values, parameter.help);
        slot.option->type_name("")->expected(1)->allow_extra_args(false);
        slot.option->required(parameter.kind == Kind::required);
        slot.option->group("Positionals");
        break;
      case Kind::many:
      case Kind::any:
        slot.option = app.add_option(upper(parameter.name), slot.values, parameter.help);
        slot.option->type_name("")->expected(1, CLI::detail::expected_max_vector_size);
        slot.option->required(parameter.kind == Kind::many);
        slot.option->group("Positionals");
        break;
    }
    if (!parameter.choices.empty()) {
      slot.option->check(CLI::IsMember(parameter.choices).description(""));
      slot.option->type_name(fmt::format("{}", fmt::join(parameter.choices, "|")));
    }
  }

  void add(const Command& command) {
    CLI::App* parent = &app_;
    if (!command.verb.empty()) parent = with_verbs_.at(command.noun);
    CLI::App* app =
        parent->add_subcommand(command.verb.empty() ? command.noun : command.verb, command.help);
    prepare(*app);
    Entry& entry = entries_.emplace_back(Entry{&command, app, {}});
    for (const Parameter& parameter : command.parameters) add(*app, parameter, entry.slots);
    if (!command.examples.empty()) {
      app->footer(fmt::format("Examples:\n  {}", fmt::join(command.examples, "\n  ")));
    }
  }

  static void collect(const std::list<Slot>& slots, Given& into) {
    for (const Slot& slot : slots) {
      if (slot.flag) {
        into.set(slot.parameter->name, {"true"});
      } else if (slot.option->count() > 0 && !slot.values.empty()) {
        into.set(slot.parameter->name, slot.values);
      }
    }
  }

  Invocation chosen() {
    Invocation out;
    for (const Entry& entry : entries_) {
      if (!entry.app->parsed()) continue;
      out.command = entry.command;
      collect(entry.slots, out.given);
      collect(globals_, out.globals);
      return out;
    }
    for (const auto& [name, app] : with_verbs_) {
      if (!app->parsed()) continue;
      out.text = tidy(app->help("drover"));
      out.exit_code = 2;
      return out;
    }
    out.text = tidy(app_.help());
    out.exit_code = 2;
    return out;
  }

  Invocation usage_error(std::string what) {
    // The deepest command that was reached tells which help to read.
    std::string at = "drover";
    const CLI::App* app = &app_;
    while (!app->get_subcommands().empty()) {
      app = app->get_subcommands().front();
      at += " " + app->get_name();
    }
    const auto stray = app_.remaining(true);
    if (!stray.empty() && stray[0].starts_with("-")) {
      what = fmt::format("{} is not an option of {}{}", stray[0], at,
                         option_suggestion(*app, stray[0]));
    } else if (!stray.empty()) {
      const auto noun = with_verbs_.find(app->get_name());
      if (app == &app_) {
        what = fmt::format("{} is not a command{}", stray[0], suggestion(app_, stray[0]));
      } else if (noun != with_verbs_.end()) {
        what = fmt::format("{} is not a verb of {}{}", stray[0], at,
                           suggestion(*noun->second, stray[0]));
      }
    }
    std::replace(what.begin(), what.end(), '\n', ' ');
    Invocation out;
    out.text = fmt::format("drover: {}\nnext: {} --help\n", printable(what), at);
    out.exit_code = 2;
    return out;
  }

  static std::string suggestion(CLI::App& app, std::string_view word) {
    std::vector<std::string> names;
    for (const CLI::App* sub : app.get_subcommands([](CLI::App*) { return true; })) {
      names.push_back(sub->get_name());
    }
    const std::vector<std::string_view> views(names.begin(), names.end());
    const std::string_view best = nearest(word, views);
    return best.empty() ? std::string() : fmt::format("; did you mean {}?", best);
  }

  std::string option_suggestion(const CLI::App& app, std::string_view word) {
    std::vector<std::string> names;
    for (const CLI::App* from : {&app, static_cast<const CLI::App*>(&app_)}) {
      for (const CLI::Option* option : from->get_options()) {
        for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
      }
    }
    const std::vector<std::string_view> views(names.begin(), names.end());
    const std::string_view best = nearest(word.substr(0, word.find('=')), views);
    return best.empty() ? std::string() : fmt::format("; did you mean {}?", best);
  }

  CLI::App app_;
  std::list<Slot> globals_;
  std::map<std::string, CLI::App*> with_verbs_;
  std::list<Entry> entries_;
};

}  // namespace

Invocation parse(const std::vector<std::string>& arguments) {
  return TableParser().parse(arguments);
}

}  // namespace drover::cli
