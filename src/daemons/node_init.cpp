// The child's work: boot, then be the agent. What keeps it is nodeboot/keeper.
#include "daemons/node_init.hpp"

#include "daemons/services.hpp"
#include "net/loop.hpp"
#include "net/real_net.hpp"
#include "nodeboot/handover.hpp"
#include "nodeboot/image_file.hpp"
#include "nodeboot/keeper.hpp"
#include "nodeboot/log_forwarder.hpp"
#include "nodeboot/real_disks.hpp"
#include "nodeboot/real_machine.hpp"
#include "nodeboot/switch_root.hpp"
#include "os/boot_id.hpp"
#include "os/kernel_log.hpp"
#include "os/real_disk.hpp"
#include "os/real_random.hpp"

#include <array>
#include <cerrno>
#include <optional>

#include <fcntl.h>
#include <sys/reboot.h>
#include <unistd.h>

namespace drover::daemons {
namespace {

using nodeboot::Request;

constexpr int kError = 3;
/// How long the last kernel messages may hold up the change to the agent.
constexpr Duration kFlushLimit = std::chrono::seconds(2);

/// What is written by programs goes the way of the kernel's messages: onto the console, and to the
/// manager.
void speak_by_the_kernel() {
  const int null = ::open("/dev/null", O_RDONLY);
  const int ring = ::open("/dev/kmsg", O_WRONLY);
  if (null >= 0) ::dup2(null, STDIN_FILENO);
  if (ring < 0) return;
  ::dup2(ring, STDOUT_FILENO);
  ::dup2(ring, STDERR_FILENO);
}

/// One boot from the command line to the files of the agent.
class BootRun {
 public:
  BootRun(net::Loop& loop, nodeboot::RealMachine& machine)
      : loop_(loop),
        net_(loop),
        machine_(machine),
        sink_("/run/drover/root.squashfs"),
        disks_(random_, {[&machine](const std::string& text) { machine.say(kError, text); },
                         [&machine](const char* module) { machine.load_module(module); }}),
        boot_({loop, net_, machine, tool_, sink_, disks_}, os::read_boot_id().value_or(""),
              {[this](nodeboot::BootClient& client) { forward(client); },
               [this](nodeboot::Outcome outcome) { finish(std::move(outcome)); },
               [this] { end(static_cast<int>(Request::reboot)); }}) {}

  /// The exit status of this process, or nothing when it is to be the agent now.
  std::optional<int> run() {
    boot_.start();
    loop_.run();
    return status_;
  }

 private:
  void forward(nodeboot::BootClient& client) {
    auto log = os::KernelLog::open();
    if (!log) {
      machine_.say(kError, log.error().text());
      return;
    }
    forwarder_.emplace(loop_, client, *std::move(log), boot_.command().token);
    if (const Status started = forwarder_->start(); !started) {
      machine_.say(kError, started.error().text());
      forwarder_.reset();
    }
  }

  void finish(nodeboot::Outcome outcome) {
    outcome_ = std::move(outcome);
    if (!forwarder_) return hand_over();
    forwarder_->flush(kFlushLimit, [this] { hand_over(); });
  }

  void hand_over() {
    const Status written = write_all();
    if (!written) {
      machine_.say(kError, written.error().text());
      return end(1);
    }
    if (!outcome_->image_root.empty()) return end(static_cast<int>(Request::switch_root));
    loop_.stop();
  }

  Status write_all() {
    DROVER_TRY(const std::string line, machine_.command_line());
    os::RealDisk disk;
    const uint64_t next = forwarder_ ? forwarder_->sent() : 0;
    if (!outcome_->image_root.empty()) {
      DROVER_CHECK_OK(nodeboot::place_agent(outcome_->image_root));
    }
    if (outcome_->on_disk) DROVER_CHECK_OK(keep_identity_on_disk());
    return nodeboot::write_handover(disk, nodeboot::kState, *outcome_, line, next);
  }

  /// The agent's identity outlives the machine's memory: its folder is one of the state partition.
  static Status keep_identity_on_disk() {
    const std::string link = std::string(nodeboot::kState) + "/identity";
    os::RealDisk disk;
    DROVER_CHECK_OK(disk.make_dirs(std::string(nodeboot::kDiskState) + "/identity", 0700));
    if (::symlink("disk/identity", link.c_str()) == 0 || errno == EEXIST) return {};
    return tl::unexpected(errno_error("make " + link, errno));
  }

  void end(int status) {
    status_ = status;
    loop_.stop();
  }

  net::Loop& loop_;
  net::RealNet net_;
  nodeboot::RealMachine& machine_;
  auth::OpensslIdentityTool tool_;
  nodeboot::ImageFile sink_;
  os::RealRandom random_;
  nodeboot::RealDisks disks_;
  nodeboot::Boot boot_;
  std::optional<nodeboot::LogForwarder> forwarder_;
  std::optional<nodeboot::Outcome> outcome_;
  std::optional<int> status_;
};

/// Nothing when the node is ready for its agent; else what this process ends with.
std::optional<int> boot() {
  nodeboot::RealMachine machine;
  os::RealDisk disk;
  (void)disk.make_dirs(nodeboot::kState, 0700);
  if (nodeboot::read_handover(disk, nodeboot::kState)) return std::nullopt;
  auto loop = net::Loop::make();
  if (!loop) {
    machine.say(kError, loop.error().text());
    return 1;
  }
  return BootRun(**loop, machine).run();
}

int be_the_node() {
  speak_by_the_kernel();
  if (const auto status = boot()) return *status;
  std::string program = "drover-compute";
  std::string flag = "--config";
  std::string config = std::string(nodeboot::kState) + "/compute.toml";
  std::array<char*, 4> argv{program.data(), flag.data(), config.data(), nullptr};
  return run_program("compute", 3, argv.data(), &make_compute);
}

}  // namespace

int run_as_init() {
  const auto say = [](const std::string& text) {
    os::write_kernel_log(kError, "drover: " + text);
    const std::string line = text + "\n";
    (void)!::write(STDERR_FILENO, line.data(), line.size());
  };
  if (const Status mounted = nodeboot::mount_basics(); !mounted) say(mounted.error().text());
  // Ctrl-alt-del comes as SIGINT from now on, so that it ends the machine in order.
  (void)::reboot(RB_DISABLE_CAD);
  nodeboot::KeeperActions actions;
  actions.end_machine = nodeboot::end_machine;
  actions.switch_root = [] { return nodeboot::switch_root(nodeboot::kImageRoot); };
  actions.say = say;
  nodeboot::keep(be_the_node, actions);
  return 1;
}

}  // namespace drover::daemons
