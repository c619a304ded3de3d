// drover completion: scripts for bash, zsh and fish, made from the command table.
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"

#include <map>

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

bool is_dashed(const Parameter& parameter) {
  return parameter.kind == Kind::option || parameter.kind == Kind::flag ||
         parameter.kind == Kind::repeated;
}

/// What may follow a path of words such as "node list", word by word.
std::map<std::string, std::vector<std::string>> followers() {
  std::map<std::string, std::vector<std::string>> out;
  const auto add = [&](const std::string& path, const std::string& word) {
    auto& words = out[path];
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
  };
  for (const Command& command : commands()) {
    add("", command.noun);
    std::string path = command.noun;
    if (!command.verb.empty()) {
      add(path, command.verb);
      path += " " + command.verb;
    }
    for (const Parameter& parameter : command.parameters) {
      if (is_dashed(parameter)) {
        add(path, "--" + parameter.name);
      } else {
        for (const std::string& choice : parameter.choices) add(path, choice);
      }
    }
    for (const Parameter& parameter : global_parameters()) add(path, "--" + parameter.name);
    add(path, "--help");
  }
  return out;
}

std::map<std::string, std::string> option_choices() {
  std::map<std::string, std::string> out;
  const auto take = [&](const Parameter& parameter) {
    if (!is_dashed(parameter) || parameter.choices.empty()) return;
    std::string words;
    for (const std::string& choice : parameter.choices) words += choice + " ";
    words.pop_back();
    out["--" + parameter.name] = words;
  };
  for (const Parameter& parameter : global_parameters()) take(parameter);
  for (const Command& command : commands()) {
    for (const Parameter& parameter : command.parameters) take(parameter);
  }
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::string bash_script() {
  std::string out =
      "# drover(1) completion for bash: source <(drover completion bash)\n"
      "_drover() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path='' w n=0\n"
      "  for w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    [[ $w == -* ]] && break\n"
      "    path=\"${path:+$path }$w\"; n=$((n+1)); [[ $n -ge 2 ]] && break\n"
      "  done\n"
      "  case $prev in\n";
  for (const auto& [option, words] : option_choices()) {
    const std::string also = option == "--output" ? "|-o" : "";
    out += fmt::format("    {}{}) COMPREPLY=($(compgen -W '{}' -- \"$cur\")); return;;\n", option,
                       also, words);
  }
  out +=
      "    --cert|--key|--ca|--socket|--dir) COMPREPLY=($(compgen -f -- \"$cur\")); return;;\n"
      "  esac\n"
      "  local words=''\n"
      "  case $path in\n";
  for (const auto& [path, words] : followers()) {
    // Below a command without verbs the second word is an argument already.
    const bool whole = path.empty() || path.find(' ') != std::string::npos;
    const bool has_verbs = !whole && std::any_of(nouns().begin(), nouns().end(),
                                                 [&](const Noun& n) { return n.name == path; });
    const std::string pattern = path.empty()         ? "''"
                                : whole || has_verbs ? fmt::format("'{}'", path)
                                                     : fmt::format("'{}'|'{} '*", path, path);
    out += fmt::format("    {}) words='{}';;\n", pattern, joined(words));
  }
  out +=
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
      "}\n"
      "complete -F _drover drover\n";
  return out;
}

std::string zsh_script() {
  return "#compdef drover\n"
         "# drover(1) completion for zsh: drover completion zsh > \"${fpath[1]}/_drover\"\n"
         "autoload -U +X bashcompinit && bashcompinit\n" +
         bash_script();
}

std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "'";
}

std::string fish_script() {
  std::string out =
      "# drover(1) completion for fish: drover completion fish | source\n"
      "complete -c drover -f\n";
  for (const Noun& noun : nouns()) {
    out += fmt::format("complete -c drover -n __fish_use_subcommand -a {} -d {}\n", noun.name,
                       fish_quoted(noun.help));
  }
  const auto dashed = [&](const std::string& condition, const Parameter& parameter) {
    if (!is_dashed(parameter)) return;
    std::string line = "complete -c drover";
    if (!condition.empty()) line += " -n " + fish_quoted(condition);
    line += " -l " + parameter.name;
    if (parameter.kind != Kind::flag) line += " -r";
    if (!parameter.choices.empty()) line += " -a " + fish_quoted(joined(parameter.choices));
    out += line + " -d " + fish_quoted(parameter.help) + "\n";
  };
  for (const Command& command : commands()) {
    std::string condition = "__fish_seen_subcommand_from " + command.noun;
    if (command.verb.empty()) {
      out += fmt::format("complete -c drover -n __fish_use_subcommand -a {} -d {}\n", command.noun,
                         fish_quoted(command.help));
    } else {
      out += fmt::format("complete -c drover -n {} -a {} -d {}\n", fish_quoted(condition),
                         command.verb, fish_quoted(command.help));
      condition += "; and __fish_seen_subcommand_from " + command.verb;
    }
    for (const Parameter& parameter : command.parameters) dashed(condition, parameter);
  }
  for (const Parameter& parameter : global_parameters()) dashed({}, parameter);
  return out;
}

Result<int> completion(Context& context, const Given& given) {
  const std::string& shell = given.text("shell");
  context.print(shell == "bash" ? bash_script() : shell == "zsh" ? zsh_script() : fish_script());
  return 0;
}

}  // namespace

std::vector<Command> completion_commands() {
  return {{"completion",
           "",
           "Print a completion script for a shell",
           {{"shell", Kind::required, "bash, zsh or fish", {"bash", "zsh", "fish"}}},
           {"source <(drover completion bash)", "drover completion fish | source"},
           completion}};
}

}  // namespace drover::cli
