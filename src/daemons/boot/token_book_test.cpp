#include "daemons/boot/token_book.hpp"

#include "sim/sim_random.hpp"
#include "sim/world.hpp"

#include <set>

#include <gtest/gtest.h>

namespace drover::daemons {
namespace {

class TokenBooks : public ::testing::Test {
 protected:
  static constexpr const char* kThere = "10.77.0.11";
  std::string issue(const std::string& node = "n1") {
    std::string token = book_.draw();
    book_.give(token, node, "52:54:00:00:00:11", {"10.77.0.200", kThere});
    return token;
  }
  Code refusal(const std::string& token, const std::string& address = kThere) {
    const auto checked = book_.check(token, address);
    return checked ? Code::internal : checked.error().code;
  }

  sim::World world_{1};
  sim::SimRandom random_{1, "tokens"};
  sim::SimProcess process_{world_, {.name = "boot", .host = "boot"}};
  TokenBook book_{process_.executor(), random_};
};

TEST_F(TokenBooks, ATokenStandsForOneMachineAtOneAddress) {
  const std::string token = issue();
  EXPECT_EQ(token.size(), 32U);
  EXPECT_EQ(book_.check(token, kThere).value()->node, "n1");
  EXPECT_TRUE(book_.check(token, "10.77.0.200")) << "it was given a script there";
  EXPECT_EQ(refusal(token, "10.77.0.12"), Code::denied);
  EXPECT_EQ(refusal("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), Code::unauthenticated);
  EXPECT_EQ(refusal(""), Code::unauthenticated);
}

TEST_F(TokenBooks, NoTwoAreTheSame) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(issue("n" + std::to_string(i)));
  EXPECT_EQ(seen.size(), 1000U);
}

TEST_F(TokenBooks, ItIsUsedOnceOrAgainWithTheSameKey) {
  const std::string token = issue();
  EXPECT_TRUE(book_.use(token, "key-a"));
  EXPECT_TRUE(book_.use(token, "key-a")) << "the answer may have been lost";
  EXPECT_EQ(book_.use(token, "key-b").error().code, Code::denied);
  EXPECT_EQ(book_.use("nonsense", "key-a").error().code, Code::unauthenticated);
}

TEST_F(TokenBooks, ItsSecretsAreGivenOnce) {
  const std::string token = issue();
  EXPECT_EQ(book_.take_secrets(token, "10.77.0.12").error().code, Code::denied);
  EXPECT_EQ(book_.take_secrets(token, kThere).value()->node, "n1");
  EXPECT_EQ(book_.take_secrets(token, kThere).error().code, Code::denied);
  book_.return_secrets(token);
  EXPECT_TRUE(book_.take_secrets(token, kThere)) << "nothing had been told";
  EXPECT_EQ(book_.take_secrets("nonsense", kThere).error().code, Code::unauthenticated);
  EXPECT_TRUE(book_.take_secrets(issue(), kThere)) << "each boot has its own right";
}

TEST_F(TokenBooks, ItExpires) {
  const std::string token = issue();
  ASSERT_TRUE(world_.run_for(TokenBook::kLife + std::chrono::seconds(1)));
  EXPECT_EQ(refusal(token), Code::unauthenticated);
  EXPECT_EQ(book_.size(), 0U);
}

TEST_F(TokenBooks, AMachineThatAsksForEverHoldsAFew) {
  const std::string first = issue();
  std::string last;
  for (int i = 0; i < 1000; ++i) last = issue();
  EXPECT_EQ(book_.size(), TokenBook::kMostOfANode);
  EXPECT_EQ(refusal(first), Code::unauthenticated);
  EXPECT_TRUE(book_.check(last, kThere));
}

}  // namespace
}  // namespace drover::daemons
