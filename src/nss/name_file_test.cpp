// The file of names, written and read; spoiled ones, which must never be believed; and the module's
// own lookups without any file.
#include "nss/name_file.hpp"

#include "nss/name_file_writer.hpp"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace drover::nss {
namespace {

class NameFileTest : public ::testing::Test {
 protected:
  NameFileTest() {
    char name[] = "/tmp/drover-names-XXXXXX";
    dir_ = ::mkdtemp(name);
  }
  ~NameFileTest() override { std::filesystem::remove_all(dir_); }

  std::string put(const std::string& bytes) {
    const std::string path = dir_ + "/names";
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    return path;
  }
  static NamedHost host(std::vector<std::string> names, uint8_t last) {
    NamedHost out;
    out.names = std::move(names);
    out.addresses4.push_back({10, 77, 0, last});
    return out;
  }
  static std::string two_hosts() {
    NameFileWriter writer;
    NamedHost n1 = host({"n1.cluster.internal", "n1", "Login"}, 11);
    n1.addresses6.push_back({0xfd, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x11});
    writer.add(n1);
    writer.add(host({"n2.cluster.internal", "n2", "n1"}, 12));
    return writer.finish(42);
  }
  std::string dir_;
};

TEST_F(NameFileTest, FindsByEveryNameAndAddress) {
  const NameFile file(put(two_hosts()).c_str());
  ASSERT_TRUE(file.is_open());
  EXPECT_EQ(file.header().sequence, 42U);
  EXPECT_EQ(file.header().hosts, 2U);
  Host found;
  for (const char* name :
       {"n1", "N1", "n1.", "n1.Cluster.internal", "n1.cluster.internal.", "login"}) {
    ASSERT_EQ(file.find(name, found), Found::yes) << name;
    EXPECT_EQ(found.canonical(), "n1.cluster.internal");
    EXPECT_EQ(found.address4(0), std::string_view("\x0a\x4d\x00\x0b", 4));
    EXPECT_EQ(static_cast<uint8_t>(found.address6(0).back()), 0x11);
  }
  ASSERT_EQ(file.find_address(std::string_view("\x0a\x4d\x00\x0c", 4), found), Found::yes);
  EXPECT_EQ(found.canonical(), "n2.cluster.internal");
  EXPECT_EQ(found.names(), 3U);
  ASSERT_EQ(
      file.find_address(std::string_view("\xfd\x77\0\0\0\0\0\0\0\0\0\0\0\0\0\x11", 16), found),
      Found::yes);
  EXPECT_EQ(found.canonical(), "n1.cluster.internal");
}

TEST_F(NameFileTest, SaysNoToOthers) {
  const NameFile file(put(two_hosts()).c_str());
  Host found;
  const std::string long_name(300, 'a');
  for (const std::string_view name :
       {std::string_view("n3"), std::string_view(""), std::string_view("."),
        std::string_view("n1.."), std::string_view(long_name), std::string_view("n1\0x", 4)}) {
    EXPECT_EQ(file.find(name, found), Found::no) << name;
  }
  EXPECT_EQ(file.find_address(std::string_view("\x0a\x4d\x00\x0d", 4), found), Found::no);
  EXPECT_EQ(file.find_address("", found), Found::no);
}

TEST_F(NameFileTest, AFileWithoutHostsIsAFile) {
  const NameFile file(put(NameFileWriter().finish(7)).c_str());
  ASSERT_TRUE(file.is_open());
  Host found;
  EXPECT_EQ(file.find("n1", found), Found::no);
  uint64_t place = 0;
  EXPECT_EQ(file.next(place, found), Found::no);
}

TEST_F(NameFileTest, HostsKeepTheirBounds) {
  NameFileWriter writer;
  NamedHost big;
  for (int i = 0; i < 300; ++i) {
    big.names.push_back("alias-" + std::to_string(i) + std::string(40, 'x'));
    big.addresses4.push_back({10, 0, static_cast<uint8_t>(i / 256), static_cast<uint8_t>(i % 256)});
  }
  big.names.emplace_back(254, 'y');
  writer.add(big);
  writer.add(host({}, 1));  // nothing to find it by
  const NameFile file(put(writer.finish(1)).c_str());
  EXPECT_EQ(file.header().hosts, 1U);
  Host found;
  ASSERT_EQ(file.find(big.names[0], found), Found::yes);
  EXPECT_EQ(found.addresses4(), kMostAddresses);
  EXPECT_LT(found.names(), 64U);
  EXPECT_EQ(file.find(big.names[299], found), Found::no);
}

TEST_F(NameFileTest, TenThousandHostsAreAllFound) {
  NameFileWriter writer;
  for (int i = 0; i < 10'000; ++i) {
    NamedHost one;
    one.names = {"n" + std::to_string(i) + ".cluster.internal", "n" + std::to_string(i)};
    one.addresses4.push_back(
        {10, 77, static_cast<uint8_t>(i / 256), static_cast<uint8_t>(i % 256)});
    writer.add(one);
  }
  const NameFile file(put(writer.finish(1)).c_str());
  Host found;
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_EQ(file.find("n" + std::to_string(i), found), Found::yes);
    ASSERT_EQ(static_cast<uint8_t>(found.address4(0)[3]), i % 256);
  }
  size_t walked = 0;
  uint64_t place = 0;
  while (file.next(place, found) == Found::yes) ++walked;
  EXPECT_EQ(walked, 10'000U);
}

TEST_F(NameFileTest, WhatIsNoFileOfNamesIsNotOpened) {
  const std::string good = two_hosts();
  EXPECT_FALSE(NameFile((dir_ + "/absent").c_str()).is_open());
  EXPECT_FALSE(NameFile(dir_.c_str()).is_open());
  EXPECT_FALSE(NameFile(put("").c_str()).is_open());
  EXPECT_FALSE(NameFile(put("10.0.0.1 n1\n").c_str()).is_open());
  for (size_t i = 0; i < sizeof(NameFileHeader); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x40);
    EXPECT_FALSE(NameFile(put(bad).c_str()).is_open()) << "byte " << i;
  }
  // A pipe that nobody writes to would hold up whoever opens it.
  const std::string pipe = dir_ + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_FALSE(NameFile(pipe.c_str()).is_open());
}

TEST_F(NameFileTest, SpoiledBytesAreNeverBelievedBeyondTheFile) {
  const std::string good = two_hosts();
  for (size_t cut = sizeof(NameFileHeader); cut < good.size(); ++cut) {
    const NameFile file(put(good.substr(0, cut)).c_str());
    Host found;
    EXPECT_NE(file.find("n2.cluster.internal", found), Found::yes) << cut;
  }
  // Any byte may be another: an answer is then still a host that has the name.
  for (size_t i = sizeof(NameFileHeader); i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0xff);
    const NameFile file(put(bad).c_str());
    Host found;
    if (file.find("n1", found) == Found::yes) EXPECT_TRUE(found.has_name("n1"));
    uint64_t place = 0;
    for (int n = 0; n < 10 && file.next(place, found) == Found::yes; ++n) {
    }
  }
}

TEST_F(NameFileTest, ATableWithoutAFreeSlotEnds) {
  std::string bytes = two_hosts();
  NameFileHeader header{};
  std::memcpy(&header, bytes.data(), sizeof(header));
  for (uint32_t i = 0; i < header.name_slots; ++i) {
    const NameFileSlot slot{name_hash("n3"), 48};
    std::memcpy(bytes.data() + header.names_at + i * sizeof(slot), &slot, sizeof(slot));
  }
  const NameFile file(put(bytes).c_str());
  Host found;
  EXPECT_EQ(file.find("n3", found), Found::unavailable);
}

}  // namespace
}  // namespace drover::nss
