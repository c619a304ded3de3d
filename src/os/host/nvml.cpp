// The few functions of NVML that Drover needs, by their C ABI (nvml.h of CUDA 12; the versioned
// names below are stable since driver 450).
#include "os/host/nvml.hpp"

#include "os/host/text.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <dlfcn.h>
#include <fmt/core.h>

namespace drover::os {
namespace {

using Device = void*;
constexpr int kSuccess = 0;

struct PciInfo {  // nvmlPciInfo_t
  std::array<char, 16> bus_id_legacy;
  unsigned domain, bus, device, pci_device_id, pci_subsystem_id;
  std::array<char, 32> bus_id;
};
struct MemoryInfo {  // nvmlMemory_t
  unsigned long long total, free, used;
};
struct UtilizationRates {  // nvmlUtilization_t
  unsigned gpu, memory;
};

/// "00000000:3B:00.0" -> "0000:3b:00.0", the spelling of sysfs.
std::string sysfs_address(const PciInfo& info) {
  std::string address =
      clean(std::string_view(info.bus_id.data(), info.bus_id.size())
                .substr(0, std::find(info.bus_id.begin(), info.bus_id.end(), '\0') -
                               info.bus_id.begin()));
  for (char& c : address) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (address.size() == 16 && address.starts_with("0000")) address.erase(0, 4);
  return address;
}

template <size_t N>
std::string text_of(const std::array<char, N>& buffer) {
  return clean_identity(std::string_view(
      buffer.data(), std::find(buffer.begin(), buffer.end(), '\0') - buffer.begin()));
}

}  // namespace

/// The function table; pointers to NVML's structs are untyped, which is the same by the C ABI.
/// Those behind required() are always there; the others may be null.
struct Nvml::Api {
  using Text = int (*)(Device, char*, unsigned);
  int (*init)() = nullptr;
  int (*shutdown)() = nullptr;
  int (*device_count)(unsigned*) = nullptr;
  int (*device_by_index)(unsigned, Device*) = nullptr;
  int (*pci_info)(Device, void*) = nullptr;
  const char* (*error_text)(int) = nullptr;
  int (*driver_version)(char*, unsigned) = nullptr;
  int (*cuda_version)(int*) = nullptr;
  Text name = nullptr, uuid = nullptr, serial = nullptr, vbios = nullptr;
  int (*memory_info)(Device, void*) = nullptr;
  int (*utilization)(Device, void*) = nullptr;
  int (*temperature)(Device, int, unsigned*) = nullptr;
  int (*power)(Device, unsigned*) = nullptr;

  /// Looks everything up; the name of the first required function that is missing, or null.
  const char* resolve(void* library) {
    const char* missing = nullptr;
    const auto optional = [library](auto& function, const char* symbol) {
      function =
          reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(library, symbol));
      return function != nullptr;
    };
    const auto required = [&](auto& function, const char* symbol) {
      if (!optional(function, symbol) && missing == nullptr) missing = symbol;
    };
    required(init, "nvmlInit_v2");
    required(shutdown, "nvmlShutdown");
    required(device_count, "nvmlDeviceGetCount_v2");
    required(device_by_index, "nvmlDeviceGetHandleByIndex_v2");
    required(pci_info, "nvmlDeviceGetPciInfo_v3");
    optional(error_text, "nvmlErrorString");
    optional(driver_version, "nvmlSystemGetDriverVersion");
    optional(cuda_version, "nvmlSystemGetCudaDriverVersion_v2");
    optional(name, "nvmlDeviceGetName");
    optional(uuid, "nvmlDeviceGetUUID");
    optional(serial, "nvmlDeviceGetSerial");
    optional(vbios, "nvmlDeviceGetVbiosVersion");
    optional(memory_info, "nvmlDeviceGetMemoryInfo");
    optional(utilization, "nvmlDeviceGetUtilizationRates");
    optional(temperature, "nvmlDeviceGetTemperature");
    optional(power, "nvmlDeviceGetPowerUsage");
    return missing;
  }

  static std::string text(Text function, Device device) {
    std::array<char, 128> buffer{};
    if (function == nullptr) return {};
    if (function(device, buffer.data(), buffer.size() - 1) != kSuccess) return {};
    return text_of(buffer);
  }
};

void Nvml::Unload::operator()(void* handle) const {
  ::dlclose(handle);
}

Nvml::Nvml(Handle handle, std::unique_ptr<Api> api)
    : handle_(std::move(handle)), api_(std::move(api)) {}

Nvml::~Nvml() {
  if (started_) api_->shutdown();
}

Result<std::unique_ptr<Nvml>> Nvml::open(const std::string& library) {
  Handle handle(::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL));
  if (!handle) {
    const char* text = ::dlerror();  // NOLINT(concurrency-mt-unsafe): thread-local in glibc
    const std::string why = text == nullptr ? "unknown error" : clean(text);
    // dlopen has no error numbers. A missing dependency of a present library names that instead.
    const bool absent = why.starts_with(library + ": cannot open shared object file");
    return fail(absent ? Code::not_found : Code::io, "cannot load " + why);
  }
  auto api = std::make_unique<Api>();
  if (const char* missing = api->resolve(handle.get()); missing != nullptr) {
    return fail(Code::unsupported, library + " has no " + missing,
                "install a driver of version 450 or later");
  }
  std::unique_ptr<Nvml> nvml(new Nvml(std::move(handle), std::move(api)));
  if (const int code = nvml->api_->init(); code != kSuccess) {
    return tl::unexpected(nvml->error("start " + library, code));
  }
  nvml->started_ = true;
  return nvml;
}

Error Nvml::error(const std::string& doing, int code) const {
  const char* text = api_->error_text == nullptr ? nullptr : api_->error_text(code);
  return Error{Code::io,
               fmt::format("{} (NVML error {})", text == nullptr ? "failed" : clean(text), code),
               doing, "see nvidia-smi and the kernel log on the node"};
}

std::string Nvml::driver_version() const {
  std::array<char, 96> buffer{};
  if (api_->driver_version == nullptr) return {};
  if (api_->driver_version(buffer.data(), buffer.size() - 1) != kSuccess) return {};
  return text_of(buffer);
}

std::string Nvml::cuda_version() const {
  int version = 0;
  if (api_->cuda_version == nullptr || api_->cuda_version(&version) != kSuccess) return {};
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

uint32_t Nvml::count() const {
  constexpr unsigned kMost = 256;
  unsigned devices = 0;
  return api_->device_count(&devices) == kSuccess ? std::min(devices, kMost) : 0;
}

Result<GpuIdentity> Nvml::identity(uint32_t index) const {
  const std::string doing = fmt::format("read GPU {}", index);
  Device device = nullptr;
  if (const int code = api_->device_by_index(index, &device); code != kSuccess) {
    return tl::unexpected(error(doing, code));
  }
  PciInfo pci{};
  if (const int code = api_->pci_info(device, &pci); code != kSuccess) {
    return tl::unexpected(error(doing, code));
  }
  GpuIdentity gpu;
  gpu.index = index;
  gpu.pci = sysfs_address(pci);
  gpu.name = Api::text(api_->name, device);
  gpu.uuid = Api::text(api_->uuid, device);
  gpu.serial = Api::text(api_->serial, device);
  gpu.vbios = Api::text(api_->vbios, device);
  MemoryInfo memory{};
  if (api_->memory_info != nullptr && api_->memory_info(device, &memory) == kSuccess) {
    gpu.memory_mib = memory.total >> 20;
  }
  return gpu;
}

Result<GpuUse> Nvml::use(uint32_t index) const {
  Device device = nullptr;
  if (const int code = api_->device_by_index(index, &device); code != kSuccess) {
    return tl::unexpected(error(fmt::format("read GPU {}", index), code));
  }
  GpuUse use;
  UtilizationRates rates{};
  if (api_->utilization != nullptr && api_->utilization(device, &rates) == kSuccess) {
    use.utilization_percent = rates.gpu;
  }
  constexpr int kGpuSensor = 0;
  unsigned value = 0;
  if (api_->temperature != nullptr && api_->temperature(device, kGpuSensor, &value) == kSuccess) {
    use.temperature_c = value;
  }
  if (api_->power != nullptr && api_->power(device, &value) == kSuccess) use.power_mw = value;
  MemoryInfo memory{};
  if (api_->memory_info != nullptr && api_->memory_info(device, &memory) == kSuccess) {
    use.memory_used_bytes = memory.used;
  }
  return use;
}

}  // namespace drover::os
