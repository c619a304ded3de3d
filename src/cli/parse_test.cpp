#include "cli/parse.hpp"

#include <gtest/gtest.h>

namespace drover::cli {
namespace {

/// A value that fits an option of these choices, or any text.
std::string value_of(const Parameter& parameter) {
  return parameter.choices.empty() ? "value" : parameter.choices.front();
}

TEST(Parse, AnOptionTakesOneValueAndLeavesThePlacesAlone) {
  size_t seen = 0;
  for (const Command& command : commands()) {
    std::vector<std::string> start{command.noun};
    if (!command.verb.empty()) start.push_back(command.verb);
    std::vector<std::string> places;
    for (const Parameter& parameter : command.parameters) {
      const bool place =
          parameter.kind == Parameter::Kind::required || parameter.kind == Parameter::Kind::many;
      if (place) places.push_back(value_of(parameter));
    }
    if (places.empty()) continue;
    for (const Parameter& parameter : command.parameters) {
      const bool option =
          parameter.kind == Parameter::Kind::option || parameter.kind == Parameter::Kind::repeated;
      if (!option) continue;
      ++seen;
      // The option before the places, and another one behind them.
      std::vector<std::string> words = start;
      words.insert(words.end(), {"--" + parameter.name, value_of(parameter)});
      words.insert(words.end(), places.begin(), places.end());
      words.insert(words.end(), {"-o", "json"});
      const Invocation made = parse(words);
      EXPECT_EQ(made.exit_code, 0)
          << command.noun << " " << command.verb << " --" << parameter.name << ": " << made.text;
      EXPECT_EQ(made.given.all(parameter.name), std::vector<std::string>{value_of(parameter)});
    }
  }
  EXPECT_GT(seen, 20U);
}

}  // namespace
}  // namespace drover::cli
