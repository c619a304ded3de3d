// The kernel command line as the boot server writes it, and every way in which it may be wrong.
#include "nodeboot/command_line.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace drover::nodeboot {
namespace {

const std::string kCa(64, 'a');
const std::string kToken = "abcdefghijklmnopqrstuvwxyz234567";
const std::string kGood =
    "initrd=initramfs console=ttyS0 drover.node=n1 drover.mode=lean drover.boot=10.77.0.1:8443 "
    "drover.http=http://10.77.0.1:8080 drover.ca=" +
    kCa + " drover.token=" + kToken +
    " drover.mac=52:54:00:AA:00:01 drover.ip=10.77.0.11/24 drover.gw=10.77.0.1 "
    "drover.ns=10.77.0.1,fd77::1 drover.mtu=9000 drover.log=10.77.0.1:6666 quiet\n";

std::string replaced(std::string_view key, const std::string& value) {
  std::string out;
  for (const std::string& word : split_command_line(kGood)) {
    if (!word.starts_with("drover." + std::string(key) + "=")) out += word + " ";
  }
  return out + value;
}

TEST(CommandLineTest, ReadsWhatTheServerWrites) {
  const auto command = parse_boot_command(kGood);
  ASSERT_TRUE(command) << command.error().text();
  EXPECT_EQ(command->node, "n1");
  EXPECT_EQ(command->mode, Mode::lean);
  EXPECT_EQ(command->boot.text(), "10.77.0.1:8443");
  EXPECT_EQ(command->http->text(), "10.77.0.1:8080");
  EXPECT_EQ(command->ca_sha256, kCa);
  EXPECT_EQ(command->token, kToken);
  EXPECT_EQ(command->mac, "52:54:00:aa:00:01");
  EXPECT_EQ(command->address, "10.77.0.11");
  EXPECT_EQ(command->prefix, 24);
  EXPECT_EQ(command->gateway, "10.77.0.1");
  EXPECT_EQ(command->nameservers, (std::vector<std::string>{"10.77.0.1", "fd77::1"}));
  EXPECT_EQ(command->mtu, 9000U);
  EXPECT_EQ(command->log->text(), "10.77.0.1:6666");
  EXPECT_FALSE(command->time);
}

TEST(CommandLineTest, IPv6AndEmptyValuesAndLaterKeys) {
  std::string line = replaced("ip", "drover.ip=fd77::11/64");
  line = line.replace(line.find("drover.gw=10.77.0.1"), 19, "drover.gw=          drover.mtu2=7");
  const auto command = parse_boot_command(line);
  ASSERT_TRUE(command) << command.error().text();
  EXPECT_EQ(command->prefix, 64);
  EXPECT_TRUE(command->gateway.empty());
}

TEST(CommandLineTest, WhatIsMissingIsNamed) {
  for (const std::string_view key : {"node", "boot", "ca", "token", "mac", "ip"}) {
    const auto command = parse_boot_command(replaced(key, ""));
    ASSERT_FALSE(command) << key;
    EXPECT_EQ(command.error().code, Code::invalid_argument);
    EXPECT_NE(command.error().message.find("drover." + std::string(key) + " is missing"),
              std::string::npos)
        << command.error().message;
  }
  EXPECT_FALSE(parse_boot_command(""));
}

TEST(CommandLineTest, WhatIsWrongIsNamed) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"node", "../n1"},
      {"node", "-n"},
      {"node", ""},
      {"mode", "ramdisk"},
      {"size", "0"},
      {"size", "1k"},
      {"kernel", "aa"},
      {"initrds", std::string(64, 'a') + ","},
      {"initrds", std::string(64, 'a') + ";" + std::string(64, 'b')},
      {"disk", "/dev/sda"},
      {"disk", std::string(65, 's')},
      {"wipe", "no"},
      {"from", "disk"},
      {"from", "network"},
      {"mode", "LEAN"},
      {"boot", "manager:8443"},
      {"boot", "10.77.0.1"},
      {"boot", "10.77.0.1:0"},
      {"http", "https://10.77.0.1:8080"},
      {"http", "10.77.0.1:8080"},
      {"ca", "aa"},
      {"ca", std::string(64, 'A')},
      {"token", "short"},
      {"token", std::string(32, '1')},
      {"mac", "52:54:00:aa:00"},
      {"mac", "52:54:00:aa:00:0g"},
      {"mac", "52:54:00:aa:00:01:02"},
      {"ip", "10.77.0.11"},
      {"ip", "10.77.0.11/33"},
      {"ip", "10.77.0.11/0"},
      {"ip", "x/24"},
      {"ip", "fd77::1/129"},
      {"gw", "router"},
      {"gw", "fd77::1"},
      {"ns", "10.77.0.1,,"},
      {"ns", "dns"},
      {"mtu", "67"},
      {"mtu", "65536"},
      {"mtu", "1500x"},
      {"root", "zz"},
      {"log", "10.77.0.1"},
      {"time", "yesterday"},
      {"time", "1"},
      {"domain", "a b"}};
  for (const auto& [key, value] : wrong) {
    const auto command = parse_boot_command(replaced(key, "drover." + key + "=\"" + value + "\""));
    ASSERT_FALSE(command) << key << "=" << value;
    EXPECT_NE(command.error().message.find("drover." + key), std::string::npos)
        << command.error().message;
  }
}

TEST(CommandLineTest, ASecretIsNotRepeatedAndNothingStandsTwice) {
  const auto secret = parse_boot_command(replaced("token", "drover.token=mysecret"));
  ASSERT_FALSE(secret);
  EXPECT_EQ(secret.error().text().find("mysecret"), std::string::npos);
  const auto twice = parse_boot_command(kGood + " drover.node=n2");
  ASSERT_FALSE(twice);
  EXPECT_NE(twice.error().message.find("drover.node is given twice"), std::string::npos);
}

TEST(CommandLineTest, AnImageNeedsItsRoot) {
  const std::string image = replaced("mode", "drover.mode=image");
  EXPECT_NE(parse_boot_command(image).error().message.find("drover.root"), std::string::npos);
  const auto command = parse_boot_command(image + " drover.root=" + std::string(64, 'b'));
  ASSERT_TRUE(command) << command.error().text();
  EXPECT_EQ(command->mode, Mode::image);
  EXPECT_EQ(name(command->mode), "image");
}

TEST(CommandLineTest, ADiskNeedsItsRootAndItsSize) {
  const std::string b(64, 'b');
  const std::string c(64, 'c');
  const std::string disk = replaced("mode", "drover.mode=disk") + " drover.root=" + b;
  EXPECT_NE(parse_boot_command(disk).error().message.find("drover.size"), std::string::npos);
  const auto command = parse_boot_command(
      fmt::format("{} drover.size=4096 drover.kernel={} drover.initrds={},{} drover.disk=sda "
                  "drover.wipe=yes",
                  disk, b, b, c));
  ASSERT_TRUE(command) << command.error().text();
  EXPECT_EQ(name(command->mode), "disk");
  EXPECT_EQ(command->size, 4096U);
  EXPECT_EQ(command->initrds, (std::vector<std::string>{b, c}));
  EXPECT_EQ(command->disk, "sda");
  EXPECT_TRUE(command->wipe);
  EXPECT_FALSE(command->from_disk);
}

TEST(CommandLineTest, AMachineThatItsDiskStartedHasNoToken) {
  std::string line = replaced("mode", "drover.mode=disk drover.from=disk") +
                     " drover.size=1 drover.root=" + std::string(64, 'b');
  const size_t token = line.find("drover.token=");
  line.erase(token, line.find(' ', token) - token);
  const auto command = parse_boot_command(line);
  ASSERT_TRUE(command) << command.error().text();
  EXPECT_TRUE(command->from_disk);
  EXPECT_TRUE(command->token.empty());
}

TEST(CommandLineTest, WordsAreSplitAsTheKernelDoes) {
  EXPECT_EQ(split_command_line("a  b=\"c d\" \"e f\"=g\n"),
            (std::vector<std::string>{"a", "b=c d", "e f=g"}));
  EXPECT_TRUE(split_command_line("  \n").empty());
  EXPECT_EQ(parse_boot_command(std::string(10000, 'x')).error().code, Code::too_large);
}

}  // namespace
}  // namespace drover::nodeboot
