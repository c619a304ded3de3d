#include "nss/name_file_writer.hpp"

#include "nss/name_file.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>

namespace drover::nss {
namespace {

/// At most half of the slots are taken, so that runs stay short.
uint32_t slots_for(size_t keys) {
  return std::bit_ceil(static_cast<uint32_t>(2 * keys + 2));
}

template <typename T>
void put(std::string& out, size_t at, const T& value) {
  std::memcpy(out.data() + at, &value, sizeof(value));
}

std::string_view octets(std::span<const uint8_t> address) {
  return {reinterpret_cast<const char*>(address.data()), address.size()};
}

}  // namespace

void NameFileWriter::add(const NamedHost& host) {
  const auto place = static_cast<uint32_t>(hosts_.size());
  const size_t four = std::min(host.addresses4.size(), kMostAddresses);
  const size_t six = std::min(host.addresses6.size(), kMostAddresses);
  std::string body;
  for (size_t i = 0; i < four; ++i) body += octets(host.addresses4[i]);
  for (size_t i = 0; i < six; ++i) body += octets(host.addresses6[i]);
  constexpr size_t kHead = 6;
  std::vector<Key> names;
  for (const std::string& written : host.names) {
    char space[kMostName];
    const std::string_view name = folded(written, space);
    const bool fits = !name.empty() && kHead + body.size() + 1 + name.size() <= kMostHost;
    if (!fits || names.size() == kMostNames) continue;
    body += static_cast<char>(name.size());
    body += name;
    names.push_back({name_hash(name), place, std::string(name)});
  }
  if (names.empty()) return;
  std::string head(kHead, '\0');
  put(head, 0, static_cast<uint16_t>(kHead + body.size()));
  head[2] = static_cast<char>(four);
  head[3] = static_cast<char>(six);
  put(head, 4, static_cast<uint16_t>(names.size()));
  hosts_ += head;
  hosts_ += body;
  ++count_;
  std::ranges::move(names, std::back_inserter(names_));
  const auto key = [&](std::span<const uint8_t> address) {
    const std::string_view text = octets(address);
    addresses_.push_back({name_hash(text), place, std::string(text)});
  };
  for (size_t i = 0; i < four; ++i) key(host.addresses4[i]);
  for (size_t i = 0; i < six; ++i) key(host.addresses6[i]);
}

std::string NameFileWriter::finish(uint64_t sequence) const {
  NameFileHeader header{};
  std::memcpy(header.magic, kMagic.data(), kMagic.size());
  header.version = kVersion;
  header.hosts = count_;
  header.name_slots = slots_for(names_.size());
  header.address_slots = slots_for(addresses_.size());
  header.names_at = sizeof(header);
  header.addresses_at =
      header.names_at + header.name_slots * static_cast<uint32_t>(sizeof(NameFileSlot));
  header.sequence = sequence;
  header.check =
      name_hash({reinterpret_cast<const char*>(&header), offsetof(NameFileHeader, check)});
  const uint32_t hosts_at =
      header.addresses_at + header.address_slots * static_cast<uint32_t>(sizeof(NameFileSlot));

  std::string out(hosts_at, '\0');
  put(out, 0, header);
  const auto fill = [&](const std::vector<Key>& keys, uint32_t slots, uint32_t at) {
    std::vector<const Key*> taken(slots, nullptr);
    for (const Key& key : keys) {
      uint32_t index = key.hash & (slots - 1);
      while (taken[index] != nullptr && taken[index]->text != key.text) {
        index = (index + 1) & (slots - 1);
      }
      if (taken[index] != nullptr) continue;  // the first keeps it
      taken[index] = &key;
      put(out, at + index * sizeof(NameFileSlot), NameFileSlot{key.hash, hosts_at + key.host});
    }
  };
  fill(names_, header.name_slots, header.names_at);
  fill(addresses_, header.address_slots, header.addresses_at);
  return out + hosts_;
}

}  // namespace drover::nss
