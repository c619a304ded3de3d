// The cluster whose machines the benches of booting ask for.
#pragma once

#include "boot/wire/address.hpp"
#include "cluster/node.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include <fmt/core.h>

namespace drover::bench {

/// 52:54:xx:xx:xx:xx
inline boot::HardwareAddress mac_of(uint32_t node) {
  boot::HardwareAddress mac;
  mac.length = 6;
  mac.octets = {0x52,
                0x54,
                static_cast<uint8_t>(node >> 24),
                static_cast<uint8_t>(node >> 16),
                static_cast<uint8_t>(node >> 8),
                static_cast<uint8_t>(node)};
  return mac;
}

/// Nodes n0 and on, whose addresses are formulas and whose image, rocky9, comes from a profile, as
/// most are.
inline std::vector<store::Change> model_changes(uint32_t machines) {
  std::vector<store::Change> out;
  const auto put = [&](const char* kind, std::string key, std::string body) {
    store::Change change;
    change.sequence = out.size() + 1;
    change.kind = kind;
    change.key = std::move(key);
    change.after = std::move(body);
    out.push_back(std::move(change));
  };
  put("network", "boot", R"({"name":"boot","prefix":"10.76.0.0/14","gateway":"10.76.0.1"})");
  put("profile", "default",
      R"({"name":"default","attributes":{"image":"rocky9","console":"ttyS0,115200n8"}})");
  for (uint32_t i = 0; i < machines; ++i) {
    cluster::Node node;
    node.name = fmt::format("n{}", i);
    node.id = fmt::format("{:032x}", i);
    node.spec.interfaces = {{"eth0", mac_of(i).text(), {"10.77.${number/256}.${number%256}"}, ""}};
    put("node", node.name, encode(node));
  }
  return out;
}

}  // namespace drover::bench
