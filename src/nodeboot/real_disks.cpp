// Blocks of a disk are written by its own name only while no partition of it is in use.
#include "nodeboot/real_disks.hpp"

#include "nodeboot/image_file.hpp"
#include "os/command.hpp"
#include "os/real_disk.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace drover::nodeboot {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStartAt = "/start";
constexpr const char* kMakeExt4 = "/usr/lib/drover/tools/mke2fs";
constexpr const char* kMakeFat = "/usr/lib/drover/tools/mkfs.fat";
constexpr size_t kLargestKept = size_t{1} << 20;

std::string line_of(const fs::path& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  while (!line.empty() && (line.back() == ' ' || line.back() == '\n')) line.pop_back();
  return line;
}

uint64_t number_of(const fs::path& path) {
  const std::string text = line_of(path);
  uint64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

std::string device_of(const DiskFacts& disk) {
  return "/dev/" + disk.name;
}
std::string device_of(const DiskFacts& disk, Part part) {
  return "/dev/" + partition_name(disk.name, part);
}

Status write_at(int fd, uint64_t offset, std::string_view bytes, const std::string& device) {
  while (!bytes.empty()) {
    const ssize_t took = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (took < 0 && errno == EINTR) continue;
    if (took <= 0) return tl::unexpected(errno_error("write " + device, took < 0 ? errno : EIO));
    bytes.remove_prefix(static_cast<size_t>(took));
    offset += static_cast<uint64_t>(took);
  }
  return {};
}

Result<std::string> read_at(int fd, uint64_t offset, size_t size, const std::string& device) {
  std::string out(size, '\0');
  for (size_t done = 0; done < size;) {
    const ssize_t took =
        ::pread(fd, out.data() + done, size - done, static_cast<off_t>(offset + done));
    if (took < 0 && errno == EINTR) continue;
    if (took <= 0) return tl::unexpected(errno_error("read " + device, took < 0 ? errno : EIO));
    done += static_cast<size_t>(took);
  }
  return out;
}

Status sync_device(int fd, const std::string& device) {
  if (::fsync(fd) == 0) return {};
  return tl::unexpected(errno_error("write " + device, errno));
}

/// For whoever alone may write: nobody has it mounted.
Result<os::UniqueFd> open_alone(const std::string& device) {
  os::UniqueFd fd(::open(device.c_str(), O_RDWR | O_EXCL | O_CLOEXEC));
  if (!fd) return tl::unexpected(errno_error("open " + device, errno));
  return fd;
}

/// What a disk holds, from its two ends and its mark. A disk that cannot be read is foreign.
Status look_into(DiskFacts& disk) {
  const std::string device = device_of(disk);
  const os::UniqueFd fd(::open(device.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return tl::unexpected(errno_error("open " + device, errno));
  const size_t size = static_cast<size_t>(std::min(kLookedAt, disk.bytes));
  DROVER_TRY(const std::string head, read_at(fd.get(), 0, size, device));
  if (head.size() >= kMarkOffset + kMarkBytes) {
    disk.mark = parse_mark(std::string_view(head).substr(kMarkOffset, kMarkBytes));
  }
  const auto is_zero = [](std::string_view bytes) {
    return bytes.find_first_not_of('\0') == std::string_view::npos;
  };
  if (disk.mark || !is_zero(head)) return {};
  DROVER_TRY(const std::string tail, read_at(fd.get(), disk.bytes - size, size, device));
  disk.blank = is_zero(tail);
  return {};
}

/// The mark, then nothing, then the table; the disk is closed again at the end, so that others may
/// have its partitions.
Status write_table(const DiskFacts& disk, const GptBytes& table, const DiskMark& mark) {
  const std::string device = device_of(disk);
  DROVER_TRY(const os::UniqueFd fd, open_alone(device));
  DROVER_CHECK_OK(write_at(fd.get(), kMarkOffset, to_sector(mark), device));
  DROVER_CHECK_OK(sync_device(fd.get(), device));
  // What others left at the two ends would go on telling tools of what is no more.
  const std::string zeros(kLookedAt, '\0');
  const uint64_t after = kMarkOffset + kMarkBytes;
  DROVER_CHECK_OK(write_at(fd.get(), after, std::string_view(zeros).substr(after), device));
  DROVER_CHECK_OK(write_at(fd.get(), disk.bytes - kLookedAt, zeros, device));
  DROVER_CHECK_OK(write_at(fd.get(), 0, std::string_view(zeros).substr(0, kMarkOffset), device));
  DROVER_CHECK_OK(write_at(fd.get(), table.tail_from * disk.sector_bytes, table.tail, device));
  DROVER_CHECK_OK(write_at(fd.get(), 0, table.head, device));
  DROVER_CHECK_OK(sync_device(fd.get(), device));
  if (::ioctl(fd.get(), BLKRRPART) != 0) {
    return tl::unexpected(errno_error("read the new partitions of " + device, errno));
  }
  return {};
}

std::string serial_of(const fs::path& block) {
  for (const char* where : {"serial", "device/serial", "device/wwid", "wwid"}) {
    std::string text = line_of(block / where);
    if (!text.empty()) return text;
  }
  return {};
}

class DeviceReader final : public ByteReader {
 public:
  explicit DeviceReader(os::UniqueFd fd) : fd_(std::move(fd)) {}
  Result<size_t> read(std::span<char> out) override {
    for (;;) {
      const ssize_t took = ::read(fd_.get(), out.data(), out.size());
      if (took >= 0) return static_cast<size_t>(took);
      if (errno != EINTR) return tl::unexpected(errno_error("read the disk", errno));
    }
  }

 private:
  os::UniqueFd fd_;
};

Status mount_at(const std::string& device, const std::string& at, const char* type,
                unsigned long flags, const std::string& options = {}) {
  std::error_code error;
  fs::create_directories(at, error);
  if (::mount(device.c_str(), at.c_str(), type, flags, options.c_str()) == 0) return {};
  return tl::unexpected(errno_error(fmt::format("mount {} on {}", device, at), errno));
}

Status run_tool(const char* tool, std::vector<std::string> arguments) {
  if (::access(tool, X_OK) != 0) {
    return fail(Code::not_found,
                fmt::format("the first root has no {}", fs::path(tool).filename().string()),
                "install dosfstools and e2fsprogs where the image is made, and import it again");
  }
  os::CommandLine line{.program = tool, .arguments = std::move(arguments)};
  DROVER_TRY(const auto said, os::run_command(std::move(line)));
  (void)said;
  return {};
}

}  // namespace

Result<std::vector<DiskFacts>> RealDisks::look() {
  std::vector<DiskFacts> out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/sys/block", error)) {
    const fs::path& block = entry.path();
    // Disks have a device behind them; loops, RAM and what is made of other disks have none.
    std::error_code ignored;
    if (!fs::exists(block / "device", ignored) || number_of(block / "hidden") != 0) continue;
    const std::string name = block.filename();
    if (name.starts_with("sr") || name.starts_with("fd") || name.starts_with("mtd")) continue;
    DiskFacts disk;
    disk.name = name;
    disk.bytes = number_of(block / "size") * 512;
    if (disk.bytes == 0) continue;
    disk.sector_bytes = static_cast<uint32_t>(number_of(block / "queue/logical_block_size"));
    disk.removable = number_of(block / "removable") != 0;
    disk.read_only = number_of(block / "ro") != 0;
    disk.serial = serial_of(block);
    if (const Status seen = look_into(disk); !seen) helpers_.say(seen.error().text());
    out.push_back(std::move(disk));
  }
  if (error) return fail(Code::io, "read /sys/block: " + error.message());
  std::ranges::sort(out, {}, &DiskFacts::name);
  return out;
}

bool RealDisks::starts_by_uefi() {
  return ::access("/sys/firmware/efi", F_OK) == 0;
}

Status RealDisks::format(const DiskFacts& disk, const DiskLayout& layout, const DiskMark& mark) {
  std::array<Guid, 5> ids{};
  for (Guid& id : ids) {
    random_.fill(id);
    id[7] = static_cast<uint8_t>((id[7] & 0x0FU) | 0x40U);  // RFC 4122, version 4
    id[8] = static_cast<uint8_t>((id[8] & 0x3FU) | 0x80U);
  }
  DROVER_TRY(const GptBytes table, partition_table(disk, layout, ids));
  DROVER_CHECK_OK(write_table(disk, table, mark));
  return make_state(device_of(disk, Part::state));
}

Status RealDisks::make_state(const std::string& device) {
  // No discard and no zeroed tables now: the kernel does the latter later, beside other work.
  return run_tool(kMakeExt4, {"-q", "-F", "-t", "ext4", "-L", "drover-state", "-m", "1", "-E",
                              "nodiscard,lazy_itable_init=1,lazy_journal_init=1", device});
}

Status RealDisks::make_start(const std::string& device) {
  return run_tool(kMakeFat, {"-F", "32", "-n", "DROVER", device});
}

std::unique_ptr<ImageSink> RealDisks::root_sink(const DiskFacts& disk) {
  return std::make_unique<ImageFile>(device_of(disk, Part::root), "disk " + disk.name);
}

Result<std::unique_ptr<ByteReader>> RealDisks::root_reader(const DiskFacts& disk) {
  const std::string device = device_of(disk, Part::root);
  os::UniqueFd fd(::open(device.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return tl::unexpected(errno_error("open " + device, errno));
  return std::make_unique<DeviceReader>(std::move(fd));
}

Status RealDisks::write_mark(const DiskFacts& disk, const DiskMark& mark) {
  // By the whole disk, as look() reads it: the kernel caches a partition's blocks apart.
  const std::string device = device_of(disk);
  const os::UniqueFd fd(::open(device.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd) return tl::unexpected(errno_error("open " + device, errno));
  DROVER_CHECK_OK(write_at(fd.get(), kMarkOffset, to_sector(mark), device));
  return sync_device(fd.get(), device);
}

Status RealDisks::open_start(const DiskFacts& disk) {
  for (const char* module : {"nls_cp437", "nls_ascii", "vfat"}) helpers_.load(module);
  const std::string device = device_of(disk, Part::start);
  const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (mount_at(device, kStartAt, "vfat", flags)) return {};
  DROVER_CHECK_OK(make_start(device));
  return mount_at(device, kStartAt, "vfat", flags);
}

std::unique_ptr<ImageSink> RealDisks::start_sink(const std::string& path) {
  std::error_code ignored;
  fs::create_directories(fs::path(kStartAt + path).parent_path(), ignored);
  return std::make_unique<ImageFile>(kStartAt + path, "the disk's start partition");
}

Status RealDisks::write_start(const std::string& path, std::string_view text) {
  std::error_code ignored;
  fs::create_directories(fs::path(kStartAt + path).parent_path(), ignored);
  os::RealDisk files;
  return files.write_atomic(kStartAt + path, text, 0600);
}

Status RealDisks::tidy_start(const std::vector<std::string>& keep) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(std::string(kStartAt) + "/drover", error)) {
    const std::string path = "/drover/" + entry.path().filename().string();
    if (std::ranges::find(keep, path) != keep.end()) continue;
    std::error_code failed;
    fs::remove(entry.path(), failed);
    if (failed) return fail(Code::io, fmt::format("remove {}: {}", path, failed.message()));
  }
  return {};
}

Status RealDisks::close_start() {
  int why = 0;
  {
    const os::UniqueFd fd(::open(kStartAt, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || ::syncfs(fd.get()) != 0) why = errno;
  }
  if (::umount2(kStartAt, why == 0 ? 0 : MNT_DETACH) != 0 && why == 0) why = errno;
  if (why == 0) return {};
  return tl::unexpected(errno_error("write the disk's start partition", why));
}

Status RealDisks::mount(const DiskFacts& disk, const std::string& at) {
  for (const char* module : {"squashfs", "overlay", "ext4"}) helpers_.load(module);
  const std::string base = at + ".lower";
  DROVER_CHECK_OK(mount_at(device_of(disk, Part::root), base, "squashfs", MS_RDONLY | MS_NODEV));
  const std::string device = device_of(disk, Part::state);
  if (const Status there = mount_at(device, kDiskState, "ext4", MS_NODEV | MS_NOATIME); !there) {
    helpers_.say(
        fmt::format("{}; what this node wrote is lost, an empty file system takes its place",
                    there.error().text()));
    DROVER_CHECK_OK(make_state(device));
    DROVER_CHECK_OK(mount_at(device, kDiskState, "ext4", MS_NODEV | MS_NOATIME));
  }
  const std::string state = kDiskState;
  std::error_code ignored;
  fs::create_directories(state + "/upper", ignored);
  fs::create_directories(state + "/work", ignored);
  (void)::chmod(state.c_str(), 0700);
  (void)::chmod((state + "/upper").c_str(), 0755);
  return mount_at("overlay", at, "overlay", 0,
                  fmt::format("lowerdir={},upperdir={}/upper,workdir={}/work", base, state, state));
}

Result<std::string> RealDisks::kept(const std::string& name) {
  os::RealDisk files;
  return files.read_all(fmt::format("{}/{}", kDiskState, name), kLargestKept);
}

Status RealDisks::keep(const std::string& name, std::string_view text) {
  os::RealDisk files;
  return files.write_atomic(fmt::format("{}/{}", kDiskState, name), text, 0600);
}

}  // namespace drover::nodeboot
