// Everything here is small and blocks for as long as the kernel needs.
#include "nodeboot/real_machine.hpp"

#include "os/kernel_log.hpp"
#include "os/real_disk.hpp"

#include <cerrno>
#include <ctime>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace drover::nodeboot {
namespace {

namespace fs = std::filesystem;

constexpr int kError = 3;
/// linux/module.h: the kernel unpacks the module itself (Linux 5.17).
constexpr int kCompressedModule = 4;
constexpr size_t kLargestTable = size_t{16} << 20;

Status mount_at(const char* source, const std::string& target, const char* type,
                unsigned long flags, const char* options) {
  ::mkdir(target.c_str(), 0755);
  if (::mount(source, target.c_str(), type, flags, options) == 0 || errno == EBUSY) return {};
  return tl::unexpected(errno_error(fmt::format("mount {} on {}", type, target), errno));
}

Status write_text(const std::string& path, std::string_view text) {
  const os::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return tl::unexpected(errno_error("write " + path, errno));
  }
  return {};
}

std::string read_text(const std::string& path) {
  os::RealDisk disk;
  return disk.read_all(path, kLargestTable).value_or("");
}

std::string first_line(const fs::path& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

/// The hardware address behind an address of the same network, as the kernel has learned it.
std::string neighbour(const std::string& address) {
  std::ifstream table("/proc/net/arp");
  std::string line;
  std::getline(table, line);
  // address, type, flags, hardware address, mask, device
  for (std::string ip, type, flags, mac, rest; table >> ip >> type >> flags >> mac;) {
    std::getline(table, rest);
    if (ip == address && mac != "00:00:00:00:00:00") return mac;
  }
  return {};
}

/// A loop device, which goes by itself when it is neither mounted nor held open.
struct LoopDevice {
  std::string path;
  os::UniqueFd held;
};

/// Attaches a file to a free loop device, read-only.
Result<LoopDevice> attach_loop(const std::string& path) {
  const os::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return tl::unexpected(errno_error("open " + path, errno));
  const os::UniqueFd control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
  if (!control) return tl::unexpected(errno_error("open /dev/loop-control", errno));
  const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
  if (number < 0) return tl::unexpected(errno_error("find a free loop device", errno));
  std::string device = fmt::format("/dev/loop{}", number);
  os::UniqueFd loop(::open(device.c_str(), O_RDONLY | O_CLOEXEC));
  if (!loop) return tl::unexpected(errno_error("open " + device, errno));
  loop_config config{};
  config.fd = static_cast<uint32_t>(file.get());
  config.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR;
  if (::ioctl(loop.get(), LOOP_CONFIGURE, &config) == 0) {
    return LoopDevice{std::move(device), std::move(loop)};
  }
  // Before Linux 5.8 in two steps.
  if (::ioctl(loop.get(), LOOP_SET_FD, file.get()) != 0) {
    return tl::unexpected(errno_error("attach " + path + " to " + device, errno));
  }
  return LoopDevice{std::move(device), std::move(loop)};
}

}  // namespace

Status mount_basics() {
  DROVER_CHECK_OK(mount_at("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, ""));
  DROVER_CHECK_OK(mount_at("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, ""));
  DROVER_CHECK_OK(mount_at("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755"));
  DROVER_CHECK_OK(
      mount_at("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "mode=0620,ptmxmode=0666"));
  DROVER_CHECK_OK(mount_at("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"));
  DROVER_CHECK_OK(mount_at("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755"));
  DROVER_CHECK_OK(mount_at("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"));
  // What programs write to the ring is not dropped when it is much.
  (void)write_text("/proc/sys/kernel/printk_devkmsg", "on\n");
  return {};
}

RealMachine::RealMachine() {
  utsname name{};
  ::uname(&name);
  folder_ = std::string("/lib/modules/") + name.release;
  const std::string dep = read_text(folder_ + "/modules.dep");
  const std::string alias = read_text(folder_ + "/modules.alias");
  const std::string builtin = read_text(folder_ + "/modules.builtin");
  const std::string softdep = read_text(folder_ + "/modules.softdep");
  index_ = os::ModuleIndex::parse({dep, alias, builtin, softdep});
}

Result<std::string> RealMachine::command_line() {
  // Files of /proc say that they are empty: they are read to their end.
  std::string line = first_line("/proc/cmdline");
  if (line.empty()) return fail(Code::io, "/proc/cmdline cannot be read");
  return line;
}

size_t RealMachine::load_drivers() {
  size_t fresh = 0;
  // A driver may bring new devices (a bus, a card behind a card): until nothing new comes.
  for (bool again = true; again;) {
    again = false;
    std::set<std::string> wanted;
    std::error_code error;
    for (auto at = fs::recursive_directory_iterator("/sys/devices", error);
         at != fs::recursive_directory_iterator(); at.increment(error)) {
      if (error) break;
      if (at->path().filename() != "modalias") continue;
      for (std::string& name : index_.for_device(first_line(at->path()))) {
        wanted.insert(std::move(name));
      }
    }
    for (const std::string& name : wanted) {
      if (tried_.contains(name) || !load(name)) continue;
      ++fresh;
      again = true;
    }
  }
  return fresh;
}

bool RealMachine::load(std::string_view name, const std::string& options) {
  const auto order = index_.load_order(name);
  if (!order) return false;
  for (const std::string& path : *order) {
    const std::string module = os::module_name(path);
    if (!tried_.insert(module).second) continue;
    const bool last = path == order->back();
    if (const Status done = insert(path, last ? options : ""); !done) {
      say(kError, done.error().text());
      return false;
    }
  }
  return true;
}

Status RealMachine::insert(const std::string& path, const std::string& options) {
  const std::string whole = folder_ + "/" + path;
  const os::UniqueFd file(::open(whole.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return tl::unexpected(errno_error("open " + whole, errno));
  const int flags = path.ends_with(".ko") ? 0 : kCompressedModule;
  if (::syscall(SYS_finit_module, file.get(), options.c_str(), flags) == 0 || errno == EEXIST) {
    return {};
  }
  return tl::unexpected(errno_error("load module " + path, errno));
}

Result<std::vector<os::LinkFacts>> RealMachine::links() {
  return os::list_links();
}

Status RealMachine::set_up(const os::LinkFacts& link, const BootCommand& command) {
  DROVER_TRY(auto setup, os::LinkSetup::open());
  DROVER_CHECK_OK(setup.send(os::LinkMessages::up(1, 0), "set lo up"));
  return setup.send(os::LinkMessages::up(link.index, command.mtu), "set " + link.name + " up");
}

Status RealMachine::configure(const os::LinkFacts& link, const BootCommand& command) {
  DROVER_TRY(auto setup, os::LinkSetup::open());
  DROVER_TRY(const auto address,
             os::LinkMessages::address(link.index, command.address, command.prefix));
  DROVER_CHECK_OK(setup.send(address, fmt::format("give {} the address {}/{}", link.name,
                                                  command.address, command.prefix)));
  if (!command.gateway.empty()) {
    DROVER_TRY(const auto route, os::LinkMessages::default_route(link.index, command.gateway));
    DROVER_CHECK_OK(setup.send(route, "set the default route by " + command.gateway));
  }
  if (::sethostname(command.node.data(), command.node.size()) != 0) {
    return tl::unexpected(errno_error("set the host name", errno));
  }
  std::string resolv;
  if (!command.domain.empty()) resolv += fmt::format("search {}\n", command.domain);
  for (const std::string& server : command.nameservers) {
    resolv += fmt::format("nameserver {}\n", server);
  }
  DROVER_CHECK_OK(write_text("/etc/resolv.conf", resolv));
  DROVER_CHECK_OK(write_text(
      "/etc/hosts",
      fmt::format("127.0.0.1 localhost\n::1 localhost\n{} {}\n", command.address, command.node)));
  return {};
}

void RealMachine::set_clock(int64_t unix_seconds) {
  const timespec now{static_cast<time_t>(unix_seconds), 0};
  (void)::clock_settime(CLOCK_REALTIME, &now);
}

Status RealMachine::catch_panics(const os::LinkFacts& link, const BootCommand& command) {
  const bool near = neighbour(command.log->host) != "";
  std::string mac = neighbour(near ? command.log->host : command.gateway);
  if (mac.empty()) mac = "ff:ff:ff:ff:ff:ff";
  const std::string options =
      fmt::format("oops_only=1 netconsole=6665@{}/{},{}@{}/{}", command.address, link.name,
                  command.log->port, command.log->host, mac);
  if (index_.find("netconsole") == nullptr) {
    return fail(Code::unsupported, "this kernel has no module netconsole: a panic is not sent");
  }
  tried_.erase("netconsole");
  if (!load("netconsole", options)) return fail(Code::io, "netconsole could not be loaded");
  return {};
}

Status RealMachine::mount_image(const std::string& path, const std::string& at) {
  for (const char* module : {"loop", "squashfs", "overlay"}) load(module);
  DROVER_TRY(const LoopDevice device, attach_loop(path));
  const std::string base = at + ".lower";
  DROVER_CHECK_OK(mount_at(device.path.c_str(), base, "squashfs", MS_RDONLY | MS_NODEV, ""));
  const std::string ram = at + ".ram";
  DROVER_CHECK_OK(mount_at("tmpfs", ram, "tmpfs", 0, "mode=0755,size=80%"));
  ::mkdir((ram + "/upper").c_str(), 0755);
  ::mkdir((ram + "/work").c_str(), 0755);
  return mount_at(
      "overlay", at, "overlay", 0,
      fmt::format("lowerdir={},upperdir={}/upper,workdir={}/work", base, ram, ram).c_str());
}

Status RealMachine::keep_secrets(const std::map<std::string, std::string>& secrets) {
  const std::string folder = "/run/drover/secrets";
  if (::mkdir("/run/drover", 0755) != 0 && errno != EEXIST) {
    return tl::unexpected(errno_error("make /run/drover", errno));
  }
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return tl::unexpected(errno_error("make " + folder, errno));
  }
  os::RealDisk disk;
  for (const auto& [name, value] : secrets) {
    DROVER_CHECK_OK(disk.write_atomic(fmt::format("{}/{}", folder, name), value, 0400));
  }
  return {};
}

void RealMachine::say(int level, const std::string& text) {
  os::write_kernel_log(level, "drover: " + text);
}

}  // namespace drover::nodeboot
