// The inventory of a recorded two-socket server, of broken trees, and of the running machine.
#include "os/host/inventory.hpp"

#include "os/host/cpu_topology.hpp"
#include "os/host/test_smbios.hpp"
#include "os/test_folder.hpp"

#include <algorithm>
#include <chrono>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drover::os {
namespace {

using ::testing::HasSubstr;
using testing::SmbiosBuilder;
using testing::TestFolder;

constexpr const char* kPci = "sys/devices/pci0000:00/";

void write_pci(const TestFolder& root, const std::string& path, const std::string& clazz,
               const std::string& vendor, const std::string& driver) {
  const std::string dir = kPci + path;
  root.write(dir + "/class", clazz + "\n");
  root.write(dir + "/vendor", vendor + "\n");
  root.write(dir + "/device", "0x1234\n");
  root.write(dir + "/numa_node", "-1\n");
  if (!driver.empty()) root.link(dir + "/driver", "/sys/bus/pci/drivers/" + driver);
  const std::string address = path.substr(path.rfind('/') + 1);
  root.link("sys/bus/pci/devices/" + address, "../../../devices/pci0000:00/" + path);
}

/// Two sockets of two cores with two threads: CPUs 0-3 are first threads, 4-7 second ones.
void write_cpus(const TestFolder& root) {
  root.write("sys/devices/system/cpu/online", "0-7\n");
  for (int cpu = 0; cpu < 8; ++cpu) {
    const int socket = cpu % 4 / 2;
    const std::string dir = "sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/";
    const std::string core = std::to_string(cpu % 4) + "," + std::to_string(cpu % 4 + 4) + "\n";
    root.write(dir + "topology/physical_package_id", std::to_string(socket) + "\n");
    root.write(dir + "topology/core_id", std::to_string(cpu % 2) + "\n");
    root.write(dir + "topology/thread_siblings_list", core);
    const std::string all = socket == 0 ? "0-1,4-5\n" : "2-3,6-7\n";
    const auto cache = [&](int index, int level, const char* type, const char* size,
                           const std::string& shared) {
      const std::string at = dir + "cache/index" + std::to_string(index) + "/";
      root.write(at + "level", std::to_string(level) + "\n");
      root.write(at + "type", std::string(type) + "\n");
      root.write(at + "size", std::string(size) + "\n");
      root.write(at + "shared_cpu_list", shared);
      root.write(at + "coherency_line_size", "64\n");
    };
    cache(0, 1, "Data", "48K", core);
    cache(1, 1, "Instruction", "32K", core);
    cache(2, 2, "Unified", "2048K", core);
    cache(3, 3, "Unified", "105M", all);
    root.write(dir + "cpufreq/cpuinfo_max_freq", "3800000\n");
    root.write(dir + "cpufreq/scaling_cur_freq", "2100000\n");
  }
  root.write("sys/devices/system/node/node0/cpulist", "0-1,4-5\n");
  root.write("sys/devices/system/node/node0/meminfo", "Node 0 MemTotal:       131072000 kB\n");
  root.write("sys/devices/system/node/node1/cpulist", "2-3,6-7\n");
  root.write("sys/devices/system/node/node1/meminfo", "Node 1 MemTotal:       131072000 kB\n");
  root.write("proc/cpuinfo",
             "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 143\n"
             "model name\t: Intel(R) Xeon(R) Platinum 8480+\nstepping\t: 8\n"
             "microcode\t: 0x2b000461\ncpu MHz\t\t: 2101.113\n\nprocessor\t: 1\n");
}

void write_firmware(const TestFolder& root) {
  root.write("sys/class/dmi/id/sys_vendor", "Supermicro\n");
  root.write("sys/class/dmi/id/product_name", "SYS-221H-TNR\n");
  root.write("sys/class/dmi/id/product_serial", "To Be Filled By O.E.M.\n");
  root.write("sys/class/dmi/id/bios_vendor", "American Megatrends\n");
  root.write("sys/class/dmi/id/bios_version", "2.1\n");
  root.write("sys/class/dmi/id/chassis_type", "23\n");
  root.write("sys/firmware/efi/fw_platform_size", "64\n");
  std::string system(0x1b - 4, '\0');
  system[0] = 1;                                                     // vendor
  system[3] = 2;                                                     // serial
  for (size_t i = 4; i < 20; ++i) system[i] = static_cast<char>(i);  // uuid
  root.write(
      "sys/firmware/dmi/tables/DMI",
      SmbiosBuilder()
          .structure(1, system, {"Ignored", "A123456X"})
          .processor("CPU1", "S0001")
          .processor("CPU2", "S0002")
          .memory_device({.locator = "DIMM0", .size = 0x7fff, .extended_mib = 65536})
          .memory_device(
              {.locator = "DIMM0", .size = 0x7fff, .extended_mib = 65536, .serial = "80CE02"})
          .memory_device({.locator = "DIMM1"})
          .end());
}

void write_disks(const TestFolder& root) {
  const std::string nvme = std::string(kPci) + "0000:00:05.0/0000:41:00.0/nvme/nvme0/";
  root.write(nvme + "model", "SAMSUNG MZQL23T8HCLS-00A07              \n");
  root.write(nvme + "serial", "S64HNE0R602114      \n");
  root.write(nvme + "firmware_rev", "GDC5602Q\n");
  root.write(nvme + "transport", "pcie\n");
  root.write(nvme + "nvme0n1/size", "7501476528\n");
  root.write(nvme + "nvme0n1/queue/rotational", "0\n");
  root.write(nvme + "nvme0n1/wwid", "eui.36344830526021140025384500000001\n");
  root.link(nvme + "nvme0n1/device", "../../nvme0");
  root.link("sys/block/nvme0n1",
            "../devices/pci0000:00/0000:00:05.0/0000:41:00.0/nvme/nvme0/nvme0n1");
  const std::string sata = std::string(kPci) + "0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0/";
  root.write(sata + "model", "ST16000NM001G-2K\n");
  root.write(sata + "vendor", "ATA     \n");
  root.write(sata + "rev", "SN03\n");
  root.write(sata + "vpd_pg80", std::string("\0\x80\0\x08", 4) + "ZL2ABCDE");
  root.write(sata + "block/sda/size", "31251759104\n");
  root.write(sata + "block/sda/queue/rotational", "1\n");
  root.link(sata + "block/sda/device", "../../../2:0:0:0");
  root.link("sys/block/sda",
            "../devices/pci0000:00/0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0/block/sda");
  root.write("sys/devices/virtual/block/loop0/size", "100\n");
  root.link("sys/block/loop0", "../devices/virtual/block/loop0");
  root.write("sys/devices/virtual/block/dm-0/size", "100\n");
  root.link("sys/block/dm-0", "../devices/virtual/block/dm-0");
}

void write_network(const TestFolder& root) {
  const std::string hca = std::string(kPci) + "0000:00:06.0/0000:98:00.0";
  const std::string ib = hca + "/infiniband/mlx5_0/";
  root.write(ib + "hca_type", "MT4129\n");
  root.write(ib + "board_id", "MT_0000000838\n");
  root.write(ib + "fw_ver", "28.38.1900\n");
  root.write(ib + "node_guid", "b83f:d203:0012:3456\n");
  root.write(ib + "ports/1/lid", "0x1a\n");
  root.write(ib + "ports/1/rate", "400 Gb/sec (4X NDR)\n");
  root.write(ib + "ports/1/state", "4: ACTIVE\n");
  root.write(ib + "ports/1/link_layer", "InfiniBand\n");
  root.write(ib + "ports/1/counters/port_xmit_data", "123456\n");
  root.link(ib + "device", "../../../0000:98:00.0");
  root.link("sys/class/infiniband/mlx5_0",
            "../../devices/pci0000:00/0000:00:06.0/0000:98:00.0/infiniband/mlx5_0");
  const auto interface = [&](const std::string& name, const std::string& dir, int type,
                             const std::string& address, bool physical) {
    root.write(dir + "/type", std::to_string(type) + "\n");
    root.write(dir + "/address", address + "\n");
    root.write(dir + "/mtu", "9000\n");
    root.write(dir + "/operstate", "up\n");
    root.write(dir + "/statistics/rx_bytes", "777\n");
    if (physical)
      root.link(dir + "/device", "../../../" + dir.substr(dir.find("0000:98:00")).substr(0, 12));
    root.link("sys/class/net/" + name, "../../../" + dir);
  };
  interface("ib0", hca + "/net/ib0", 32,
            "00:00:10:49:fe:80:00:00:00:00:00:00:b8:3f:d2:03:00:12:34:56", true);
  interface("ens1", hca + "/net/ens1", 1, "02:00:00:00:00:99", true);
  root.write(hca + "/net/ens1/speed", "25000\n");
  root.write(hca + "/net/ens1/bonding_slave/perm_hwaddr", "b8:3f:d2:00:00:01\n");
  interface("lo", "sys/devices/virtual/net/lo", 772, "00:00:00:00:00:00", false);
  interface("bond0", "sys/devices/virtual/net/bond0", 1, "02:00:00:00:00:99", false);
  root.write("sys/class/net/bonding_masters", "bond0\n");
}

void write_server(const TestFolder& root) {
  write_cpus(root);
  write_firmware(root);
  write_disks(root);
  write_network(root);
  root.write("proc/meminfo", "MemTotal:       263000000 kB\nMemFree:        1 kB\n");
  root.write("etc/os-release",
             "# comment\nID=rocky\nPRETTY_NAME=\"Rocky Linux 9.4 (Blue Onyx)\"\n"
             "VERSION_ID='9.4'\nBROKEN\n");
  root.write("proc/sys/kernel/osrelease", "5.14.0-427.el9.x86_64\n");
  write_pci(root, "0000:00:05.0", "0x060400", "0x8086", "pcieport");
  write_pci(root, "0000:00:05.0/0000:41:00.0", "0x010802", "0x144d", "nvme");
  write_pci(root, "0000:00:06.0/0000:98:00.0", "0x020700", "0x15b3", "mlx5_core");
  write_pci(root, "0000:00:07.0/0000:c1:00.0", "0x038000", "0x1002", "amdgpu");
  const std::string gpu = std::string(kPci) + "0000:00:07.0/0000:c1:00.0/";
  root.write(gpu + "mem_info_vram_total", "68702699520\n");
  root.write(gpu + "vbios_version", "113-D67301-063\n");
  root.write(gpu + "unique_id", "18f68e602b8a790f\n");
  write_pci(root, "0000:00:06.0/0000:98:00.1", "0x020700", "0x15b3", "mlx5_core");
  root.link(std::string(kPci) + "0000:00:06.0/0000:98:00.1/physfn", "../0000:98:00.0");
}

const Part* find(const std::vector<Part>& parts, std::string_view kind, std::string_view slot) {
  const auto found = std::find_if(parts.begin(), parts.end(), [&](const Part& part) {
    return part.kind == kind && part.slot == slot;
  });
  return found == parts.end() ? nullptr : &*found;
}

class ServerInventory : public ::testing::Test {
 protected:
  /// The tree is written once, since it has many files; tests that change something change it back.
  static void SetUpTestSuite() {
    root_ = std::make_unique<TestFolder>();
    write_server(*root_);
  }
  static void TearDownTestSuite() { root_.reset(); }

  ServerInventory() {
    auto parts = read_inventory(HostRoot(root_->path()));
    if (parts) parts_ = *std::move(parts);
  }
  [[nodiscard]] const Part& part(std::string_view kind, std::string_view slot) const {
    static const Part kNone;
    const Part* found = find(parts_, kind, slot);
    EXPECT_NE(found, nullptr) << kind << " " << slot;
    return found == nullptr ? kNone : *found;
  }
  [[nodiscard]] long count(std::string_view kind) const {
    return std::count_if(parts_.begin(), parts_.end(),
                         [&](const Part& entry) { return entry.kind == kind; });
  }
  static std::unique_ptr<TestFolder> root_;
  std::vector<Part> parts_;
};
std::unique_ptr<TestFolder> ServerInventory::root_;

TEST_F(ServerInventory, ProcessorsCachesAndNodes) {
  EXPECT_EQ(count("cpu"), 2);
  const Part& cpu = part("cpu", "socket1");
  EXPECT_EQ(cpu.get("model"), "Intel(R) Xeon(R) Platinum 8480+");
  EXPECT_EQ(cpu.get("cores"), "2");
  EXPECT_EQ(cpu.get("threads"), "4");
  EXPECT_EQ(cpu.get("max_mhz"), "3800");
  EXPECT_EQ(cpu.get("socket"), "CPU2");
  EXPECT_EQ(cpu.get("microcode"), "0x2b000461");
  EXPECT_EQ(cpu.serial, "S0002");
  EXPECT_EQ(part("cache", "L3").get("size_kib"), "107520");
  EXPECT_EQ(part("cache", "L3").get("count"), "2");
  EXPECT_EQ(part("cache", "L1d").get("count"), "4");
  EXPECT_EQ(part("cache", "L1d").get("threads"), "2");
  EXPECT_EQ(part("numa", "node1").get("cpus"), "2-3,6-7");
  EXPECT_EQ(part("numa", "node1").get("memory_mib"), "128000");
}

TEST_F(ServerInventory, MemoryAndItsModules) {
  EXPECT_EQ(part("memory", "total").get("size_mib"), "256835");
  EXPECT_EQ(part("memory", "total").get("dimms"), "2");
  EXPECT_EQ(part("memory", "total").get("dimm_slots"), "3");
  EXPECT_EQ(part("dimm", "DIMM0").serial, "80CE01");
  EXPECT_EQ(part("dimm", "DIMM0#2").serial, "80CE02") << "twins stay apart";
  EXPECT_EQ(part("dimm", "DIMM0").get("part_number"), "M321R8GA0BB0-CQKZJ");
}

TEST_F(ServerInventory, BoardAndFirmwareFillGapsFromTheTable) {
  const Part& system = part("board", "system");
  EXPECT_EQ(system.get("vendor"), "Supermicro") << "the kernel's word goes first";
  EXPECT_EQ(system.serial, "A123456X") << "a filler in sysfs is no serial";
  EXPECT_EQ(system.get("uuid"), "07060504-0908-0b0a-0c0d-0e0f10111213");
  EXPECT_EQ(part("board", "chassis").get("type"), "rack mount chassis");
  EXPECT_EQ(part("firmware", "bios").get("version"), "2.1");
  EXPECT_EQ(part("firmware", "bios").get("boot"), "uefi");
}

TEST_F(ServerInventory, PhysicalDisksOnly) {
  EXPECT_EQ(count("disk"), 2);
  const Part& nvme = part("disk", "nvme0n1");
  EXPECT_EQ(nvme.serial, "S64HNE0R602114");
  EXPECT_EQ(nvme.get("model"), "SAMSUNG MZQL23T8HCLS-00A07");
  EXPECT_EQ(nvme.get("firmware"), "GDC5602Q");
  EXPECT_EQ(nvme.get("size_bytes"), "3840755982336");
  EXPECT_EQ(nvme.get("rotational"), "false");
  EXPECT_EQ(nvme.get("transport"), "nvme-pcie");
  EXPECT_EQ(nvme.get("pci"), "0000:41:00.0");
  const Part& sata = part("disk", "sda");
  EXPECT_EQ(sata.serial, "ZL2ABCDE");
  EXPECT_EQ(sata.get("transport"), "sata");
  EXPECT_EQ(sata.get("rotational"), "true");
  EXPECT_EQ(sata.get("pci"), "0000:00:17.0");
}

TEST_F(ServerInventory, NetworkAdapters) {
  EXPECT_EQ(count("nic"), 2);
  EXPECT_EQ(part("nic", "ib0").get("port_guid"), "b8:3f:d2:03:00:12:34:56");
  EXPECT_EQ(part("nic", "ib0").get("mac"), "");
  EXPECT_EQ(part("nic", "ens1").get("mac"), "b8:3f:d2:00:00:01") << "not the bond's";
  EXPECT_EQ(part("nic", "ens1").get("speed_mbps"), "25000");
  EXPECT_EQ(part("nic", "ens1").get("driver"), "mlx5_core");
  EXPECT_EQ(part("nic", "ens1").get("pci"), "0000:98:00.0");
  const Part& hca = part("hca", "mlx5_0");
  EXPECT_EQ(hca.get("firmware"), "28.38.1900");
  EXPECT_EQ(hca.get("port1_rate"), "400 Gb/sec (4X NDR)");
  EXPECT_EQ(hca.get("port1_state"), "ACTIVE");
  EXPECT_EQ(hca.get("port1_lid"), "26");
}

TEST_F(ServerInventory, VirtualInterfacesOnRequestAndFlagged) {
  const auto all =
      read_inventory(HostRoot(root_->path()), {.nvml_library = "", .virtual_nics = true});
  ASSERT_TRUE(all);
  const Part* bond = find(*all, "nic", "bond0");
  ASSERT_NE(bond, nullptr);
  EXPECT_EQ(bond->get("virtual"), "true");
  EXPECT_EQ(find(*all, "nic", "lo"), nullptr);
}

TEST_F(ServerInventory, PciWithoutBridgesAndVirtualFunctions) {
  EXPECT_EQ(count("pci"), 3);
  EXPECT_EQ(part("pci", "0000:98:00.0").get("driver"), "mlx5_core");
  EXPECT_EQ(part("pci", "0000:98:00.0").get("class_name"), "network");
  EXPECT_EQ(part("pci", "0000:98:00.0").get("numa_node"), "") << "-1 is not a node";
  EXPECT_EQ(part("gpu", "0000:c1:00.0").get("memory_mib"), "65520");
}

TEST_F(ServerInventory, SummaryForLists) {
  const Summary summary = summarize(parts_);
  EXPECT_EQ(summary.cpus, 8U);
  EXPECT_EQ(summary.sockets, 2U);
  EXPECT_EQ(summary.memory_mib, 256835U);
  EXPECT_EQ(summary.gpus, 1U);
  EXPECT_EQ(summary.os, "Rocky Linux 9.4 (Blue Onyx)");
  EXPECT_EQ(summary.kernel, "5.14.0-427.el9.x86_64");
  EXPECT_EQ(summary.model, "Supermicro SYS-221H-TNR");
}

TEST_F(ServerInventory, WhatMovesByItselfIsNotInIt) {
  root_->write("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "800000\n");
  root_->write(std::string(kPci) + "0000:00:06.0/0000:98:00.0/net/ens1/statistics/rx_bytes", "9\n");
  root_->write(std::string(kPci) +
                   "0000:00:06.0/0000:98:00.0/infiniband/mlx5_0/ports/1/counters/port_xmit_data",
               "9\n");
  root_->write("proc/meminfo", "MemTotal:       263000000 kB\nMemFree:        99 kB\n");
  const auto again = read_inventory(HostRoot(root_->path()));
  ASSERT_TRUE(again);
  EXPECT_EQ(encode_inventory(*again), encode_inventory(parts_));
}

TEST_F(ServerInventory, AReplacedModuleIsTheOnlyDifference) {
  const std::string before = HostRoot(root_->path()).read("/sys/firmware/dmi/tables/DMI").value();
  std::string table = before;
  table.replace(table.find("80CE01"), 6, "80CE77");
  root_->write("sys/firmware/dmi/tables/DMI", table);
  const auto again = read_inventory(HostRoot(root_->path()));
  root_->write("sys/firmware/dmi/tables/DMI", before);
  ASSERT_TRUE(again);
  ASSERT_EQ(again->size(), parts_.size());
  for (size_t i = 0; i < parts_.size(); ++i) {
    EXPECT_EQ((*again)[i] == parts_[i], parts_[i].slot != "DIMM0") << parts_[i].slot;
  }
}

TEST(Inventory, NeverMoreThanAMasterTakes) {
  const TestFolder root;
  root.write("proc/meminfo", "MemTotal: 2048 kB\n");
  root.write("real/class", "0x020000\n");
  for (int i = 0; i < 5000; ++i) {
    root.link("sys/bus/pci/devices/" + std::to_string(10000 + i), "../../../../real");
  }
  const auto parts = read_inventory(HostRoot(root.path()));
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->size(), 4096U);
  EXPECT_NE(find(*parts, "memory", "total"), nullptr);
}

TEST(Inventory, AnEmptyTreeIsAnErrorWithANextStep) {
  const TestFolder root;
  const auto parts = read_inventory(HostRoot(root.path()));
  ASSERT_FALSE(parts);
  EXPECT_EQ(parts.error().code, Code::io);
  EXPECT_FALSE(parts.error().next.empty());
}

TEST(Inventory, NonsenseInFilesIsAGapOrIsMadeSafe) {
  const TestFolder root;
  root.write("proc/meminfo", "MemTotal: much kB\n");
  root.write("sys/devices/system/cpu/online", "7-3,x\n");
  root.write("sys/class/dmi/id/product_name", "evil\x1b[2J\xff\xfename\n");
  root.write("sys/class/dmi/id/board_name", std::string(3000, 'y') + "\n");
  root.write("sys/class/net/eth0/type", "1\n");
  root.write("sys/block/sdz/size", "-1\n");
  root.write("sys/firmware/dmi/tables/DMI", std::string(100, '\xff'));
  root.write("sys/bus/pci/devices/0000:00:01.0/class", "\n");
  std::filesystem::create_directories(root / "etc/os-release");
  const auto parts = read_inventory(HostRoot(root.path()));
  ASSERT_TRUE(parts) << parts.error().text();
  EXPECT_EQ(find(*parts, "memory", "total"), nullptr);
  EXPECT_EQ(find(*parts, "board", "system")->get("product"), "evil?[2J??name");
  EXPECT_EQ(find(*parts, "board", "board")->get("product").size(), 256U);
  EXPECT_EQ(find(*parts, "nic", "eth0"), nullptr) << "no device: not physical";
}

TEST(RealMachine, HasWhatEveryMachineHas) {
  const auto start = std::chrono::steady_clock::now();
  const auto parts = read_inventory(HostRoot());
  const auto took = std::chrono::steady_clock::now() - start;
  ASSERT_TRUE(parts) << parts.error().text();
  const Summary summary = summarize(*parts);
  EXPECT_GE(summary.cpus, 1U);
  EXPECT_GE(summary.sockets, 1U);
  EXPECT_GE(summary.memory_mib, 64U);
  EXPECT_FALSE(summary.os.empty());
  EXPECT_FALSE(summary.kernel.empty());
  if (HostRoot().exists("/sys/class/dmi/id/sys_vendor")) {
    EXPECT_NE(find(*parts, "board", "system"), nullptr);
    EXPECT_NE(find(*parts, "firmware", "bios"), nullptr);
  }
  // Generous: the budget is 50 ms, and test machines are loaded.
  EXPECT_LT(took, std::chrono::seconds(5));
  const auto again = read_inventory(HostRoot());
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, *parts);
}

TEST(RealMachine, HwlocAndSysfsAgree) {
  const auto hwloc = read_topology_hwloc();
  ASSERT_TRUE(hwloc) << hwloc.error().text();
  const CpuTopology sysfs = read_topology_sysfs(HostRoot());
  EXPECT_EQ(hwloc->packages, sysfs.packages);
  ASSERT_EQ(hwloc->nodes.size(), sysfs.nodes.size());
  for (size_t i = 0; i < sysfs.nodes.size(); ++i) {
    EXPECT_EQ(hwloc->nodes[i].cpus, sysfs.nodes[i].cpus);
  }
  if (!sysfs.caches.empty()) EXPECT_EQ(hwloc->caches, sysfs.caches);
}

}  // namespace
}  // namespace drover::os
