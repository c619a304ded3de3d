// Hosts and their reverse names.
#include "boot/dns/table.hpp"

#include <algorithm>

namespace drover::boot::dns {

namespace {

template <typename Address>
bool add_once(std::vector<Address>& all, const Address& address) {
  if (std::find(all.begin(), all.end(), address) != all.end()) return false;
  all.push_back(address);
  return true;
}

}  // namespace

Name reverse_name(Ipv4 address) {
  std::string text;
  for (int shift = 0; shift < 32; shift += 8) {
    text += std::to_string(address.value >> shift & 0xff) + '.';
  }
  return Name::parse(text + "in-addr.arpa").value_or(Name{});
}

Name reverse_name(const Ipv6& address) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (size_t i = address.bytes.size(); i-- > 0;) {
    text += kHex[address.bytes[i] & 15];
    text += '.';
    text += kHex[address.bytes[i] >> 4];
    text += '.';
  }
  return Name::parse(text + "ip6.arpa").value_or(Name{});
}

Records& HostTable::records_of(const Name& name) {
  const Name key = name.lowered();
  const auto [at, is_new] = records_.try_emplace(std::string(key.wire()));
  if (is_new) {
    for (Name up = key.parent(); up.labels() > 0; up = up.parent()) {
      ++below_[std::string(up.wire())];
    }
  }
  return at->second;
}

void HostTable::drop(const Name& name) {
  const Name key = name.lowered();
  if (records_.erase(std::string(key.wire())) == 0) return;
  for (Name up = key.parent(); up.labels() > 0; up = up.parent()) {
    const auto count = below_.find(up.wire());
    if (count != below_.end() && --count->second == 0) below_.erase(count);
  }
}

void HostTable::drop_pointer(const Name& reverse, const Name& host) {
  const auto found = records_.find(reverse.lowered().wire());
  if (found == records_.end()) return;
  std::erase_if(found->second.hosts, [&](const Name& name) { return name.same_as(host); });
  if (found->second.empty()) drop(reverse);
}

void HostTable::add_host(const Name& host, const std::vector<Ipv4>& addresses4,
                         const std::vector<Ipv6>& addresses6) {
  Records& records = records_of(host);  // stays where it is while others are added
  records.alias.reset();
  for (const Ipv4 address : addresses4) {
    if (!add_once(records.addresses4, address)) continue;
    records_of(reverse_name(address)).hosts.push_back(host);
  }
  for (const Ipv6& address : addresses6) {
    if (!add_once(records.addresses6, address)) continue;
    records_of(reverse_name(address)).hosts.push_back(host);
  }
}

bool HostTable::add_alias(const Name& alias, const Name& host) {
  if (find(alias.lowered()) != nullptr) return false;
  records_of(alias).alias = host;
  return true;
}

bool HostTable::remove(const Name& name) {
  const auto found = records_.find(name.lowered().wire());
  if (found == records_.end()) return false;
  const Records records = std::move(found->second);
  drop(name);
  for (const Ipv4 address : records.addresses4) drop_pointer(reverse_name(address), name);
  for (const Ipv6& address : records.addresses6) drop_pointer(reverse_name(address), name);
  return true;
}

const Records* HostTable::find(const Name& name) const {
  const auto found = records_.find(name.wire());
  return found == records_.end() ? nullptr : &found->second;
}

bool HostTable::has_below(const Name& name) const {
  return below_.contains(name.wire());
}

}  // namespace drover::boot::dns
