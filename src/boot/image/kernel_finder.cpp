#include "boot/image/kernel_finder.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace drover::boot::image {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 2> kModuleRoots{"usr/lib/modules", "lib/modules"};
constexpr std::array<std::string_view, 3> kKernelNames{"vmlinuz-", "vmlinux-", "Image-"};

/// Little-endian number of `bytes` bytes at `at`; 0 beyond the end.
uint64_t number_at(std::string_view data, size_t at, size_t bytes) {
  if (at + bytes > data.size()) return 0;
  uint64_t value = 0;
  for (size_t i = bytes; i-- > 0;) value = value << 8U | static_cast<unsigned char>(data[at + i]);
  return value;
}

/// Names in a folder; none when it is not there.
std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> out;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    out.push_back(it->path().filename().string());
  }
  std::ranges::sort(out);
  return out;
}

bool is_below(const fs::path& path, const fs::path& tree) {
  const auto [at, unused] = std::ranges::mismatch(tree, path);
  return at == tree.end();
}

/// The folder with a kernel's modules; empty when there is none.
std::string modules_of(const fs::path& tree, const std::string& version) {
  for (const std::string_view root : kModuleRoots) {
    const fs::path folder = tree / root / version;
    std::error_code error;
    if (fs::exists(folder / "modules.dep", error)) return folder.string();
  }
  return {};
}

}  // namespace

Status check_inside(const std::string& tree, const std::string& path) {
  std::error_code error;
  const fs::path root = fs::canonical(tree, error);
  if (error) return tl::unexpected(errno_error(tree, error.value()));
  const auto inside = [&](const fs::path& what) -> Status {
    const fs::path real = fs::canonical(what, error);
    if (error) return tl::unexpected(errno_error(what.string(), error.value()));
    if (is_below(real, root)) return {};
    return fail(Code::denied,
                fmt::format("{} leads out of the image, to {}", what.string(), real.string()),
                "name the kernel and its modules with --kernel and --modules");
  };
  DROVER_CHECK_OK(inside(path));
  if (!fs::is_directory(path, error)) return {};
  for (fs::recursive_directory_iterator it(path, error), end; !error && it != end;
       it.increment(error)) {
    const bool counts = it->path().filename().string().find(".ko") != std::string::npos ||
                        it->path().filename().string().starts_with("modules.");
    if (counts && it->is_symlink(error)) DROVER_CHECK_OK(inside(it->path()));
  }
  return {};
}

Result<std::vector<FoundKernel>> find_kernels(const std::string& tree) {
  std::map<std::string, FoundKernel, NaturalLess> found;
  const auto add = [&](const std::string& version, const fs::path& path) -> Status {
    std::error_code error;
    if (version.empty() || found.contains(version) || !fs::is_regular_file(path, error)) return {};
    DROVER_CHECK_OK(check_inside(tree, path.string()));
    found[version] = {version, path.string(), modules_of(tree, version)};
    if (found[version].modules_dir.empty()) return {};
    return check_inside(tree, found[version].modules_dir);
  };
  const fs::path root(tree);
  for (const std::string& name : names_in(root / "boot")) {
    for (const std::string_view start : kKernelNames) {
      const bool other = name.ends_with(".old") || name.find("rescue") != std::string::npos;
      if (!name.starts_with(start) || other) continue;
      DROVER_CHECK_OK(add(name.substr(start.size()), root / "boot" / name));
    }
  }
  for (const std::string_view modules : kModuleRoots) {
    for (const std::string& version : names_in(root / modules)) {
      DROVER_CHECK_OK(add(version, root / modules / version / "vmlinuz"));
    }
  }
  std::vector<FoundKernel> out;
  for (auto& [version, kernel] : found) out.insert(out.begin(), std::move(kernel));
  return out;
}

Result<FoundKernel> choose_kernel(const std::vector<FoundKernel>& kernels, std::string_view version,
                                  std::string_view tree) {
  if (kernels.empty()) {
    return fail(Code::not_found,
                fmt::format("{} has no kernel: neither boot/vmlinuz-* nor "
                            "usr/lib/modules/*/vmlinuz is there",
                            tree),
                "install one there, or name one with --kernel and --modules");
  }
  if (version.empty()) {
    const auto with_modules =
        std::ranges::find_if(kernels, [](const FoundKernel& k) { return !k.modules_dir.empty(); });
    return with_modules == kernels.end() ? kernels.front() : *with_modules;
  }
  const auto found = std::ranges::find(kernels, version, &FoundKernel::version);
  if (found != kernels.end()) return *found;
  std::vector<std::string> there;
  for (const FoundKernel& kernel : kernels) there.push_back(kernel.version);
  return fail(Code::not_found,
              fmt::format("{} has no kernel {}; it has {}", tree, version, fmt::join(there, ", ")));
}

Result<std::string> kernel_arch(std::string_view head) {
  // Documentation/x86/boot.rst; Documentation/arm64/booting.rst; Documentation/riscv/boot-image-
  // header.rst; the PE header of an EFI stub; ELF.
  if (head.size() > 0x206 && head.substr(0x202, 4) == "HdrS") return "x86_64";
  if (head.size() > 64 && head.substr(56, 4) == "ARM\x64") return "aarch64";
  if (head.size() > 64 && head.substr(56, 4) == "RSC\x05") return "riscv64";
  if (head.starts_with("MZ")) {
    const uint64_t at = number_at(head, 0x3c, 4);
    if (at < head.size() && head.substr(at, 4) == std::string_view("PE\0\0", 4)) {
      const uint64_t machine = number_at(head, at + 4, 2);
      if (machine == 0x8664) return "x86_64";
      if (machine == 0xaa64) return "aarch64";
      if (machine == 0x5064) return "riscv64";
    }
  }
  constexpr uint64_t kPpc64 = 21;
  if (head.starts_with("\x7f"
                       "ELF") &&
      number_at(head, 18, 2) == kPpc64)
    return "ppc64le";
  if (head.starts_with("\x1f\x8b")) return "aarch64";  // Image.gz, which nobody else boots
  return fail(Code::invalid_argument, "it is no Linux kernel that Drover knows");
}

std::string kernel_release(std::string_view head) {
  if (head.size() < 0x210 || head.substr(0x202, 4) != "HdrS") return {};
  const uint64_t at = number_at(head, 0x20e, 2) + 0x200;
  if (at == 0x200 || at >= head.size()) return {};
  const std::string_view text = head.substr(at, 128);
  return std::string(text.substr(0, text.find_first_of(std::string_view(" \0", 2))));
}

}  // namespace drover::boot::image
