// Sorted by path, a folder comes before what is in it, as the kernel wants it.
#include "boot/image/cpio.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

namespace drover::boot::image {
namespace {

constexpr size_t kBlock = 512;

void pad(std::string& out, size_t to) {
  out.resize((out.size() + to - 1) / to * to, '\0');
}

void append(std::string& out, std::string_view path, uint32_t inode, uint32_t mode,
            std::string_view body, uint32_t links, uint32_t major, uint32_t minor) {
  // ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
  out += fmt::format(
      "070701{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}", inode,
      mode, 0, 0, links, 0, body.size(), 0, 0, major, minor, path.size() + 1, 0);
  out += path;
  out += '\0';
  pad(out, 4);
  out += body;
  pad(out, 4);
}

/// The path as the archive holds it, without the first "/".
Result<std::string> clean(std::string_view path) {
  std::string_view rest = path;
  while (rest.starts_with('/')) rest.remove_prefix(1);
  const std::string out(rest);
  bool good = !rest.empty() && path.find('\0') == std::string_view::npos;
  while (good && !rest.empty()) {
    const size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    good = !part.empty() && part != "." && part != "..";
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    good = good && (slash == std::string_view::npos || !rest.empty());
  }
  if (!good)
    return fail(Code::invalid_argument, fmt::format("'{}' is no path of an archive", path));
  return out;
}

}  // namespace

Status Cpio::put(std::string_view path, Entry entry) {
  DROVER_TRY(std::string name, clean(path));
  for (size_t slash = name.find('/'); slash != std::string::npos;
       slash = name.find('/', slash + 1)) {
    const auto above = entries_.try_emplace(name.substr(0, slash), Entry{S_IFDIR | 0755, {}, 0, 0});
    if (!S_ISDIR(above.first->second.mode)) {
      return fail(Code::conflict, fmt::format("'{}' cannot be put below '{}', which is no folder",
                                              name, above.first->first));
    }
  }
  entries_.insert_or_assign(std::move(name), std::move(entry));
  return {};
}

Status Cpio::file(std::string_view path, std::string bytes, uint32_t permissions) {
  return put(path, {S_IFREG | permissions, std::move(bytes), 0, 0});
}

Status Cpio::folder(std::string_view path, uint32_t permissions) {
  return put(path, {S_IFDIR | permissions, {}, 0, 0});
}

Status Cpio::link(std::string_view path, std::string target) {
  return put(path, {S_IFLNK | 0777, std::move(target), 0, 0});
}

Status Cpio::device(std::string_view path, bool block, uint32_t major, uint32_t minor,
                    uint32_t permissions) {
  return put(path, {(block ? S_IFBLK : S_IFCHR) | permissions, {}, major, minor});
}

bool Cpio::has(std::string_view path) const {
  const auto name = clean(path);
  return name && entries_.contains(*name);
}

Result<std::string> Cpio::bytes() const {
  std::string out;
  uint32_t inode = 0;
  for (const auto& [path, entry] : entries_) {
    if (entry.body.size() > UINT32_MAX) {
      return fail(Code::too_large, fmt::format("'{}' is too large for an archive", path));
    }
    append(out, path, ++inode, entry.mode, entry.body, S_ISDIR(entry.mode) ? 2 : 1, entry.major,
           entry.minor);
  }
  append(out, "TRAILER!!!", 0, 0, {}, 1, 0, 0);
  pad(out, kBlock);
  return out;
}

}  // namespace drover::boot::image
