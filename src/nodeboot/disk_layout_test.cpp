// The table of partitions against one that sfdisk made, the mark against damage, and which disk is
// taken of those that a machine may show.
#include "nodeboot/disk_layout.hpp"

#include "net/sha256.hpp"
#include "nodeboot/disk_menu.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace drover::nodeboot {
namespace {

constexpr uint64_t kGiB = uint64_t{1} << 30;
constexpr uint64_t kMiB = uint64_t{1} << 20;
const std::string kCa(64, 'c');
const std::string kRoot(64, 'a');

enum class Holds { nothing, ours, foreign };

DiskFacts disk(const std::string& name, Holds what = Holds::nothing, uint64_t bytes = kGiB) {
  DiskFacts out;
  out.name = name;
  out.bytes = bytes;
  out.serial = "SN-" + name;
  out.blank = what == Holds::nothing;
  if (what == Holds::ours) out.mark = DiskMark{true, kCa, kRoot, 1, {}};
  return out;
}

DiskWish wish(const std::string& named = {}, bool wipe = false) {
  return {named, wipe, kCa, 100 * kMiB};
}

std::string chosen(const std::vector<DiskFacts>& disks, const DiskWish& wanted) {
  const auto out = choose_disk(disks, wanted);
  return out ? out->name : out.error().text();
}

// sfdisk 2.38 of the same layout: "label-id", "uuid", "name" and "start" given, "first-lba: 34".
TEST(DiskLayoutTest, WritesTheTableThatSfdiskWrites) {
  const DiskFacts one = disk("sda");
  const auto layout = lay_out(one.bytes, 100 * kMiB);
  ASSERT_TRUE(layout);
  std::array<Guid, 5> ids{guid_from("01234567-89ab-4def-8123-456789abcdef")};
  for (size_t i = 1; i < ids.size(); ++i) {
    ids.at(i) = guid_from(fmt::format("11111111-2222-4333-8444-55555555555{}", i));
  }
  const auto table = partition_table(one, *layout, ids);
  ASSERT_TRUE(table);
  EXPECT_EQ(table->head.size(), 34U * 512);
  EXPECT_EQ(net::sha256_hex(table->head),
            "d04838d6b5b906408616f7543af1f4a82b5e80b3a00fbd324161885a9491fd25");
  EXPECT_EQ(net::sha256_hex(table->tail),
            "c1bbfa5eaad7bdde2087eafb85c1ebcb2145e391cb7f85575e30206a45c1d589");
  EXPECT_EQ(table->tail_from, kGiB / 512 - 33);
}

TEST(DiskLayoutTest, FillsDisksOfAnySectorSize) {
  DiskFacts one = disk("nvme0n1", Holds::nothing, 4000 * kGiB + 12345);
  one.bytes -= one.bytes % 4096;
  one.sector_bytes = 4096;
  const auto layout = lay_out(one.bytes, 3 * kGiB + 1);
  ASSERT_TRUE(layout);
  EXPECT_EQ(layout->of(Part::start).bytes, 512 * kMiB);
  EXPECT_EQ(layout->of(Part::root).bytes, 3 * kGiB + kMiB);
  uint64_t from = kMiB;
  for (const Extent& part : layout->parts) {
    EXPECT_EQ(part.offset, from);
    EXPECT_EQ(part.bytes % kMiB, 0U);
    from += part.bytes;
  }
  EXPECT_LE(from, one.bytes - kMiB);
  const auto table = partition_table(one, *layout, {});
  ASSERT_TRUE(table);
  EXPECT_EQ(table->head.size(), (2 + 4) * 4096U);
  EXPECT_EQ(partition_name("nvme0n1", Part::root), "nvme0n1p3");
  EXPECT_EQ(partition_name("sda", Part::root), "sda3");
}

TEST(DiskLayoutTest, SaysHowMuchIsMissing) {
  const auto small = lay_out(200 * kMiB, 100 * kMiB);
  ASSERT_FALSE(small);
  EXPECT_EQ(small.error().code, Code::too_large);
  EXPECT_EQ(small.error().message,
            "it has 200 MiB, and the image takes 100 MiB with 131 MiB beside it");
  EXPECT_TRUE(lay_out(231 * kMiB, 100 * kMiB));
  EXPECT_FALSE(lay_out(0, 0));
  EXPECT_FALSE(lay_out(UINT64_MAX, UINT64_MAX));
}

TEST(GptTest, RefusesWhatHasNoPlace) {
  const std::vector<GptPartition> twice{{.first = 34, .last = 40, .label = "a"},
                                        {.first = 40, .last = 50, .label = "b"}};
  EXPECT_FALSE(make_gpt(2048, 512, {}, twice));
  EXPECT_FALSE(make_gpt(2048, 512, {}, {{.first = 33, .last = 40, .label = "a"}}));
  EXPECT_FALSE(make_gpt(2048, 512, {}, {{.first = 34, .last = 2015, .label = "a"}}));
  EXPECT_TRUE(make_gpt(2048, 512, {}, {{.first = 34, .last = 2014, .label = "a"}}));
  EXPECT_FALSE(make_gpt(2048, 520, {}, {}));
  EXPECT_FALSE(make_gpt(2048, 0, {}, {}));
  EXPECT_FALSE(make_gpt(60, 512, {}, {}));
}

TEST(DiskMarkTest, ComesBackAsItWas) {
  for (const bool whole : {true, false}) {
    for (const std::string& start : {std::string(), std::string(64, 'd')}) {
      const DiskMark mark{whole, kCa, kRoot, 123'456'789'012, start};
      const std::string sector = to_sector(mark);
      EXPECT_EQ(sector.size(), kMarkBytes);
      EXPECT_EQ(parse_mark(sector), mark);
      EXPECT_EQ(parse_mark(sector + std::string(4096, 'x')), mark) << "what follows is not ours";
    }
  }
}

TEST(DiskMarkTest, ADamagedOneIsNone) {
  const std::string sector = to_sector({true, kCa, kRoot, 4096, {}});
  for (size_t i = 0; i < sector.size(); ++i) {
    std::string damaged = sector;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(parse_mark(damaged)) << i;
  }
  EXPECT_FALSE(parse_mark(std::string_view(sector).substr(0, 200)));
  EXPECT_FALSE(parse_mark(""));
  EXPECT_FALSE(parse_mark(std::string(512, '\0')));
}

TEST(ChooseDiskTest, OursGoesBeforeABlankOneAndForeignOnesAreLeftAlone) {
  const auto foreign = disk("sda", Holds::foreign);
  EXPECT_EQ(chosen({disk("sda"), disk("sdb", Holds::ours)}, wish()), "sdb");
  EXPECT_EQ(chosen({foreign, disk("sdb"), disk("sdc")}, wish()), "sdb");
  EXPECT_EQ(chosen({foreign, disk("sdb")}, wish("", true)), "sdb") << "nothing need be wiped";
  const auto refused = choose_disk(std::vector{foreign}, wish());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::denied);
  EXPECT_EQ(refused.error().message,
            "no disk may be written: sda (1024 MiB, serial SN-sda): it holds something that Drover "
            "did not write");
  EXPECT_NE(refused.error().next.find("disk_wipe=true"), std::string::npos);
}

TEST(ChooseDiskTest, WipesWhatIsNamedOrTheOnlyOne) {
  const auto foreign = disk("sda", Holds::foreign);
  const auto other = disk("sdb", Holds::foreign);
  EXPECT_EQ(chosen({foreign}, wish("", true)), "sda");
  EXPECT_EQ(chosen({foreign, other}, wish("sdb", true)), "sdb");
  EXPECT_EQ(chosen({foreign, other}, wish("SN-sdb", true)), "sdb");
  EXPECT_EQ(choose_disk(std::vector{foreign, other}, wish("", true)).error().code, Code::denied);
  EXPECT_EQ(choose_disk(std::vector{foreign, other}, wish("sdb")).error().code, Code::denied);
  EXPECT_EQ(choose_disk(std::vector{foreign}, wish("sdx", true)).error().code, Code::not_found);
}

TEST(ChooseDiskTest, ADiskOfAnotherClusterIsForeign) {
  auto theirs = disk("sda", Holds::foreign);
  theirs.mark = DiskMark{true, std::string(64, 'e'), kRoot, 1, {}};
  EXPECT_NE(chosen({theirs}, wish()).find("it belongs to another cluster"), std::string::npos);
  EXPECT_EQ(chosen({theirs}, wish("", true)), "sda");
}

TEST(ChooseDiskTest, PassesOverWhatCannotHoldAnImage) {
  auto stick = disk("sda");
  stick.removable = true;
  auto locked = disk("sdb");
  locked.read_only = true;
  const auto small = disk("sdc", Holds::nothing, 100 * kMiB);
  EXPECT_EQ(chosen({stick, locked, small, disk("sdd")}, wish()), "sdd");
  const std::string none = chosen({stick, locked, small}, wish());
  for (const char* part : {"sda (1024 MiB, serial SN-sda): it is removable",
                           "sdb (1024 MiB, serial SN-sdb): it is read-only",
                           "sdc (100 MiB, serial SN-sdc): it has 100 MiB"}) {
    EXPECT_NE(none.find(part), std::string::npos) << none;
  }
  EXPECT_EQ(chosen({stick}, wish("sda")), "sda") << "who names it means it";
  EXPECT_NE(chosen({locked}, wish("sdb", true)).find("it is read-only"), std::string::npos);
  EXPECT_NE(chosen({}, wish()).find("this machine shows no disk"), std::string::npos);
}

TEST(StartPlanTest, KeepsWhatIsTrueAtTheNextBoot) {
  BootCommand command;
  command.node = "n1";
  command.kernel = std::string(64, '1');
  command.initrds = {std::string(64, '2'), std::string(64, '3')};
  const auto plan = start_plan(
      command,
      "BOOT_IMAGE=x initrd=initrd0 drover.node=n1 drover.mode=disk drover.token=secret "
      "drover.time=1 drover.ip=10.0.0.2/24 drover.wipe=yes drover.secrets=yes console=ttyS0 "
      "ds=nocloud;s=http://10.0.0.1/cloud-init/nocloud/secret/ quiet it's");
  ASSERT_TRUE(plan);
  EXPECT_NE(plan->menu.find("linux /drover/kernel-1111111111111111 'drover.mode=disk' "
                            "'drover.from=disk' 'drover.node=n1' 'drover.ip=10.0.0.2/24' "
                            "'console=ttyS0' 'quiet'\n"
                            "initrd /drover/initrd-2222222222222222 "
                            "/drover/initrd-3333333333333333\nboot\n"),
            std::string::npos)
      << plan->menu;
  EXPECT_EQ(plan->menu.find("secret"), std::string::npos);
  EXPECT_EQ(plan->digest, net::sha256_hex(plan->menu));
  // What the disk has started gives the same menu again.
  const auto again =
      start_plan(command,
                 "BOOT_IMAGE=/drover/kernel-1111111111111111 drover.mode=disk drover.from=disk "
                 "drover.node=n1 drover.ip=10.0.0.2/24 console=ttyS0 quiet");
  EXPECT_EQ(again->digest, plan->digest);
  EXPECT_FALSE(start_plan({}, "x"));
}

}  // namespace
}  // namespace drover::nodeboot
