// drover top: the cluster on a full screen, live.
#include "cli/nouns/nouns.hpp"
#include "cli/top/run_top.hpp"

namespace drover::cli {
namespace {

Result<int> show_top(Context& context, const Given& /*given*/) {
  return top::run_top(context);
}

}  // namespace

std::vector<Command> top_commands() {
  return {{"top",
           "",
           "Watch the cluster on a full screen: states, load, changes; ? shows the keys",
           {},
           {"drover top"},
           show_top}};
}

}  // namespace drover::cli
