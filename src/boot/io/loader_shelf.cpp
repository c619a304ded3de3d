#include "boot/io/loader_shelf.hpp"

#include "net/sha256.hpp"

#include <utility>

#include <fmt/format.h>

namespace drover::boot {
namespace {

LoaderFile loader_of(std::string bytes) {
  LoaderFile file;
  file.sha256 = net::sha256_hex(bytes);
  file.bytes = std::make_shared<const std::string>(std::move(bytes));
  return file;
}

}  // namespace

Status LoaderShelf::fill(Disk& disk, const std::vector<std::string>& folders) {
  std::map<std::string, LoaderFile, std::less<>> files;
  size_t total = 0;
  for (const std::string& folder : folders) {
    DROVER_TRY(const bool there, disk.exists(folder));
    if (!there) continue;
    DROVER_TRY(const auto names, disk.list(folder));
    for (const std::string& name : names) {
      if (files.contains(name)) continue;
      auto bytes = disk.read_all(folder + "/" + name, kLoaderBytes);
      if (!bytes && bytes.error().code == Code::too_large) return tl::unexpected(bytes.error());
      if (!bytes) continue;  // a folder, or what nobody may read
      total += bytes->size();
      if (total > kLoaderBytes) {
        return fail(
            Code::too_large,
            fmt::format("the boot loaders in {} are more than {} MiB", folder, kLoaderBytes >> 20U),
            "keep loaders alone in that folder");
      }
      files.emplace(name, loader_of(*std::move(bytes)));
    }
  }
  files_ = std::move(files);
  return {};
}

void LoaderShelf::put(std::string name, std::string bytes) {
  files_.insert_or_assign(std::move(name), loader_of(std::move(bytes)));
}

const LoaderFile* LoaderShelf::find(std::string_view name) const {
  const auto found = files_.find(name);
  return found == files_.end() ? nullptr : &found->second;
}

}  // namespace drover::boot
