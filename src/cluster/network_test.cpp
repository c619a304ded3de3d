// The rules of networks: each alone, beside each other in the writer, and in documents.
#include "cluster/network.hpp"

#include "cluster/definition_writer.hpp"
#include "cluster/memory_store.hpp"

#include <string>

#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

using testing::MemoryTransaction;

Network network(const std::string& text) {
  auto out = decode_text<Network>(text);
  EXPECT_TRUE(out) << (out ? "" : out.error().text());
  return out.value_or(Network());
}

std::string checked(const std::string& text) {
  Network made = network(text);
  const Status good = normalise(made);
  return good ? encode(made) : good.error().text();
}

TEST(Network, BecomesCanonical) {
  EXPECT_EQ(
      checked(R"({"name":"boot","prefix":"10.77.0.9/24","prefix6":"FD77::1/64",
                        "pool":"10.77.0.200-10.77.0.250","gateway":"10.77.0.1",
                        "nameservers":["10.77.0.1","FD77::1"],"domain":"cluster.test"})"),
      R"({"name":"boot","description":"","prefix":"10.77.0.0/24","prefix6":"fd77::/64",)"
      R"("mode":"full","pool":"10.77.0.200-10.77.0.250","gateway":"10.77.0.1",)"
      R"("nameservers":["10.77.0.1","fd77::1"],"ntp_servers":[],"domain":"cluster.test",)"
      R"("search":[],"mtu":0,"lease_seconds":3600,"unknown":"discover","number_nodes":"","number_by":"arrival"})");
  EXPECT_EQ(checked(R"({"name":"p2p","prefix":"10.0.0.0/31","gateway":"10.0.0.0"})").substr(0, 1),
            "{");
}

TEST(Network, NamesFieldValueAndRule) {
  const auto refused = [](const std::string& fields) {
    return checked(R"({"name":"boot","prefix":"10.77.0.0/24",)" + fields + "}");
  };
  EXPECT_EQ(checked(R"({"name":"boot"})"),
            "prefix: '' is not valid: expected a network, such as 10.77.0.0/24");
  EXPECT_EQ(checked(R"({"name":"boot","prefix":"fd77::/64"})"),
            "prefix: 'fd77::/64' is not valid: expected an IPv4 network, such as 10.77.0.0/24");
  EXPECT_EQ(checked(R"({"name":"boot","prefix":"10.77.0.0"})"),
            "prefix: '10.77.0.0' is not valid: expected an IPv4 network, such as 10.77.0.0/24");
  EXPECT_EQ(checked(R"({"name":"1 2","prefix":"10.77.0.0/24"})"),
            "name: '1 2' is not valid: expected letters, digits, '.', '_' and '-' alone");
  EXPECT_EQ(refused(R"("gateway":"10.78.0.1")"),
            "gateway: '10.78.0.1' is not valid: expected an address of the network's prefix "
            "10.77.0.0/24");
  EXPECT_EQ(refused(R"("gateway":"10.77.0.255")"),
            "gateway: '10.77.0.255' is not valid: expected a machine's address, not that of the "
            "network itself");
  EXPECT_EQ(refused(R"("pool":"10.77.0.9")"),
            "pool: '10.77.0.9' is not valid: expected the first and the last IPv4 address, such as "
            "10.77.0.200-10.77.0.250");
  EXPECT_EQ(refused(R"("pool":"10.77.0.250-10.77.1.3")"),
            "pool: '10.77.0.250-10.77.1.3' is not valid: expected addresses of the network's "
            "prefix 10.77.0.0/24");
  EXPECT_EQ(refused(R"("pool":"10.77.0.0-10.77.0.9")"),
            "pool: '10.77.0.0-10.77.0.9' is not valid: it holds 10.77.0.0, which is the network's "
            "own");
  EXPECT_EQ(refused(R"("pool":"10.77.0.9-10.77.0.255")"),
            "pool: '10.77.0.9-10.77.0.255' is not valid: it holds 10.77.0.255, which is the "
            "network's own");
  EXPECT_EQ(refused(R"("gateway":"10.77.0.9","pool":"10.77.0.1-10.77.0.20")"),
            "pool: '10.77.0.1-10.77.0.20' is not valid: it holds the gateway 10.77.0.9");
  EXPECT_EQ(refused(R"("nameservers":["ns1"])"),
            "nameservers[0]: 'ns1' is not valid: expected an IP address");
  EXPECT_EQ(refused(R"("domain":"Cluster")"),
            "domain: 'Cluster' is not valid: expected a DNS domain: letters, digits, '-' and dots, "
            "in lower case");
  EXPECT_EQ(refused(R"("mtu":67)"), "mtu: '67' is not valid: expected 68 to 65535, or 0 for none");
  EXPECT_EQ(refused(R"("lease_seconds":59)"),
            "lease_seconds: '59' is not valid: expected 60 to 31536000");
}

TEST(Network, HoldsAddressesOfItsPrefixes) {
  const Network both = network(R"({"name":"b","prefix":"10.77.0.0/24","prefix6":"fd77::/64"})");
  EXPECT_TRUE(holds(both, "10.77.0.11/24"));
  EXPECT_TRUE(holds(both, "fd77::b"));
  EXPECT_FALSE(holds(both, "10.77.1.11"));
  EXPECT_FALSE(holds(both, "host"));
  EXPECT_FALSE(holds(network(R"({"name":"b","prefix":"10.77.0.0/24"})"), "fd77::b"));
}

TEST(Network, SharesNoAddressWithAnother) {
  MemoryTransaction tx;
  const auto put = [&](const std::string& text) {
    DefinitionWriter writer(tx);
    Status status = writer.put_network(network(text));
    if (status) status = writer.finish();
    return status ? "ok" : status.error().text();
  };
  ASSERT_EQ(put(R"({"name":"a","prefix":"10.77.0.0/24","prefix6":"fd77::/64"})"), "ok");
  EXPECT_EQ(put(R"({"name":"b","prefix":"10.0.0.0/8"})"),
            "prefix: '10.0.0.0/8' is not valid: it shares addresses with 10.77.0.0/24 of network "
            "'a'");
  EXPECT_EQ(put(R"({"name":"b","prefix":"10.78.0.0/24","prefix6":"fd77::/48"})"),
            "prefix6: 'fd77::/48' is not valid: it shares addresses with fd77::/64 of network 'a'");
  EXPECT_EQ(put(R"({"name":"b","prefix":"10.78.0.0/24"})"), "ok");
  EXPECT_EQ(put(R"({"name":"a","prefix":"10.77.0.0/16"})"), "ok");

  // Two that swap their addresses are wrong on the way and right in the end.
  DefinitionWriter together(tx, DefinitionWriter::Mode::together);
  ASSERT_TRUE(together.put_network(network(R"({"name":"a","prefix":"10.78.0.0/24"})")));
  ASSERT_TRUE(together.put_network(network(R"({"name":"b","prefix":"10.77.0.0/16"})")));
  EXPECT_TRUE(together.finish());
  DefinitionWriter wrong(tx, DefinitionWriter::Mode::together);
  ASSERT_TRUE(wrong.put_network(network(R"({"name":"a","prefix":"10.77.9.0/24"})")));
  EXPECT_FALSE(wrong.finish());

  DefinitionWriter remover(tx);
  EXPECT_TRUE(remover.remove_network("a"));
  EXPECT_EQ(remover.remove_network("a").error().text(), "there is no network 'a'");
}

}  // namespace
}  // namespace drover::cluster
