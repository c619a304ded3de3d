// Memory: its total and its modules.
#include "os/host/readers.hpp"
#include "os/host/text.hpp"

namespace drover::os {
namespace {

std::optional<uint64_t> total_mib(const HostRoot& root) {
  const std::string bytes = root.read("/proc/meminfo", 4096).value_or("");
  std::string_view rest = bytes;
  while (!rest.empty()) {
    std::string_view line = take_line(rest);
    if (take_word(line) != "MemTotal:") continue;
    const auto kib = parse_number(take_word(line));
    return kib ? std::optional(*kib / 1024) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

void read_memory(const HostRoot& root, const SmbiosTable& smbios, std::vector<Part>& parts) {
  const DimmList dimms = dimms_of(smbios);
  Part total{.kind = "memory", .slot = "total", .serial = {}, .attributes = {}};
  total.set("size_mib", total_mib(root));
  if (dimms.slots != 0) {
    total.set("dimms", dimms.populated.size());
    total.set("dimm_slots", dimms.slots);
    uint64_t installed = 0;
    for (const Dimm& dimm : dimms.populated) installed += dimm.size_mib;
    total.set("installed_mib", installed);
  }
  if (!total.attributes.empty()) parts.push_back(std::move(total));

  for (const Dimm& dimm : dimms.populated) {
    Part part{.kind = "dimm",
              .slot = dimm.locator.empty() ? dimm.bank : dimm.locator,
              .serial = dimm.serial,
              .attributes = {}};
    part.set("bank", dimm.bank);
    part.set("manufacturer", dimm.manufacturer);
    part.set("part_number", dimm.part_number);
    part.set("type", dimm.type);
    part.set("form_factor", dimm.form_factor);
    part.set("size_mib", dimm.size_mib);
    part.set("speed_mts", dimm.speed_mts);
    part.set("configured_mts", dimm.configured_mts);
    part.set("ranks", dimm.ranks);
    part.set("data_bits", dimm.data_bits);
    part.set("total_bits", dimm.total_bits);
    parts.push_back(std::move(part));
  }
}

}  // namespace drover::os
