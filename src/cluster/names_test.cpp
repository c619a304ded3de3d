#include "cluster/names.hpp"

#include <string>

#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

TEST(NodeNames, GoodOnesPass) {
  for (const char* name : {"n1", "rack1-n07", "x1000c0s0b0n0", "login.site.example", "1a"}) {
    EXPECT_TRUE(check_node_name(name)) << name;
  }
  EXPECT_TRUE(check_node_name(std::string(63, 'a')));
}

TEST(NodeNames, BadOnesNameTheRule) {
  const auto why = [](const std::string& name) {
    const auto status = check_node_name(name);
    EXPECT_FALSE(status) << name;
    return status ? "" : status.error().message;
  };
  EXPECT_EQ(why(""), "'' cannot name a node: it is empty");
  EXPECT_EQ(
      why("N1"),
      "'N1' cannot name a node: upper-case letters are not allowed, since host names ignore case");
  EXPECT_EQ(why("n_1"), "'n_1' cannot name a node: '_' is not allowed");
  EXPECT_EQ(why("a..b"), "'a..b' cannot name a node: it has an empty part between dots");
  EXPECT_EQ(why("-a"), "'-a' cannot name a node: a part begins or ends with a hyphen");
  EXPECT_EQ(
      why("10.0.0.1"),
      "'10.0.0.1' cannot name a node: it has no letter, so it reads as a number or an address");
  EXPECT_NE(why(std::string(64, 'a')).find("longer than 63"), std::string::npos);
  EXPECT_NE(why(std::string(300, 'a')).find("longer than 253"), std::string::npos);
  for (const char* bad : {"a b", "a/b", "a\nb", "../a", "a,b", "n[1-2]", "\xC3\xBC"}) why(bad);
}

}  // namespace
}  // namespace drover::cluster
