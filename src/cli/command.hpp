// A command as data: from the one table of these come parsing, --help and shell completion.
#pragma once

#include "base/result.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cli {

class Context;

/// What the user gave for a command's own parameters.
class Given {
 public:
  void set(const std::string& name, std::vector<std::string> values) {
    values_[name] = std::move(values);
  }
  [[nodiscard]] bool has(std::string_view name) const { return values_.contains(name); }
  /// The value, or "" when it was not given.
  [[nodiscard]] const std::string& text(std::string_view name) const;
  /// Every value of a repeated parameter.
  [[nodiscard]] const std::vector<std::string>& all(std::string_view name) const;

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

struct Parameter {
  enum class Kind {
    required,  ///< positional
    optional,  ///< positional
    many,      ///< positional, one or more
    any,       ///< positional, none or more
    option,    ///< --name VALUE; the last one counts
    repeated,  ///< --name VALUE, any number of times
    flag,      ///< --name
  };
  std::string name;  ///< positional: shown in upper case; option and flag: without the dashes
  Kind kind = Kind::option;
  std::string help;
  std::vector<std::string> choices = {};
  char letter = 0;  ///< of an option or flag: -x besides --name; 0: none
};

struct Command {
  /// The exit code, or what went wrong.
  using Handler = Result<int> (*)(Context& context, const Given& given);

  std::string noun;
  std::string verb;  ///< empty: the noun alone is the command
  std::string help;
  std::vector<Parameter> parameters;
  std::vector<std::string> examples;  ///< whole command lines
  Handler handler = nullptr;
};

struct Noun {
  std::string name;
  std::string help;  ///< of nouns that have verbs
};

/// Every command, in the order of --help.
const std::vector<Command>& commands();
const std::vector<Noun>& nouns();

/// Options of every command.
const std::vector<Parameter>& global_parameters();

}  // namespace drover::cli
