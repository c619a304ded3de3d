// Nvml: NVIDIA's management library, loaded at run time where it is installed.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drover::os {

inline constexpr const char* kNvmlLibrary = "libnvidia-ml.so.1";

/// What a GPU is; "" and nullopt where the device or an older library does not say.
struct GpuIdentity {
  std::string pci;  ///< "0000:3b:00.0", as in sysfs
  std::string name, uuid, serial, vbios;
  uint32_t index = 0;  ///< NVML's, by PCI address
  std::optional<uint64_t> memory_mib;
};

/// What a GPU does now. A value that the device does not give is absent.
struct GpuUse {
  std::optional<uint32_t> utilization_percent;
  std::optional<uint32_t> temperature_c;
  std::optional<uint32_t> power_mw;
  std::optional<uint64_t> memory_used_bytes;
};

/// An open, initialised library; shut down and unloaded when destroyed. Calls block in the driver,
/// which may take seconds while a device is woken or sick: use it away from the main executor, from
/// one thread at a time.
class Nvml {
 public:
  /// Code::not_found when the library is not installed, unsupported when it lacks a function that
  /// is needed, io when it is there but cannot start (driver not loaded, versions differ).
  /// `library` is a name or path for dlopen(3).
  static Result<std::unique_ptr<Nvml>> open(const std::string& library = kNvmlLibrary);

  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;
  ~Nvml();

  [[nodiscard]] std::string driver_version() const;
  [[nodiscard]] std::string cuda_version() const;
  /// How many devices the driver has; 0 when it cannot say.
  [[nodiscard]] uint32_t count() const;
  /// Fails for a device that has fallen off the bus.
  [[nodiscard]] Result<GpuIdentity> identity(uint32_t index) const;
  [[nodiscard]] Result<GpuUse> use(uint32_t index) const;

 private:
  struct Api;
  struct Unload {
    void operator()(void* handle) const;
  };
  using Handle = std::unique_ptr<void, Unload>;
  Nvml(Handle handle, std::unique_ptr<Api> api);
  [[nodiscard]] Error error(const std::string& doing, int code) const;

  Handle handle_;  // outlives api_, whose functions are in it
  std::unique_ptr<Api> api_;
  bool started_ = false;
};

}  // namespace drover::os
