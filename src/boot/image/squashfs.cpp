#include "boot/image/squashfs.hpp"

#include "os/command.hpp"

#include <array>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace drover::boot::image {
namespace {

// What a machine fills by itself when it runs.
constexpr std::array<std::string_view, 7> kVolatile{"proc/*", "sys/*",     "dev/*",     "run/*",
                                                    "tmp/*",  "var/tmp/*", "lost+found"};
// What must not be the same on two machines; each makes its own where it is missing.
constexpr std::array<std::string_view, 5> kIdentity{
    "etc/machine-id", "var/lib/dbus/machine-id", "etc/ssh/ssh_host_*_key",
    "etc/ssh/ssh_host_*_key.pub", "var/lib/systemd/random-seed"};
// Folders that the first root mounts on.
constexpr std::array<std::string_view, 5> kMountPoints{"proc", "sys", "dev", "run", "tmp"};

Error not_installed(Error error) {
  if (error.code == Code::not_found) {
    error.next = "install squashfs-tools (apt install squashfs-tools, dnf install squashfs-tools)";
  }
  return error;
}

/// "-rw-r--r-- root/root  5 2026-11-22 08:00 /etc/hosts": path, and what stands before it.
void add_listed(std::string_view line, std::map<std::string, std::string>& out) {
  const size_t path = line.find(" /");
  if (path == std::string_view::npos || line.size() < 10) return;
  std::string note(line.substr(0, path));
  std::string_view name = line.substr(path + 1);
  const size_t arrow = line.front() == 'l' ? name.find(" -> ") : std::string_view::npos;
  if (arrow != std::string_view::npos) {
    note += name.substr(arrow);
    name = name.substr(0, arrow);
  }
  if (name.starts_with("//")) name.remove_prefix(1);  // below -dest /
  // Columns are padded to the listing's widest.
  std::string tidy;
  for (const char c : note) {
    if (c != ' ' || !tidy.ends_with(' ')) tidy.push_back(c);
  }
  out.emplace(name, std::move(tidy));
}

bool is_there(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(std::filesystem::symlink_status(path, error));
}

}  // namespace

Status make_squashfs(Disk& disk, SquashRequest request) {
  os::CommandLine command;
  command.program = "mksquashfs";
  command.arguments = {request.tree,
                       request.output,
                       "-comp",
                       "zstd",
                       "-Xcompression-level",
                       std::to_string(request.level),
                       "-b",
                       "256K",
                       "-noappend",
                       "-reproducible",
                       "-mkfs-time",
                       "0",
                       "-one-file-system",
                       "-exit-on-error",
                       "-no-progress",
                       "-wildcards"};
  const auto add = [&](std::string_view word) { command.arguments.emplace_back(word); };
  if (request.all_root) add("-all-root");
  for (const std::string_view folder : kMountPoints) {
    if (is_there(fmt::format("{}/{}", request.tree, folder))) continue;
    add("-p");
    add(fmt::format("{} D 0 {} 0 0", folder, folder == "tmp" ? "1777" : "555"));
  }
  // Not missing but empty: systemd gives a machine its id then, and does not take it for the first
  // boot ever (machine-id(5)).
  if (!request.keep_identity && is_there(request.tree + "/etc/machine-id")) {
    add("-p");
    add("etc/machine-id F 0 444 0 0 true");
  }
  add("-e");
  for (const std::string_view pattern : kVolatile) add(pattern);
  if (!request.keep_identity) {
    for (const std::string_view pattern : kIdentity) add(pattern);
  }
  for (const std::string& pattern : request.excludes) add(pattern);
  // The times of files stay; that of the file system is given above, and mksquashfs refuses to be
  // told twice.
  command.environment = {"SOURCE_DATE_EPOCH"};
  command.progress = [&disk, &request] {
    if (!request.progress) return;
    const auto file = disk.open(request.output, false, 0);
    if (!file) return;
    if (const auto size = (*file)->size()) request.progress(*size);
  };
  auto done = os::run_command(std::move(command));
  if (!done) return tl::unexpected(not_installed(std::move(done).error()));
  return {};
}

Result<std::map<std::string, std::string>> list_squashfs(const std::string& squashfs) {
  os::CommandLine command;
  command.program = "unsquashfs";
  command.arguments = {"-no-progress", "-lls", "-dest", "/", squashfs};
  std::map<std::string, std::string> out;
  std::string rest;
  command.on_output = [&](std::string_view piece) {
    rest += piece;
    size_t begin = 0;
    for (size_t end = rest.find('\n'); end != std::string::npos; end = rest.find('\n', begin)) {
      add_listed(std::string_view(rest).substr(begin, end - begin), out);
      begin = end + 1;
    }
    rest.erase(0, begin);
  };
  auto done = os::run_command(std::move(command));
  if (!done) return tl::unexpected(not_installed(std::move(done).error()));
  return out;
}

Status unpack_kernels(const std::string& squashfs, const std::string& folder) {
  os::CommandLine command;
  command.program = "unsquashfs";
  command.arguments = {"-no-progress", "-no-xattrs", "-dest", folder,
                       squashfs,       "boot",       "lib",   "usr/lib/modules"};
  auto done = os::run_command(std::move(command));
  if (!done) return tl::unexpected(not_installed(std::move(done).error()));
  return {};
}

}  // namespace drover::boot::image
