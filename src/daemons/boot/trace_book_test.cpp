#include "daemons/boot/trace_book.hpp"

#include "sim/world.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::daemons {
namespace {

class TraceBooks : public ::testing::Test {
 protected:
  std::string texts(std::string_view node, std::string_view mac, size_t most = 100) {
    std::string out;
    for (const TraceEvent& event : book_.find(node, mac, most)) {
      out += fmt::format("{}{}={} ", event.ok ? "" : "!", event.what, event.outcome);
    }
    return out;
  }
  void later() { ASSERT_TRUE(world_.run_for(std::chrono::seconds(1))); }

  sim::World world_{1};
  sim::SimProcess process_{world_, {.name = "boot", .host = "boot"}};
  TraceBook book_{process_.executor(), {.events = 4, .machines = 2, .strangers = 2, .text = 20}};
};

TEST_F(TraceBooks, AMachineIsFollowedFromItsMacToItsAddress) {
  book_.add("m1", "", "10.0.0.200", "DISCOVER", "OFFER", true);
  later();
  book_.add_at("10.0.0.200", "", "TFTP x", "begun", true);
  EXPECT_EQ(texts("", "m1"), "DISCOVER=OFFER TFTP x=begun ");
  EXPECT_EQ(book_.mac_at("10.0.0.200"), "m1");
  EXPECT_EQ(book_.mac_at("10.0.0.1"), "");
  later();
  book_.add("m1", "n1", "10.0.0.1", "REQUEST", "ACK", true);  // approved meanwhile
  later();
  book_.add_at("10.0.0.1", "n1", "HTTP script", "refused", false);
  EXPECT_EQ(texts("n1", ""), "DISCOVER=OFFER TFTP x=begun REQUEST=ACK !HTTP script=refused ");
  EXPECT_EQ(texts("n1", "", 1), "!HTTP script=refused ");
  book_.add_at("10.0.0.77", "n1", "token", "enrolled", true);  // its own, set without DHCP
  EXPECT_EQ(book_.find("n1", "", 1).at(0).mac, "m1");
  book_.add_at("10.0.0.200", "", "HTTP x", "of another now", true);
  EXPECT_EQ(texts("", "m1").find("of another"), std::string::npos);
  EXPECT_EQ(texts("", ""), "");
}

TEST_F(TraceBooks, OldEventsAndLongTextsAreCut) {
  for (int i = 0; i < 9; ++i) book_.add("m1", "n1", "", std::to_string(i), "x", true);
  EXPECT_EQ(texts("n1", ""), "5=x 6=x 7=x 8=x ");
  book_.add("m1", "n1", "", "a\x1b[1mb", std::string(500, 'y'), true);
  const auto last = book_.find("n1", "", 1).at(0);
  EXPECT_EQ(last.what, "a\\x1b[1mb");
  EXPECT_EQ(last.outcome.size(), 20U);
}

TEST_F(TraceBooks, StrangersDoNotPushNodesOut) {
  book_.add("m1", "n1", "10.0.0.1", "a", "x", true);
  for (int i = 0; i < 50; ++i) {
    book_.add(fmt::format("s{}", i), "", fmt::format("10.0.1.{}", i), "flood", "x", true);
  }
  EXPECT_EQ(book_.machines(), 3U);
  EXPECT_EQ(texts("n1", ""), "a=x ");
  EXPECT_EQ(texts("", "s49"), "flood=x ");
  EXPECT_EQ(texts("", "s0"), "");
  // A node that was silent the longest makes room for others.
  book_.add("m2", "n2", "", "b", "x", true);
  book_.add("m1", "n1", "", "c", "x", true);
  book_.add("m3", "n3", "", "d", "x", true);
  EXPECT_EQ(texts("n2", ""), "");
  EXPECT_EQ(texts("n1", ""), "a=x c=x ");
}

}  // namespace
}  // namespace drover::daemons
