// Metrics: the parsers on good and bad lines, a recorded tree that changes, and the real machine.
#include "os/host/metrics.hpp"

#include "os/test_folder.hpp"

#include <gtest/gtest.h>

namespace drover::os {
namespace {

TEST(MetricParsers, TakeWholeLinesOrLeaveTheOutputAlone) {
  RawMetrics::Load load;
  EXPECT_TRUE(parse_loadavg("0.50 1.25 2.00 3/456 7890\n", load));
  EXPECT_EQ(load.five, 1.25);
  EXPECT_EQ(load.running, 3U);
  EXPECT_EQ(load.threads, 456U);
  for (const char* bad : {"", "0.5", "a b c 1/2", "1 2 3 4", "1 2 3 /"}) {
    EXPECT_FALSE(parse_loadavg(bad, load)) << bad;
  }
  EXPECT_EQ(load.threads, 456U);

  RawMetrics::Cpu cpu;
  EXPECT_TRUE(parse_stat("cpu  10 1 5 100 7 2 3 4 0 0\ncpu0 1\n", cpu));
  EXPECT_EQ(cpu.user, 11U);
  EXPECT_EQ(cpu.system, 10U);
  EXPECT_EQ(cpu.steal, 4U);
  EXPECT_FALSE(parse_stat("cpu0 1 2 3 4 5 6 7 8\n", cpu));
  EXPECT_FALSE(parse_stat("cpu 1 2 3\n", cpu));

  RawMetrics::Memory memory;
  EXPECT_TRUE(parse_meminfo("MemTotal: 100 kB\nMemAvailable: 40 kB\n", memory));
  EXPECT_EQ(memory.available, 40U * 1024);
  EXPECT_FALSE(parse_meminfo("MemTotal: 100 kB\n", memory));
}

TEST(MetricParsers, DeviceLines) {
  std::string_view name;
  uint64_t rx = 0;
  uint64_t tx = 0;
  EXPECT_TRUE(parse_net_line("  eth0:1000 2 0 0 0 0 0 0 2000 3 0 0 0 0 0 0", name, rx, tx));
  EXPECT_EQ(name, "eth0");
  EXPECT_EQ(rx, 1000U);
  EXPECT_EQ(tx, 2000U);
  EXPECT_FALSE(parse_net_line("Inter-|   Receive   |  Transmit", name, rx, tx));
  EXPECT_FALSE(parse_net_line("eth0: 1 2 3", name, rx, tx));
  RawMetrics::Disk disk;
  EXPECT_TRUE(parse_disk_line(" 259 0 nvme0n1 10 0 80 5 20 0 160 9 0 1 2", name, disk));
  EXPECT_EQ(name, "nvme0n1");
  EXPECT_EQ(disk.read_bytes, 80U * 512);
  EXPECT_EQ(disk.writes, 20U);
  EXPECT_FALSE(parse_disk_line(" 259 0 nvme0n1 10", name, disk));
}

TEST(HostMetricsTest, ReadsATreeAgainAndAgainAndSkipsWhatIsVirtual) {
  const testing::TestFolder root;
  const auto write_net = [&](const char* rx) {
    root.write("proc/net/dev",
               "Inter-| x\n face | y\n  lo: 5 0 0 0 0 0 0 0 5 0 0 0 0 0 0 0\n"
               "  eth1: " +
                   std::string(rx) +
                   " 0 0 0 0 0 0 0 9 0 0 0 0 0 0 0\n"
                   "  eth0: 1 0 0 0 0 0 0 0 2 0 0 0 0 0 0 0\n");
  };
  write_net("100");
  root.write("sys/class/net/eth0/device/x", "");
  root.write("sys/class/net/eth1/device/x", "");
  root.write("sys/class/net/lo/type", "772");
  root.write("proc/diskstats",
             " 8 0 sda 1 0 8 0 2 0 16 0 0 0 0\n 8 1 sda1 1 0 8 0 2 0 16 0 0 0 0\n"
             " 7 0 loop0 1 0 8 0 2 0 16 0 0 0 0\n");
  root.write("sys/block/sda/device/x", "");
  root.write("sys/block/loop0/size", "1");
  root.write("proc/uptime", "123.45 200.00\n");
  HostMetrics metrics(HostRoot(root.path()), {.nvml_library = ""});
  RawMetrics raw;
  metrics.read(raw);
  ASSERT_EQ(raw.nics.size(), 2U);
  EXPECT_EQ(raw.nics[0].name, "eth0");
  EXPECT_EQ(raw.nics[1].rx_bytes, 100U);
  ASSERT_EQ(raw.disks.size(), 1U);
  EXPECT_EQ(raw.disks[0].write_bytes, 16U * 512);
  EXPECT_EQ(raw.uptime_s, 123.45);
  EXPECT_FALSE(raw.load) << "no file: a gap";
  write_net("400");
  root.write("proc/loadavg", "1 2 3 1/2 3\n");
  metrics.read(raw);
  EXPECT_EQ(raw.nics[1].rx_bytes, 400U);
  EXPECT_TRUE(raw.load) << "appears later";
}

TEST(HostMetricsTest, GpusAreAskedNowAndThen) {
  const testing::TestFolder root;
  HostMetrics metrics(
      HostRoot(root.path()),
      {.nvml_library = std::string(DROVER_FAKES) + "/libfake_nvml_healthy.so", .gpu_every = 3});
  RawMetrics raw;
  for (int i = 0; i < 3; ++i) {
    metrics.read(raw);
    ASSERT_EQ(raw.gpus.size(), 2U) << "the last answers stand in between";
    EXPECT_EQ(raw.gpus[0].use.utilization_percent, 37U);
    if (i == 0) raw.gpus[0].use.temperature_c = 99;  // would be overwritten by asking
  }
  EXPECT_EQ(raw.gpus[0].use.temperature_c, 99U);
  metrics.read(raw);
  EXPECT_EQ(raw.gpus[0].use.temperature_c, 41U);
}

TEST(HostMetricsTest, ARealMachineHasThemAll) {
  HostMetrics metrics(HostRoot(), {});
  RawMetrics raw;
  metrics.read(raw);
  ASSERT_TRUE(raw.load && raw.memory && raw.cpu && raw.uptime_s);
  EXPECT_GT(raw.memory->total, raw.memory->available);
  EXPECT_GT(*raw.uptime_s, 0);
  const RawMetrics first = raw;
  metrics.read(raw);
  EXPECT_GE(raw.cpu->user + raw.cpu->idle, first.cpu->user + first.cpu->idle);
  EXPECT_EQ(raw.nics.size(), first.nics.size());
}

}  // namespace
}  // namespace drover::os
