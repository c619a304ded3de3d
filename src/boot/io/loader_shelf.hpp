// Boot loaders (iPXE, shim, GRUB) held in memory under their file names.
#pragma once

#include "base/disk.hpp"
#include "base/result.hpp"
#include "boot/io/boot_handler.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drover::boot {

/// Most bytes that are kept, of all loaders together.
inline constexpr size_t kLoaderBytes = size_t{64} << 20;

/// Names are plain file names, so that nothing outside of the folders can be asked for. One thread.
class LoaderShelf final : public LoaderSource {
 public:
  /// Reads every file of each folder in turn; the first of a name counts. Folders that do not exist
  /// are skipped, folders within folders too. An error leaves what was there before. too_large
  /// beyond kLoaderBytes.
  Status fill(Disk& disk, const std::vector<std::string>& folders);
  /// Adds or replaces one.
  void put(std::string name, std::string bytes);
  [[nodiscard]] const LoaderFile* find(std::string_view name) const override;
  /// Name and file, sorted.
  [[nodiscard]] const std::map<std::string, LoaderFile, std::less<>>& files() const {
    return files_;
  }

 private:
  std::map<std::string, LoaderFile, std::less<>> files_;
};

}  // namespace drover::boot
