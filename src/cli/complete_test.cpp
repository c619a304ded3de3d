// Completion: what may stand at the end of a line, and the live names behind it.
#include "cli/complete.hpp"

#include "cli/test_daemon.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace drover::cli {
namespace {

using testing::CommandLine;
using testing::from_table;
using testing::json_response;
using testing::Ran;
using testing::TestDaemon;
using Words = std::vector<std::string>;

Words texts(const Completion& completion) {
  Words out;
  for (const Candidate& candidate : completion.candidates) out.push_back(candidate.text);
  return out;
}
bool has(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

TEST(Complete, CommandsVerbsAndOptions) {
  EXPECT_TRUE(has(texts(complete({""})), "node"));
  EXPECT_TRUE(has(texts(complete({""})), "health"));
  EXPECT_EQ(texts(complete({"heal"})), Words{"health"});
  EXPECT_TRUE(has(texts(complete({"node", ""})), "show"));
  EXPECT_EQ(texts(complete({"node", "sh"})), Words{"show"});
  EXPECT_EQ(texts(complete({"node", "show", "n1", "--inv"})), Words{"--inventory"});
  EXPECT_EQ(texts(complete({"node", "show", "--time"})), Words{"--timeout"});
  EXPECT_EQ(texts(complete({"node", "list", "-o", "y"})), Words{"yaml"});
  EXPECT_EQ(texts(complete({"node", "list", "--output=js"})),
            (Words{"--output=json", "--output=jsonl"}));
  EXPECT_EQ(texts(complete({"-o", "json", "heal"})), Words{"health"});
  EXPECT_EQ(texts(complete({"completion", "z"})), Words{"zsh"});
  EXPECT_TRUE(complete({"--socket", "/"}).files);
  EXPECT_TRUE(texts(complete({"nosuch", ""})).empty());
  EXPECT_TRUE(texts(complete({})).empty());
}

TEST(Complete, NamesInNoderanges) {
  const std::tuple<std::string, std::string, std::string> cases[] = {{"n1", "", "n1"},
                                                                     {"rack1,n", "rack1,", "n"},
                                                                     {"rack1,-n", "rack1,-", "n"},
                                                                     {"@ra", "@", "ra"},
                                                                     {"a@b&c", "a@b&", "c"},
                                                                     {"(x!y", "(x!", "y"},
                                                                     {"n[1-3],m", "n[1-3],", "m"}};
  for (const auto& [word, head, prefix] : cases) {
    const Completion completion = complete({"node", "list", word});
    EXPECT_EQ(completion.kinds, (Words{"node", "group"})) << word;
    EXPECT_EQ(completion.head, head) << word;
    EXPECT_EQ(completion.prefix, prefix) << word;
  }
  EXPECT_TRUE(complete({"node", "list", "n[1-"}).kinds.empty());
  EXPECT_TRUE(complete({"node", "set", "n1", "x"}).kinds.empty());
  EXPECT_EQ(complete({"history", "node/n"}).kinds, Words{"node"});
  EXPECT_EQ(complete({"history", "node/n"}).head, "node/");
}

TEST(Complete, FieldsAndTheirValues) {
  EXPECT_TRUE(has(texts(complete({"node", "list", "--filter", "phase."})), "phase.state="));
  EXPECT_EQ(texts(complete({"node", "list", "--filter", "phase.state=lo"})),
            (Words{"phase.state=loader", "phase.state=lost"}));
  EXPECT_EQ(texts(complete({"node", "list", "rack1@phase=los"})), Words{"rack1@phase=lost"});
  EXPECT_EQ(texts(complete({"node", "list", "--columns", "name,summary.c"})),
            Words{"name,summary.cpus"});
  EXPECT_EQ(texts(complete({"node", "list", "--sort", "-summary.c"})), Words{"-summary.cpus"});
  EXPECT_EQ(texts(complete({"node", "set", "n1", "serv"})), Words{"service="});
  EXPECT_EQ(texts(complete({"node", "set", "n1", "locked=t"})), Words{"locked=true"});
  EXPECT_TRUE(has(texts(complete({"node", "set", "n1", "locked=true", "service=m"})),
                  "service=maintenance"));
  EXPECT_TRUE(has(texts(complete({"node", "set", "n1", "bmc."})), "bmc.address="));
  EXPECT_EQ(texts(complete({"node", "set", "n1", "bmc.protocol=r"})),
            Words{"bmc.protocol=redfish"});
  EXPECT_EQ(complete({"node", "set", "n1", "profiles+=gpu,b"}).kinds, Words{"profile"});
  EXPECT_EQ(complete({"node", "set", "n1", "profiles+=gpu,b"}).head, "profiles+=gpu,");
  EXPECT_EQ(complete({"node", "set", "n1", "profiles+=gpu,b"}).prefix, "b");
  EXPECT_EQ(complete({"group", "set", "g", "profiles-=gpu,b"}).kinds, Words{"profile"});
  EXPECT_EQ(complete({"profile", "set", "p", "inherits+=b"}).kinds, Words{"profile"});
  EXPECT_EQ(texts(complete({"node", "unset", "n1", "bmc.a"})), Words{"bmc.address"});
  for (const char* how : {"inherits=", "inherits+=", "inherits-="}) {
    EXPECT_TRUE(has(texts(complete({"profile", "set", "gpu", "inh"})), how)) << how;
  }
  EXPECT_EQ(texts(complete({"profile", "add", "gpu", "inh"})), Words{"inherits="});
  EXPECT_EQ(complete({"group", "show", "r"}).kinds, Words{"group"});
  EXPECT_EQ(complete({"profile", "show", "r"}).kinds, Words{"profile"});
  EXPECT_EQ(complete({"group", "set", "r", "range=a,n"}).head, "range=a,");
  EXPECT_EQ(complete({"node", "attributes", "n1", "--attribute", "r"}).kinds, Words{"attribute"});
  EXPECT_TRUE(has(texts(complete({"explain", "phase."})), "phase.state"));
  EXPECT_EQ(texts(complete({"explain", "too-o"})), Words{"too-old"});
  EXPECT_EQ(texts(complete({"explain", "tree.he"})), Words{"tree.heartbeat"});
}

TEST(Complete, Settings) {
  EXPECT_EQ(texts(complete({"setting", "set", "tree.hea"})), Words{"tree.heartbeat="});
  EXPECT_EQ(texts(complete({"setting", "set", "tree.hold=1s", "log.level=n"})),
            Words{"log.level=notice"});
  EXPECT_TRUE(texts(complete({"setting", "set", "rac"})).empty()) << "an attribute is no setting";
  EXPECT_EQ(complete({"setting", "unset", "tree.h"}).kinds, Words{"setting"});
  EXPECT_EQ(complete({"setting", "get", "tree.hold", "t"}).prefix, "t");
}

TEST(Complete, AsksForLiveNamesAndKeepsQuietWithout) {
  TestDaemon daemon(from_table(
      {{"GET /api/v1/names",
        json_response(
            R"({"items":[{"kind":"node","name":"n1","help":""},{"kind":"group","name":"near","help":"close ones"}]})")}}));
  CommandLine drover;
  const Words words{"__complete", "--", "--socket", daemon.socket(), "node", "show", "x,n"};
  const Ran ran = drover(words);
  EXPECT_EQ(ran.out, "x,n1\tnode\nx,near\tclose ones\n");
  EXPECT_EQ(daemon.requests()[0], "GET /api/v1/names?kind=node,group&prefix=n&limit=200");
  const Ran none = drover({"__complete", "--", "--socket", "/nonexistent", "node", "show", "n"});
  EXPECT_EQ(none.code, 0);
  EXPECT_EQ(none.err, "");
  EXPECT_EQ(drover({"__complete"}).code, 0);
  EXPECT_EQ(drover({"__complete", "--", "join", "--ca", ""}).out, ":files\n");
}

}  // namespace
}  // namespace drover::cli
