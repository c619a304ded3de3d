// The manual made from the command table: pages for man(1), and one page of Markdown. Pure.
#pragma once

#include "cli/command.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace drover::cli {

struct ManualPage {
  std::string file;  ///< "drover-node.1"
  std::string text;  ///< for the macros of man(7)
};

/// drover(1) and one page for each noun.
std::vector<ManualPage> manual_pages();
/// docs/cli.md.
std::string manual_markdown();
/// "drover node set NODERANGE SETTING.. [--why WHY]".
std::string synopsis(const Command& command);
/// Every noun in the order of --help, with what it is for.
std::vector<Noun> manual_nouns();

}  // namespace drover::cli
