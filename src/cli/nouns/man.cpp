// drover man: the manual pages, made from the command table.
#include "base/disk.hpp"
#include "cli/context.hpp"
#include "cli/manual.hpp"
#include "cli/nouns/nouns.hpp"

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

Result<int> man(Context& context, const Given& given) {
  const std::string& noun = given.text("noun");
  const std::string wanted = noun.empty() ? "drover.1" : fmt::format("drover-{}.1", noun);
  Disk& disk = context.surroundings().disk;
  if (given.has("dir")) {
    const std::string& folder = given.text("dir");
    DROVER_CHECK_OK(disk.make_dirs(folder, 0755));
    for (const ManualPage& page : manual_pages()) {
      DROVER_CHECK_OK(disk.write_atomic(folder + "/" + page.file, page.text, 0644));
    }
    return 0;
  }
  for (const ManualPage& page : manual_pages()) {
    if (page.file != wanted) continue;
    context.print(page.text);
    return 0;
  }
  return fail(Code::not_found, fmt::format("there is no manual page of \"{}\"", noun),
              "drover --help   lists the nouns");
}

}  // namespace

std::vector<Command> man_commands() {
  return {{"man",
           "",
           "Print a manual page, or write all of them into a folder",
           {{"noun", Kind::optional, "Page of this noun [drover itself]"},
            {"dir", Kind::option, "Write every page into this folder"}},
           {"drover man node | man -l -", "drover man --dir /usr/share/man/man1"},
           man}};
}

}  // namespace drover::cli
