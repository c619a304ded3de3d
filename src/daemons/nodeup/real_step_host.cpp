// What may hang in the kernel (a mount of a server that is away) runs in another process, which is
// left to itself when its time is over.
#include "daemons/nodeup/real_step_host.hpp"

#include "cluster/node_spec.hpp"
#include "os/kernel_modules.hpp"
#include "os/limited_run.hpp"
#include "os/link_setup.hpp"
#include "os/placed_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace drover::daemons {
namespace {

using cluster::Step;
using cluster::StepResult;
using cluster::StepStatus;

struct FlagRow {
  std::string_view name;
  unsigned long flag;
};
constexpr std::array kFlags{FlagRow{"defaults", 0},           FlagRow{"rw", 0},
                            FlagRow{"ro", MS_RDONLY},         FlagRow{"nosuid", MS_NOSUID},
                            FlagRow{"nodev", MS_NODEV},       FlagRow{"noexec", MS_NOEXEC},
                            FlagRow{"noatime", MS_NOATIME},   FlagRow{"nodiratime", MS_NODIRATIME},
                            FlagRow{"relatime", MS_RELATIME}, FlagRow{"sync", MS_SYNCHRONOUS},
                            FlagRow{"bind", MS_BIND},         FlagRow{"rbind", MS_BIND | MS_REC}};

/// finit_module(2): MODULE_INIT_COMPRESSED_FILE.
constexpr int kCompressedModule = 4;

Duration limit_of(const Step& step) {
  return std::chrono::seconds(step.timeout_s);
}

StepResult failed(std::string why) {
  StepResult out;
  out.status = StepStatus::failed;
  out.why = std::move(why);
  return out;
}

StepResult good(std::string said = {}) {
  StepResult out;
  out.status = StepStatus::ok;
  out.output = std::move(said);
  return out;
}

uint64_t milliseconds(Duration took) {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
}

/// A program tells by its status, a call by its errno.
StepResult result_of(const Step& step, const Result<os::RunEnd>& end, bool is_call) {
  if (!end) return failed(end.error().text());
  StepResult out;
  out.output = end->output;
  out.ms = milliseconds(end->took);
  if (end->timed_out) {
    out.status = StepStatus::timed_out;
    out.why = fmt::format("it took longer than {} s", step.timeout_s);
  } else if (end->status == 0) {
    out.status = StepStatus::ok;
  } else {
    out.status = StepStatus::failed;
    out.why = is_call ? std::string(std::strerror(end->status))
                      : fmt::format("it ended with status {}", end->status);
  }
  return out;
}

std::string read_text(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// What may be called between fork and exec is this and no more.
int insert_modules(const std::vector<std::string>& paths, const char* options) {
  for (const std::string& path : paths) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return errno;
    const int flags = path.ends_with(".ko") ? 0 : kCompressedModule;
    const bool last = &path == &paths.back();
    if (::syscall(SYS_finit_module, file, last ? options : "", flags) != 0 && errno != EEXIST) {
      return errno;
    }
    ::close(file);
  }
  return 0;
}

StepResult load_module(const Step& step, const std::atomic<bool>& cancel) {
  utsname name{};
  ::uname(&name);
  const std::string folder = fmt::format("/lib/modules/{}", name.release);
  const std::string dep = read_text(folder + "/modules.dep");
  const std::string alias = read_text(folder + "/modules.alias");
  const std::string builtin = read_text(folder + "/modules.builtin");
  const std::string softdep = read_text(folder + "/modules.softdep");
  const auto index = os::ModuleIndex::parse({dep, alias, builtin, softdep});
  const auto order = index.load_order(step.module);
  if (!order) {
    return failed(fmt::format("there is no module {} for Linux {} here", step.module,
                              std::string_view(name.release)));
  }
  if (order->empty()) return good("the kernel holds it itself");
  std::vector<std::string> paths;
  for (const std::string& path : *order) paths.push_back(fmt::format("{}/{}", folder, path));
  os::LimitedRun run;
  run.limit = limit_of(step);
  run.cancel = &cancel;
  run.call = [&paths, &step] { return insert_modules(paths, step.options.c_str()); };
  return result_of(step, os::run_limited(std::move(run)), true);
}

/// Folders on the way to a mount, each made when it is not there.
Status make_target(const std::string& target) {
  for (size_t at = 1; at != std::string::npos;) {
    at = target.find('/', at);
    const std::string folder = target.substr(0, at);
    if (at != std::string::npos) ++at;
    if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) {
      return tl::unexpected(errno_error("make " + folder, errno));
    }
  }
  return {};
}

/// Whether the very same is mounted there already: a run again changes nothing.
bool is_mounted(const Step& step) {
  std::ifstream mounts("/proc/self/mounts");
  std::string source;
  std::string target;
  std::string rest;
  bool found = false;
  while (mounts >> source >> target && std::getline(mounts, rest)) {
    if (target == step.target) found = source == step.source;
  }
  return found;
}

/// mount(8) and its helpers know what the kernel does not: names of servers, labels of disks.
bool wants_helper(const Step& step) {
  if (step.type.empty()) return true;
  for (const char* folder : {"/sbin", "/usr/sbin"}) {
    if (::access(fmt::format("{}/mount.{}", folder, step.type).c_str(), X_OK) == 0) return true;
  }
  return false;
}

StepResult mount_by_call(const Step& step, const std::atomic<bool>& cancel) {
  MountOptions options = parse_mount_options(step.options);
  // The kernel's own NFS wants the server's address once more.
  const std::string host = step.source.substr(0, step.source.find(':'));
  const bool nfs = step.type == "nfs" || step.type == "nfs4";
  if (nfs && options.data.find("addr=") == std::string::npos && os::ip_version(host) != 0) {
    options.data += fmt::format("{}addr={}", options.data.empty() ? "" : ",", host);
  }
  os::LimitedRun run;
  run.limit = limit_of(step);
  run.cancel = &cancel;
  run.call = [&step, &options] {
    const int done = ::mount(step.source.c_str(), step.target.c_str(),
                             step.type.empty() ? nullptr : step.type.c_str(), options.flags,
                             options.data.c_str());
    return done == 0 ? 0 : errno;
  };
  return result_of(step, os::run_limited(std::move(run)), true);
}

StepResult mount_file_system(const Step& step, const std::atomic<bool>& cancel) {
  if (const Status made = make_target(step.target); !made) return failed(made.error().text());
  if (is_mounted(step)) return good("it is mounted already");
  if (!wants_helper(step)) return mount_by_call(step, cancel);
  os::LimitedRun run;
  run.limit = limit_of(step);
  run.cancel = &cancel;
  run.words = {"mount"};
  if (!step.type.empty()) run.words.insert(run.words.end(), {"-t", step.type});
  if (!step.options.empty()) run.words.insert(run.words.end(), {"-o", step.options});
  run.words.insert(run.words.end(), {"--", step.source, step.target});
  return result_of(step, os::run_limited(std::move(run)), false);
}

StepResult write_file(const Step& step) {
  os::PlacedFile file;
  file.path = step.path;
  file.content = step.content;
  file.mode = step.mode.empty() ? 0644 : cluster::mode_bits(step.mode).value_or(0644);
  const Status placed = os::place_file(file);
  return placed ? good() : failed(placed.error().text());
}

}  // namespace

MountOptions parse_mount_options(std::string_view options) {
  MountOptions out;
  while (!options.empty()) {
    const size_t comma = std::min(options.find(','), options.size());
    const std::string_view word = options.substr(0, comma);
    options.remove_prefix(std::min(comma + 1, options.size()));
    if (word.empty()) continue;
    const auto* const row = std::ranges::find(kFlags, word, &FlagRow::name);
    if (row != kFlags.end()) {
      out.flags |= row->flag;
    } else {
      out.data += fmt::format("{}{}", out.data.empty() ? "" : ",", word);
    }
  }
  return out;
}

StepResult RealStepHost::run(const Step& step) {
  StepResult out;
  switch (step.kind) {
    case cluster::StepKind::module:
      out = load_module(step, cancel_);
      break;
    case cluster::StepKind::mount:
      out = mount_file_system(step, cancel_);
      break;
    case cluster::StepKind::file:
      out = write_file(step);
      break;
    case cluster::StepKind::command: {
      os::LimitedRun run;
      run.words = step.command;
      run.environment = {"HOME=/root", "LANG=C.UTF-8", "DROVER_NODE=" + node_,
                         "DROVER_STEP=" + step.name};
      run.limit = limit_of(step);
      run.cancel = &cancel_;
      run.tail = cluster::kStepOutput;
      out = result_of(step, os::run_limited(std::move(run)), false);
      break;
    }
  }
  out.name = step.name;
  tidy(out);
  return out;
}

}  // namespace drover::daemons
