#include "cluster/bmc/hardware_book.hpp"

#include <algorithm>

namespace drover::cluster {
namespace {

template <Described T>
Status read_into(std::map<std::string, T, NaturalLess>& map, const std::string& key,
                 std::string_view body) {
  DROVER_TRY(map[key], decode_text<T>(body, Unknown::ignore));
  return {};
}

}  // namespace

uint64_t HardwareBook::bmc_revision(std::string_view name) const {
  const auto found = bmc_revisions_.find(name);
  return found == bmc_revisions_.end() ? 0 : found->second;
}

bool HardwareBook::knows(std::string_view kind) {
  return std::ranges::find(kHardwareKinds, kind) != kHardwareKinds.end();
}

Status HardwareBook::put(std::string_view kind, const std::string& key, std::string_view body,
                         uint64_t revision) {
  if (kind == kBmcKind) {
    bmc_revisions_[key] = revision;
    return read_into(bmcs_, key, body);
  }
  if (kind == kComponentKind) return read_into(components_, key, body);
  if (kind == kComponentLockKind) return read_into(locks_, key, body);
  if (kind == kInterfaceKind) return read_into(interfaces_, key, body);
  if (kind == kNodeMapKind) return read_into(node_maps_, key, body);
  if (kind == kPowerMapKind) return read_into(power_maps_, key, body);
  if (kind == kSubscriptionKind) return read_into(subscriptions_, key, body);
  return {};
}

void HardwareBook::erase(std::string_view kind, const std::string& key) {
  if (kind == kBmcKind) {
    bmcs_.erase(key);
    bmc_revisions_.erase(key);
  } else if (kind == kComponentKind) {
    components_.erase(key);
  } else if (kind == kComponentLockKind) {
    locks_.erase(key);
  } else if (kind == kInterfaceKind) {
    interfaces_.erase(key);
  } else if (kind == kNodeMapKind) {
    node_maps_.erase(key);
  } else if (kind == kPowerMapKind) {
    power_maps_.erase(key);
  } else if (kind == kSubscriptionKind) {
    subscriptions_.erase(key);
  }
}

}  // namespace drover::cluster
