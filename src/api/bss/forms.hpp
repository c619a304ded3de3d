// The bodies of BSS's /boot/v1, for the contract: what is sent and given.
#pragma once

#include "api/smd/component_forms.hpp"
#include "base/describe.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace drover::api::bss {

struct BootParameters {
  static constexpr std::string_view kTypeName = "BssBootParameters";
  std::optional<std::vector<std::string>> hosts, macs;
  std::optional<std::vector<uint64_t>> nids;
  std::optional<std::string> params, kernel, initrd;
  void describe(Visitor& v);
};

struct StorageBackend {
  static constexpr std::string_view kTypeName = "BssStorageBackend";
  std::string name;
  std::string status;
  void describe(Visitor& v);
};
struct ServiceStatus {
  static constexpr std::string_view kTypeName = "BssServiceStatus";
  std::optional<std::string> version, status, hsm;
  std::optional<StorageBackend> storage;
  void describe(Visitor& v);
};

struct Host {
  static constexpr std::string_view kTypeName = "BssHost";
  smd::ComponentForm component;  ///< its members come first
  std::string fqdn;
  std::vector<std::string> macs;
  bool endpoint_enabled = true;
  void describe(Visitor& v);
};

struct Access {
  static constexpr std::string_view kTypeName = "BssAccess";
  std::string name;
  std::string endpoint;
  int64_t last_epoch = 0;
  void describe(Visitor& v);
};

struct StateDump {
  static constexpr std::string_view kTypeName = "BssState";
  std::vector<Host> components;
  std::vector<BootParameters> params;
  void describe(Visitor& v);
};

}  // namespace drover::api::bss
