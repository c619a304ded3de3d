// NVIDIA's GPUs through real shared objects that speak NVML's C ABI.
#include "os/host/nvml.hpp"
#include "os/host/readers.hpp"
#include "os/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drover::os {
namespace {

using ::testing::HasSubstr;

std::string fake(const std::string& name) {
  return std::string(DROVER_FAKES) + "/libfake_nvml_" + name + ".so";
}

TEST(Nvml, TellsWhatTheDevicesAreAndDo) {
  const auto nvml = Nvml::open(fake("healthy"));
  ASSERT_TRUE(nvml) << nvml.error().text();
  EXPECT_EQ((*nvml)->driver_version(), "550.54.15");
  EXPECT_EQ((*nvml)->cuda_version(), "12.4");
  ASSERT_EQ((*nvml)->count(), 2U);
  const auto gpu = (*nvml)->identity(1);
  ASSERT_TRUE(gpu) << gpu.error().text();
  EXPECT_EQ(gpu->pci, "0000:ca:00.0");
  EXPECT_EQ(gpu->serial, "1650000000002");
  EXPECT_EQ(gpu->memory_mib, 81920U);
  const auto use = (*nvml)->use(0);
  ASSERT_TRUE(use);
  EXPECT_EQ(use->utilization_percent, 37U);
  EXPECT_EQ(use->temperature_c, 41U);
  EXPECT_EQ(use->memory_used_bytes, 899345920U);
  EXPECT_FALSE(use->power_mw) << "a value that the device refused";
}

TEST(Nvml, AbsenceAndEachKindOfBreakageAreTold) {
  EXPECT_EQ(Nvml::open("libdrover-no-such-library.so.1").error().code, Code::not_found);
  const auto old = Nvml::open(fake("old"));
  ASSERT_FALSE(old);
  EXPECT_EQ(old.error().code, Code::unsupported);
  EXPECT_THAT(old.error().message, HasSubstr("nvmlDeviceGetPciInfo_v3"));
  const auto no_driver = Nvml::open(fake("no_driver"));
  ASSERT_FALSE(no_driver);
  EXPECT_EQ(no_driver.error().code, Code::io);
  EXPECT_THAT(no_driver.error().message, HasSubstr("Driver Not Loaded (NVML error 9)"));
  const testing::TestFolder folder;
  folder.write("libgarbage.so", "this is no library");
  EXPECT_EQ(Nvml::open(folder / "libgarbage.so").error().code, Code::io);
}

TEST(Gpu, PartsOfHealthyDevices) {
  std::vector<Part> parts;
  read_nvidia_gpus(fake("healthy"), parts);
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0].kind, "gpu");
  EXPECT_EQ(parts[0].slot, "0000:17:00.0");
  EXPECT_EQ(parts[0].get("model"), "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(parts[0].get("uuid"), "GPU-aaaa");
  EXPECT_EQ(parts[2].kind, "firmware");
  EXPECT_EQ(parts[2].get("version"), "550.54.15");
  EXPECT_EQ(parts[2].get("problem"), "");
}

TEST(Gpu, ALostDeviceDoesNotHideTheOthers) {
  std::vector<Part> parts;
  read_nvidia_gpus(fake("lost"), parts);
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].get("uuid"), "GPU-aaaa");
  EXPECT_THAT(std::string(parts[1].get("problem")), HasSubstr("read GPU 1: GPU is lost"));
}

TEST(Gpu, ABrokenLibraryIsAFactAndAnAbsentOneIsNot) {
  std::vector<Part> parts;
  read_nvidia_gpus("libdrover-no-such-library.so.1", parts);
  read_nvidia_gpus("", parts);
  EXPECT_TRUE(parts.empty());
  read_nvidia_gpus(fake("no_driver"), parts);
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].slot, "nvidia-driver");
  EXPECT_THAT(std::string(parts[0].get("problem")), HasSubstr("Driver Not Loaded"));
}

}  // namespace
}  // namespace drover::os
