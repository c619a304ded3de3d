// GPUs as parts: NVIDIA's through NVML, AMD's through sysfs.
#include "os/host/nvml.hpp"
#include "os/host/readers.hpp"
#include "os/host/text.hpp"

namespace drover::os {

void read_nvidia_gpus(const std::string& library, std::vector<Part>& parts) {
  if (library.empty()) return;
  Part driver{.kind = "firmware", .slot = "nvidia-driver", .serial = {}, .attributes = {}};
  const auto nvml = Nvml::open(library);
  if (!nvml) {
    if (nvml.error().code == Code::not_found) return;
    driver.set("problem", clean(nvml.error().text()));
    parts.push_back(std::move(driver));
    return;
  }
  driver.set("version", (*nvml)->driver_version());
  driver.set("cuda", (*nvml)->cuda_version());
  std::string problems;
  for (uint32_t index = 0; index < (*nvml)->count(); ++index) {
    auto gpu = (*nvml)->identity(index);
    if (!gpu) {
      if (!problems.empty()) problems += "; ";
      problems += gpu.error().text();
      continue;
    }
    Part part{.kind = "gpu",
              .slot = gpu->pci.empty() ? "gpu" + std::to_string(index) : gpu->pci,
              .serial = std::move(gpu->serial),
              .attributes = {}};
    part.set("vendor", "NVIDIA");
    part.set("index", index);
    part.set("model", std::move(gpu->name));
    part.set("uuid", std::move(gpu->uuid));
    part.set("vbios", std::move(gpu->vbios));
    part.set("memory_mib", gpu->memory_mib);
    part.set("pci", std::move(gpu->pci));
    parts.push_back(std::move(part));
  }
  driver.set("problem", clean(problems));
  parts.push_back(std::move(driver));
}

void read_amd_gpus(const HostRoot& root, std::vector<Part>& parts) {
  const std::string base = "/sys/bus/pci/devices";
  for (const std::string& address : root.list(base)) {
    const std::string dir = base + "/" + address;
    if (root.text(dir + "/vendor") != "0x1002") continue;
    const auto vram = root.number(dir + "/mem_info_vram_total");
    if (!vram || root.exists(dir + "/physfn")) continue;
    Part part{.kind = "gpu",
              .slot = address,
              .serial = clean_identity(root.text(dir + "/serial_number")),
              .attributes = {}};
    part.set("vendor", "AMD");
    part.set("model", clean_identity(root.text(dir + "/product_name")));
    part.set("part_number", clean_identity(root.text(dir + "/product_number")));
    part.set("uuid", clean_identity(root.text(dir + "/unique_id")));
    part.set("vbios", root.text(dir + "/vbios_version"));
    part.set("memory_mib", *vram >> 20);
    part.set("pci", address);
    parts.push_back(std::move(part));
  }
}

}  // namespace drover::os
