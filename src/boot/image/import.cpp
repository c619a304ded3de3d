#include "boot/image/import.hpp"

#include "boot/image/kernel_finder.hpp"
#include "boot/image/layer.hpp"
#include "boot/image/oci.hpp"
#include "boot/image/squashfs.hpp"
#include "net/sha256.hpp"
#include "os/command.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace drover::boot::image {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 5> kKindNames{"lean", "folder", "tar", "squashfs", "oci"};
constexpr size_t kKernelHead = size_t{64} << 10;
constexpr size_t kTarMagic = 257;  // POSIX.1-1988 ustar

/// A folder that goes away with it.
class Scratch {
 public:
  explicit Scratch(std::string path) : path_(std::move(path)) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Result<std::string> head_of(Disk& disk, const std::string& path) {
  DROVER_TRY(const auto file, disk.open(path, false, 0));
  std::string head(kKernelHead, '\0');
  DROVER_TRY(const size_t got, file->read(0, head));
  head.resize(got);
  return head;
}

bool is_archive(std::string_view head) {
  constexpr std::array<std::string_view, 4> kPacked{"\x1f\x8b",
                                                    "\xfd"
                                                    "7zXZ",
                                                    "\x28\xb5\x2f\xfd", "BZh"};
  if (head.size() > kTarMagic + 5 && head.substr(kTarMagic, 5) == "ustar") return true;
  return std::ranges::any_of(kPacked,
                             [&](std::string_view start) { return head.starts_with(start); });
}

/// Whether an archive holds an OCI layout. Tools write these uncompressed, and tar(1) skips over
/// what is in such an archive; looking through a packed one would take as long as unpacking it.
bool has_oci_layout(const std::string& path, std::string_view head) {
  if (head.size() <= kTarMagic || !head.substr(kTarMagic).starts_with("ustar")) return false;
  return os::run_command({"tar", {"--list", "--file", path, "oci-layout", "index.json"}})
      .has_value();
}

/// One import on its way.
class Import {
 public:
  Import(Disk& disk, BlobStore& blobs, const ImportRequest& request, ImportEvents& events)
      : disk_(disk), blobs_(blobs), request_(request), events_(events) {}

  Result<Imported> run(WallTime now) {
    DROVER_TRY(out_.kind, detect_source(disk_, request_.source));
    out_.version.created = now;
    out_.version.source = request_.source.empty()
                              ? "kernel " + request_.kernel
                              : fmt::format("{} {}", enum_name(out_.kind), request_.source);
    DROVER_CHECK_OK(open_tree());
    DROVER_CHECK_OK(add_kernel());
    DROVER_CHECK_OK(add_initrds());
    DROVER_CHECK_OK(add_root());
    cluster::ImageVersion& version = out_.version;
    version.digest = net::sha256_hex(cluster::canonical_image_text(version));
    DROVER_CHECK_OK(cluster::check_image_version(version));
    return std::move(out_);
  }

 private:
  void step(std::string_view what) {
    if (events_.step) events_.step(what);
  }
  ByteProgress progress(uint64_t total) {
    return [this, total](uint64_t done) {
      if (events_.bytes) events_.bytes(done, total);
    };
  }

  /// Makes tree_ the folder in which the kernel is looked for.
  Status open_tree() {
    if (out_.kind == SourceKind::lean) return {};
    if (out_.kind == SourceKind::folder) {
      tree_ = request_.source;
      return {};
    }
    DROVER_TRY(std::string path, blobs_.scratch_path());
    scratch_ = std::make_unique<Scratch>(path);
    tree_ = path;
    if (out_.kind == SourceKind::squashfs) {
      step("looking into " + request_.source);
      return unpack_kernels(request_.source, path);
    }
    if (::geteuid() != 0 && !request_.all_root) {
      return fail(Code::denied, "only root can unpack an archive with its owners and devices",
                  "run it as root, or add --all-root");
    }
    DROVER_CHECK_OK(disk_.make_dirs(path, 0755));
    std::error_code error;
    const auto began = fs::last_write_time(path, error);
    DROVER_CHECK_OK(out_.kind == SourceKind::oci ? unpack_oci() : unpack_tar());
    fix_times(path, began);
    return {};
  }

  Status unpack_tar() {
    step("unpacking " + request_.source);
    os::CommandLine tar;
    tar.program = "tar";
    tar.arguments = {
        "--extract", "--file",          request_.source,          "--directory",
        tree_,       "--numeric-owner", "--preserve-permissions", "--delay-directory-restore"};
    if (request_.all_root) {
      tar.arguments.emplace_back("--no-same-owner");
    } else {
      tar.arguments.emplace_back("--xattrs-include=security.capability");
    }
    auto done = os::run_command(std::move(tar));
    if (!done) return fail_in("unpacking " + request_.source, std::move(done).error());
    return {};
  }

  /// Folders that no archive says a time of have the time of their making here: the same archive
  /// would be another tree each time.
  static void fix_times(const std::string& tree, fs::file_time_type began) {
    std::error_code error;
    const auto fix = [&](const fs::path& folder) {
      if (fs::last_write_time(folder, error) < began || error) return;
      fs::last_write_time(folder, std::chrono::file_clock::from_sys(std::chrono::sys_seconds{}),
                          error);
    };
    for (auto it = fs::recursive_directory_iterator(tree, error);
         !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
      if (it->symlink_status(error).type() == fs::file_type::directory) fix(it->path());
    }
    fix(tree);
  }

  /// Unpacks the layers over each other.
  Status unpack_oci() {
    std::string layout = request_.source;
    std::unique_ptr<Scratch> unpacked;
    std::error_code error;
    if (!fs::is_directory(layout, error)) {
      DROVER_TRY(const std::string folder, blobs_.scratch_path());
      unpacked = std::make_unique<Scratch>(folder);
      DROVER_CHECK_OK(disk_.make_dirs(folder, 0700));
      step("unpacking " + layout);
      DROVER_TRY([[maybe_unused]] const auto done,
                 os::run_command({"tar",
                                  {"--extract", "--file", layout, "--directory", folder,
                                   "--no-same-owner", "oci-layout", "index.json", "blobs"}}));
      layout = folder;
    }
    Callback<void(std::string_view)> tell = [this](std::string_view what) { step(what); };
    utsname host{};
    ::uname(&host);
    DROVER_TRY(const auto layers, find_oci_layers(disk_, layout, host.machine, request_.tag, tell));
    for (size_t i = 0; i < layers.size(); ++i) {
      step(fmt::format("unpacking layer {} of {}", i + 1, layers.size()));
      const Status done = unpack_layer(oci_path(layout, layers[i]), tree_, request_.all_root);
      if (!done) return fail_in("unpacking the layer " + layers[i].sha256, done.error());
    }
    return {};
  }

  Status add_kernel() {
    cluster::ImageKernel& kernel = out_.version.kernel;
    modules_ = request_.modules;
    kernel.version = request_.kernel_version;
    std::string path = request_.kernel;
    if (path.empty()) {
      DROVER_TRY(const auto kernels, find_kernels(tree_));
      DROVER_TRY(const FoundKernel found,
                 choose_kernel(kernels, request_.kernel_version, request_.source));
      path = found.path;
      kernel.version = found.version;
      if (modules_.empty()) modules_ = found.modules_dir;
    }
    DROVER_TRY(const std::string head, head_of(disk_, path));
    auto arch = kernel_arch(head);
    if (!arch) return fail_in(path, arch.error());
    out_.version.arch = *std::move(arch);
    if (kernel.version.empty()) kernel.version = version_of(path, head);
    if (modules_.empty() && !kernel.version.empty()) modules_ = modules_of_host(kernel.version);
    if (modules_.empty()) {
      out_.notes.push_back(
          fmt::format("no modules for the kernel {} were found: it must have its drivers built in",
                      kernel.version));
    }
    if (out_.kind != SourceKind::lean && !request_.kernel.empty() && !has_modules(kernel.version)) {
      out_.notes.push_back(
          fmt::format("the root has no modules of the kernel {}: nodes have the drivers of the "
                      "first root alone",
                      kernel.version));
    }
    step(fmt::format("kernel {} ({})", kernel.version, out_.version.arch));
    DROVER_TRY(const Blob blob, blobs_.put_file(path));
    kernel.sha256 = blob.sha256;
    kernel.size = blob.size;
    return {};
  }

  [[nodiscard]] bool has_modules(const std::string& version) const {
    std::error_code error;
    return std::ranges::any_of(std::array{"lib/modules", "usr/lib/modules"}, [&](const char* root) {
      return fs::exists(fs::path(tree_) / root / version, error);
    });
  }

  /// What the kernel says of itself, else what its file is called.
  static std::string version_of(const std::string& path, std::string_view head) {
    std::string release = kernel_release(head);
    if (!release.empty()) return release;
    const std::string name = fs::path(path).filename().string();
    const size_t dash = name.find('-');
    return dash == std::string::npos ? std::string() : name.substr(dash + 1);
  }

  /// Modules of a kernel of this host; those of a tree are in the tree.
  std::string modules_of_host(const std::string& version) {
    if (request_.kernel.empty()) return {};
    for (const char* root : {"/lib/modules/", "/usr/lib/modules/"}) {
      std::error_code error;
      if (fs::exists(fs::path(root) / version / "modules.dep", error)) return root + version;
    }
    return {};
  }

  Status add_initrds() {
    InitramfsRequest wanted;
    wanted.agent = request_.agent;
    wanted.modules_dir = modules_;
    wanted.modules.insert(wanted.modules.end(), request_.extra_modules.begin(),
                          request_.extra_modules.end());
    step("making the first root");
    auto made = make_initramfs(disk_, wanted);
    if (!made) return fail_in("making the first root", std::move(made).error());
    const auto& missing = made->missing_modules;
    for (const std::string& asked : request_.extra_modules) {
      const bool found = std::ranges::find(missing, asked) == missing.end();
      if (found && !modules_.empty()) continue;
      return fail(Code::not_found, fmt::format("the kernel {} has no module {}",
                                               out_.version.kernel.version, asked));
    }
    DROVER_TRY(const Blob own, blobs_.put(made->bytes));
    out_.version.initrds.push_back({own.sha256, own.size, "drover"});
    for (const std::string& path : request_.initrds) {
      DROVER_TRY(const Blob blob, blobs_.put_file(path));
      out_.version.initrds.push_back({blob.sha256, blob.size, fs::path(path).filename().string()});
    }
    return {};
  }

  Status add_root() {
    if (out_.kind == SourceKind::lean) return {};
    Blob blob;
    if (out_.kind == SourceKind::squashfs) {
      step("copying the root");
      std::error_code error;
      const uint64_t size = fs::file_size(request_.source, error);
      DROVER_TRY(blob, blobs_.put_file(request_.source, progress(error ? 0 : size)));
    } else {
      DROVER_TRY(blob, pack());
    }
    out_.version.root = cluster::ImageRoot{blob.sha256, blob.size, "squashfs"};
    return {};
  }

  Result<Blob> pack() {
    if (::geteuid() != 0 && !request_.all_root) {
      return fail(Code::denied, "only root can read a root file system with its owners",
                  "run it as root, or add --all-root");
    }
    DROVER_TRY(const std::string packed, blobs_.scratch_path());
    SquashRequest squash;
    squash.tree = tree_;
    squash.output = packed;
    squash.excludes = request_.excludes;
    squash.keep_identity = request_.keep_identity;
    squash.all_root = request_.all_root;
    squash.level = request_.level;
    squash.progress = progress(0);
    leave_out_own_folders(squash.excludes);
    step("packing the root");
    const Scratch remains(packed);
    const Status made = make_squashfs(disk_, std::move(squash));
    if (!made) return fail_in("packing " + request_.source, made.error());
    std::error_code error;
    const uint64_t size = fs::file_size(packed, error);
    step("checking the root");
    return blobs_.adopt(packed, progress(error ? 0 : size));
  }

  /// An image of the running system must not hold images, nor the keys of the cluster.
  void leave_out_own_folders(std::vector<std::string>& excludes) const {
    std::error_code error;
    const fs::path root = fs::canonical(tree_, error);
    for (const std::string& own : {blobs_.folder(), std::string("/var/lib/drover")}) {
      const fs::path folder = fs::weakly_canonical(own, error);
      const fs::path inside = folder.lexically_relative(root);
      if (!inside.empty() && *inside.begin() != ".." && inside != ".") {
        excludes.push_back(inside.string() + "/*");
      }
    }
  }

  Disk& disk_;
  BlobStore& blobs_;
  const ImportRequest& request_;
  ImportEvents& events_;
  std::unique_ptr<Scratch> scratch_;
  std::string tree_;
  std::string modules_;
  Imported out_;
};

}  // namespace

std::span<const std::string_view> enum_names(SourceKind) {
  return kKindNames;
}

Result<SourceKind> detect_source(Disk& disk, const std::string& path) {
  if (path.empty()) return SourceKind::lean;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) return fail(Code::not_found, fmt::format("{} is not there", path));
  if (fs::is_directory(status)) {
    const bool oci = fs::exists(fs::path(path) / "oci-layout", error) &&
                     fs::exists(fs::path(path) / "index.json", error);
    return oci ? SourceKind::oci : SourceKind::folder;
  }
  DROVER_TRY(const std::string head, head_of(disk, path));
  if (head.starts_with("hsqs")) return SourceKind::squashfs;
  if (is_archive(head)) return has_oci_layout(path, head) ? SourceKind::oci : SourceKind::tar;
  return fail(Code::unsupported,
              fmt::format("{} is neither a folder nor a tar archive nor a squashfs", path));
}

Result<Imported> import_image(Disk& disk, BlobStore& blobs, const ImportRequest& request,
                              ImportEvents& events, WallTime now) {
  if (request.source.empty() && request.kernel.empty()) {
    return fail(Code::invalid_argument, "an image is made of a source, or of a kernel alone",
                "name a folder, an archive or a squashfs, or --kernel /boot/vmlinuz-VERSION");
  }
  return Import(disk, blobs, request, events).run(now);
}

}  // namespace drover::boot::image
