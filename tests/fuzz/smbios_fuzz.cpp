// The SMBIOS walk and everything that is read from it.
#include "fuzz.hpp"
#include "os/host/smbios.hpp"

DROVER_FUZZ_TARGET(input) {
  const drover::os::SmbiosTable table = drover::os::parse_smbios(input);
  const drover::os::DimmList dimms = drover::os::dimms_of(table);
  drover::fuzz::require(dimms.populated.size() <= dimms.slots, "no DIMM without a slot");
  drover::fuzz::require(drover::os::processors_of(table).size() <= table.structures.size(),
                        "no processor without a structure");
  for (const auto& structure : table.structures) {
    for (size_t offset = 0; offset < 300; ++offset) {
      (void)structure.string(offset);
      (void)structure.dword(offset);
      (void)drover::os::smbios_uuid(structure.bytes(offset, 16));
    }
  }
}
