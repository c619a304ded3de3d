// Which loader is for which machine.
#include "boot/dhcp/config.hpp"

#include <algorithm>

namespace drover::boot::dhcp {

std::vector<Loader> default_loaders() {
  return {{0, "undionly.kpxe"},        {6, "snponly-i386.efi"},     {7, "snponly-x64.efi"},
          {9, "snponly-x64.efi"},      {10, "snponly-arm32.efi"},   {11, "snponly-arm64.efi"},
          {15, "snponly-i386.efi"},    {16, "snponly-x64.efi"},     {17, "snponly-x64.efi"},
          {18, "snponly-arm32.efi"},   {19, "snponly-arm64.efi"},   {20, "undionly.kpxe"},
          {25, "snponly-riscv32.efi"}, {26, "snponly-riscv32.efi"}, {27, "snponly-riscv64.efi"},
          {28, "snponly-riscv64.efi"}, {39, "snponly-loong64.efi"}, {40, "snponly-loong64.efi"}};
}

std::string_view loader_for(const std::vector<Loader>& loaders, uint16_t architecture) {
  const auto found = std::find_if(loaders.begin(), loaders.end(), [&](const Loader& loader) {
    return loader.architecture == architecture;
  });
  return found == loaders.end() ? std::string_view{} : found->file;
}

}  // namespace drover::boot::dhcp
