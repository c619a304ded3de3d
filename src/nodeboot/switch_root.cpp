// As switch_root(8) does it: the first root cannot be unmounted, so it is emptied and covered.
#include "nodeboot/switch_root.hpp"

#include "nodeboot/handover.hpp"

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include <fmt/core.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace drover::nodeboot {
namespace {

namespace fs = std::filesystem;

constexpr const char* kAgentDir = "/run/drover/agent";
constexpr std::array<const char*, 3> kInits{"/sbin/init", "/lib/systemd/systemd", "/init"};
constexpr std::array<const char*, 8> kLibraries{"/lib/x86_64-linux-gnu",
                                                "/usr/lib/x86_64-linux-gnu",
                                                "/lib/aarch64-linux-gnu",
                                                "/usr/lib/aarch64-linux-gnu",
                                                "/lib64",
                                                "/usr/lib64",
                                                "/lib",
                                                "/usr/lib"};

Status copy_files(const fs::path& from, const fs::path& to) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(from, error)) {
    if (!entry.is_regular_file()) continue;
    std::error_code failed;
    fs::copy_file(entry.path(), to / entry.path().filename(), fs::copy_options::overwrite_existing,
                  failed);
    if (failed) {
      return fail(Code::io, fmt::format("copy {}: {}", entry.path().string(), failed.message()));
    }
  }
  return {};
}

/// The loader that the agent was started by: the one file of that kind in the first root.
std::string loader_name() {
  for (const char* dir : {"/lib64", "/lib"}) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(dir, error)) {
      const std::string name = entry.path().filename();
      if (entry.is_regular_file() && name.starts_with("ld-linux")) return name;
    }
  }
  return {};
}

std::string agent_command(const std::string& loader) {
  return fmt::format(
      "{0}/lib/{1} --library-path {0}/lib {0}/drover-compute --config {2}/compute.toml", kAgentDir,
      loader, kState);
}

bool has_systemd(const std::string& root) {
  return ::access((root + "/lib/systemd/systemd").c_str(), X_OK) == 0;
}

Status write_unit(const std::string& loader) {
  const std::string units = "/run/systemd/system";
  std::error_code error;
  fs::create_directories(units + "/multi-user.target.wants", error);
  std::ofstream unit(units + "/drover-compute.service");
  unit << "# Written by the boot of this node; the agent is the one that booted it.\n"
          "[Unit]\nDescription=Drover's agent for compute nodes\n"
          "After=local-fs.target\n\n"
          "[Service]\nType=notify\nNotifyAccess=main\n"
       << "ExecStart=" << agent_command(loader)
       << "\nRestart=always\nRestartSec=1\nOOMScoreAdjust=-900\n";
  unit.close();
  if (!unit) return fail(Code::io, "the agent's unit cannot be written below /run/systemd");
  fs::create_symlink("../drover-compute.service",
                     units + "/multi-user.target.wants/drover-compute.service", error);
  return {};
}

/// Frees the memory of the first root; stays on its file system.
void empty(const fs::path& dir, dev_t device) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(dir, error)) {
    struct stat status{};
    if (::lstat(entry.path().c_str(), &status) != 0 || status.st_dev != device) continue;
    if (S_ISDIR(status.st_mode)) empty(entry.path(), device);
    std::error_code ignored;
    fs::remove(entry.path(), ignored);
  }
}

void start_agent_beside() {
  if (::fork() != 0) return;
  ::setsid();
  const std::string loader = fmt::format("{}/lib/{}", kAgentDir, "loader");
  const std::string libraries = fmt::format("{}/lib", kAgentDir);
  const std::string agent = fmt::format("{}/drover-compute", kAgentDir);
  const std::string config = fmt::format("{}/compute.toml", kState);
  ::execl(loader.c_str(), loader.c_str(), "--library-path", libraries.c_str(), agent.c_str(),
          "--config", config.c_str(), nullptr);
  ::_exit(127);
}

}  // namespace

Status place_agent(const std::string& image_root) {
  std::error_code error;
  fs::create_directories(std::string(kAgentDir) + "/lib", error);
  DROVER_CHECK_OK(copy_files("/usr/sbin", kAgentDir));
  for (const char* dir : kLibraries) {
    DROVER_CHECK_OK(copy_files(dir, std::string(kAgentDir) + "/lib"));
  }
  const std::string loader = loader_name();
  if (loader.empty()) return fail(Code::not_found, "the first root holds no loader of libraries");
  fs::create_symlink(loader, std::string(kAgentDir) + "/lib/loader", error);
  // Name servers and hosts as the boot found them; the image may have its own ways on top.
  for (const char* name : {"resolv.conf", "hostname"}) {
    std::error_code ignored;
    const fs::path to = fs::path(image_root) / "etc" / name;
    if (std::string(name) == "hostname") {
      std::array<char, 65> host{};
      ::gethostname(host.data(), host.size() - 1);
      std::ofstream(to) << host.data() << "\n";
    } else {
      fs::remove(to, ignored);
      fs::copy_file(fs::path("/etc") / name, to, ignored);
    }
  }
  return has_systemd(image_root) ? write_unit(loader) : Status{};
}

Status switch_root(const std::string& image_root) {
  std::string init;
  for (const char* path : kInits) {
    struct stat status{};
    if (::lstat((image_root + path).c_str(), &status) == 0) {
      init = path;
      break;
    }
  }
  if (init.empty()) {
    return fail(Code::not_found, "the image has no init: neither /sbin/init nor systemd",
                "put an init into the image, or boot the node in mode lean");
  }
  struct stat first{};
  ::stat("/", &first);
  const bool systemd = has_systemd(image_root);
  for (const char* dir : {"/proc", "/sys", "/dev", "/run"}) {
    const std::string to = image_root + dir;
    ::mkdir(to.c_str(), 0755);
    if (::mount(dir, to.c_str(), nullptr, MS_MOVE, nullptr) != 0) {
      return tl::unexpected(errno_error(fmt::format("move {} to {}", dir, to), errno));
    }
  }
  if (::chdir(image_root.c_str()) != 0) {
    return tl::unexpected(errno_error("enter " + image_root, errno));
  }
  empty("/", first.st_dev);
  if (::mount(".", "/", nullptr, MS_MOVE, nullptr) != 0 || ::chroot(".") != 0 ||
      ::chdir("/") != 0) {
    return tl::unexpected(errno_error("make the image the root", errno));
  }
  if (!systemd) start_agent_beside();
  ::execl(init.c_str(), init.c_str(), nullptr);
  return tl::unexpected(errno_error("run " + init, errno));
}

}  // namespace drover::nodeboot
