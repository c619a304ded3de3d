// Endpoint's text form: what is taken, what is refused and with which words.
#include "net/net.hpp"

#include <string>

#include <gtest/gtest.h>

namespace drover::net {
namespace {

TEST(Endpoint, ParsesEveryForm) {
  const auto v4 = Endpoint::parse("127.0.0.1:7400");
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->host, "127.0.0.1");
  EXPECT_EQ(v4->port, 7400);
  const auto v6 = Endpoint::parse("[fe80::1%eth0]:0");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->host, "fe80::1%eth0");
  EXPECT_EQ(v6->port, 0);
  const auto name = Endpoint::parse("mgmt-1.cluster.example:65535");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->host, "mgmt-1.cluster.example");
  const auto local = Endpoint::parse("unix:/run/drover/api.sock");
  ASSERT_TRUE(local);
  EXPECT_EQ(local->unix_path, "/run/drover/api.sock");
  EXPECT_TRUE(local->host.empty());
}

TEST(Endpoint, TextIsParsedBackToTheSame) {
  for (const char* text : {"127.0.0.1:80", "[::1]:65535", "host:0", "unix:/a/b"}) {
    const auto parsed = Endpoint::parse(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->text(), text);
    EXPECT_EQ(Endpoint::parse(parsed->text()).value(), *parsed);
  }
}

TEST(Endpoint, RefusesWithTheReason) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "no port"},
      {"host", "no port"},
      {":80", "no host"},
      {"host:", "not a port"},
      {"host:65536", "not a port"},
      {"host:-1", "not a port"},
      {"host:80x", "not a port"},
      {"::1:80", "brackets"},
      {"[::1:80", "without"},
      {"[127.0.0.1]:80", "not IPv6"},
      {"ho st:80", "character"},
      {"unix:relative", "absolute"},
      {"unix:", "absolute"},
      {"unix:/" + std::string(107, 'x'), "at most 107"},
      {std::string("unix:/a\0b", 9), "zero byte"},
      {std::string(254, 'a') + ":1", "too long"},
  };
  for (const auto& [text, why] : cases) {
    const auto parsed = Endpoint::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Code::invalid_argument);
    EXPECT_NE(parsed.error().message.find(why), std::string::npos) << parsed.error().message;
    EXPECT_FALSE(parsed.error().next.empty());
  }
}

}  // namespace
}  // namespace drover::net
