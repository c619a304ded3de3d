#include "daemons/advertise.hpp"

#include <gtest/gtest.h>

namespace drover::daemons {
namespace {

class Lines final : public LogSink {
 public:
  void write(const LogRecord& record) override { lines.push_back(format(record)); }
  std::vector<std::string> lines;
};

std::string texts(const std::vector<net::Endpoint>& endpoints) {
  std::string out;
  for (const net::Endpoint& endpoint : endpoints) out += endpoint.text() + " ";
  return out;
}

const std::vector<net::Endpoint> kAny{{"0.0.0.0", 9800, {}}, {"::", 9800, {}}};

TEST(Advertise, AnyAddressBecomesThoseOfTheHost) {
  Lines sink;
  const Log log(sink, "test");
  const std::vector<os::HostAddress> host{
      {"eth0", "10.0.0.2", false}, {"eth0", "2001:db8::2", true}, {"ib0", "10.1.0.2", false}};
  EXPECT_EQ(texts(dialable(kAny, host, log)), "10.0.0.2:9800 10.1.0.2:9800 [2001:db8::2]:9800 ");
  EXPECT_EQ(texts(dialable({{"10.9.9.9", 1, {}}, {"0.0.0.0", 2, {}}}, host, log)),
            "10.9.9.9:1 10.0.0.2:2 10.1.0.2:2 ");
  EXPECT_TRUE(sink.lines.empty());
}

TEST(Advertise, ManyNetworksAreCutShort) {
  Lines sink;
  std::vector<os::HostAddress> host;
  for (int i = 0; i < 20; ++i) host.push_back({"e", "10.0.0." + std::to_string(i + 1), false});
  EXPECT_EQ(dialable(kAny, host, Log(sink, "test")).size(), 4U);
}

TEST(Advertise, AHostWithoutAnAddressSaysSo) {
  Lines sink;
  EXPECT_EQ(texts(dialable(kAny, {}, Log(sink, "test"))), "127.0.0.1:9800 [::1]:9800 ");
  ASSERT_EQ(sink.lines.size(), 1U);
  EXPECT_NE(sink.lines[0].find("nobody else can dial it"), std::string::npos);
}

TEST(Advertise, WhatNobodyCanDialIsRefused) {
  EXPECT_TRUE(check_dialable("advertise", {}));
  EXPECT_TRUE(check_dialable("advertise", {{"10.0.0.2", 9800, {}}}));
  const Status any = check_dialable("tree.advertise", {{"10.0.0.2", 1, {}}, {"::", 9800, {}}});
  ASSERT_FALSE(any);
  EXPECT_EQ(any.error().message, "setting tree.advertise: nobody can dial [::]:9800");
  EXPECT_FALSE(check_dialable("advertise", {{"0.0.0.0", 9800, {}}}));
  EXPECT_FALSE(check_dialable("advertise", {{"10.0.0.2", 0, {}}}));
}

}  // namespace
}  // namespace drover::daemons
