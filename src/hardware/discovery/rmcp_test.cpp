// The bytes of RMCP and IPMI outside sessions, from the tables of their specifications.
#include "hardware/discovery/rmcp.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace drover::hardware {
namespace {

std::string bytes(const std::vector<int>& values) {
  std::string out;
  for (const int value : values) out.push_back(static_cast<char>(value));
  return out;
}

// What OpenIPMI's ipmi_sim answered to `ipmitool -I lanplus` (captured).
std::string capabilities(int types = 0x97, int extended = 0x03) {
  std::vector<int> out{0x06, 0x00, 0xff, 0x07, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16};
  std::vector<int> message{0x81,  0x1c, 0,        0x20, 0x04, 0x38, 0x00, 0x01,
                           types, 0x04, extended, 0,    0,    0,    0};
  message[2] = (0x100 - ((message[0] + message[1]) & 0xff)) & 0xff;
  int sum = 0;
  for (size_t i = 3; i < message.size(); ++i) sum += message[i];
  message.push_back((0x100 - (sum & 0xff)) & 0xff);
  out.insert(out.end(), message.begin(), message.end());
  return bytes(out);
}

std::string pong(int entities = 0x81) {
  std::vector<int> out{0x06,     0x00, 0xff, 0x06, 0x00, 0x00, 0x11, 0xbe, 0x40, 0x00,
                       0x00,     0x10, 0x00, 0x00, 0x11, 0xbe, 0,    0,    0,    0,
                       entities, 0,    0,    0,    0,    0,    0,    0};
  return bytes(out);
}

TEST(Rmcp, QuestionsAreThoseOfTheSpecifications) {
  EXPECT_EQ(rmcp_ping(7), bytes({0x06, 0x00, 0xff, 0x06, 0x00, 0x00, 0x11, 0xbe, 0x80, 7, 0, 0}));
  EXPECT_EQ(rmcp_capabilities(1),
            bytes({0x06, 0x00, 0xff, 0x07, 0,    0,    0,    0,    0,    0,    0,   0,
                   0,    9,    0x20, 0x18, 0xc8, 0x81, 0x04, 0x38, 0x8e, 0x04, 0xb1}));
}

TEST(Rmcp, AnswersAreRead) {
  EXPECT_EQ(parse_rmcp(pong()), (RmcpAnswer{true, false, false}));
  EXPECT_EQ(parse_rmcp(pong(0x01)), (RmcpAnswer{false, false, false}));
  EXPECT_EQ(parse_rmcp(capabilities()), (RmcpAnswer{true, true, true}));
  EXPECT_EQ(parse_rmcp(capabilities(0x97, 0x02)), (RmcpAnswer{true, true, false}));
  EXPECT_EQ(parse_rmcp(capabilities(0x17)), (RmcpAnswer{true, false, true}));  // IPMI 1.5 alone
}

TEST(Rmcp, EveryDamagedByteThatCountsIsNoticed) {
  const std::string good = capabilities();
  for (size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(parse_rmcp(good.substr(0, length))) << length;
  }
  for (size_t i = 14; i < good.size(); ++i) {  // the message, which checksums cover
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x40);
    EXPECT_FALSE(parse_rmcp(bad)) << i;
  }
  for (const size_t i : {0U, 3U, 4U, 5U, 6U, 7U, 8U}) {
    std::string bad = pong();
    bad[i] = static_cast<char>(bad[i] ^ 0x20);
    EXPECT_FALSE(parse_rmcp(bad)) << i;
  }
  EXPECT_FALSE(parse_rmcp(rmcp_ping(0)));
  EXPECT_FALSE(parse_rmcp(rmcp_capabilities(1)));
  EXPECT_FALSE(parse_rmcp(std::string(2000, '\x06')));
}

}  // namespace
}  // namespace drover::hardware
