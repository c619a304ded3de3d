// PowerTask decides; its resets, which have Redfish's names, are the chassis commands of IPMI.
#include "hardware/ipmi/ipmi_visit.hpp"

#include "base/text.hpp"
#include "hardware/power/power_task.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace drover::hardware {
namespace {

using cluster::BmcPowerState;
using cluster::BootDevice;
using cluster::PowerAction;

/// Looks in a row that fail, before a visit that waits for a state gives up.
constexpr int kBlindLooks = 3;

struct ResetRow {
  std::string_view reset;  ///< DSP0268, ResetType
  const char* word;        ///< of `chassis power`; IPMI 2.0 section 28.3, Chassis Control
};
constexpr std::array<ResetRow, 5> kResets{{{"On", "on"},
                                           {"ForceOff", "off"},
                                           {"GracefulShutdown", "soft"},
                                           {"PowerCycle", "cycle"},
                                           {"ForceRestart", "reset"}}};

struct BootRow {
  BootDevice device;
  const char* word;         ///< of `chassis bootdev`
  std::string_view answer;  ///< of `chassis bootparam get 5`; IPMI 2.0 table 28-14
};
constexpr std::array<BootRow, 5> kBoots{
    {{BootDevice::none, "none", "No override"},
     {BootDevice::pxe, "pxe", "Force PXE"},
     {BootDevice::disk, "disk", "Force Boot from default Hard-Drive"},
     {BootDevice::cd, "cdrom", "Force Boot from CD/DVD"},
     {BootDevice::bios, "bios", "Force Boot into BIOS Setup"}}};

std::vector<std::string> every_reset() {
  std::vector<std::string> out;
  for (const ResetRow& row : kResets) out.emplace_back(row.reset);
  return out;
}

/// The rest of the line that has `words`, without spaces around it.
std::optional<std::string_view> behind(std::string_view output, std::string_view words) {
  const size_t at = output.find(words);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = output.substr(at + words.size());
  rest = rest.substr(0, rest.find('\n'));
  while (!rest.empty() && (rest.front() == ' ' || rest.front() == ':')) rest.remove_prefix(1);
  while (!rest.empty() && (rest.back() == ' ' || rest.back() == '\r')) rest.remove_suffix(1);
  return rest;
}

}  // namespace

Result<BmcPowerState> read_ipmi_power(std::string_view output) {
  const auto state = behind(output, "Chassis Power is");
  if (state == "on") return BmcPowerState::on;
  if (state == "off") return BmcPowerState::off;
  return fail(Code::corrupt, fmt::format("the BMC says of its power: {}",
                                         state ? printable(*state) : std::string("nothing")));
}

Result<BootDevice> read_ipmi_boot(std::string_view output) {
  const auto device = behind(output, "Boot Device Selector");
  for (const BootRow& row : kBoots) {
    if (device == row.answer) return row.device;
  }
  return fail(Code::corrupt, fmt::format("the BMC says of what it boots from: {}",
                                         device ? printable(*device) : std::string("nothing")));
}

class IpmiVisit::Course {
 public:
  Course(Executor& executor, IpmiTool& tool, IpmiAccess access, PowerWish wish,
         Callback<void(Result<PowerOutcome>)> done)
      : executor_(executor),
        tool_(tool),
        access_(std::move(access)),
        wish_(std::move(wish)),
        done_(std::move(done)) {}
  ~Course() { *alive_ = false; }

  void look() {
    run({"chassis", "power", "status"}, [this](Result<std::string> said) {
      auto state = said ? read_ipmi_power(*said)
                        : Result<BmcPowerState>(tl::unexpected(std::move(said).error()));
      seen(std::move(state));
    });
  }

 private:
  void run(IpmiTool::Words words, Callback<void(Result<std::string>)> then) {
    tool_.run(access_, std::move(words),
              [alive = alive_, then = std::move(then)](Result<std::string> said) mutable {
                if (*alive) then(std::move(said));
              });
  }

  void seen(Result<BmcPowerState> state) {
    if (!state) {
      const Code code = state.error().code;
      const bool passing = code == Code::unreachable || code == Code::timed_out || code == Code::io;
      if (task_ && passing && ++blind_ < kBlindLooks) return wait(wish_.policy.poll);
      return end(tl::unexpected(std::move(state).error()));
    }
    blind_ = 0;
    outcome_.state = *state;
    if (wish_.action == PowerAction::boot_device) return set_boot();
    if (!task_) task_.emplace(wish_.action, wish_.policy, every_reset());
    step(task_->looked(*state, executor_.now()));
  }

  void step(PowerStep next) {
    switch (next.kind) {
      case PowerStep::Kind::look:
        return look();
      case PowerStep::Kind::reset:
        return reset(next.reset);
      case PowerStep::Kind::wait:
        return wait(next.wait);
      case PowerStep::Kind::done:
        return end(outcome_);
      case PowerStep::Kind::failed:
        return end(tl::unexpected(*std::move(next.error)));
    }
  }

  void reset(std::string_view type) {
    const auto* const row = std::ranges::find(kResets, type, &ResetRow::reset);
    if (row == kResets.end()) {
      return end(fail(Code::unsupported, fmt::format("IPMI has no reset like {}", type)));
    }
    run({"chassis", "power", row->word}, [this](Result<std::string> said) {
      // Without an answer it may have been carried out all the same: looking tells.
      const bool unanswered =
          !said && (said.error().code == Code::unreachable || said.error().code == Code::timed_out);
      if (said || unanswered) return step(task_->accepted(executor_.now()));
      step(task_->refused(said.error(), executor_.now()));
    });
  }

  void wait(Duration time) {
    timer_.after(executor_, time, [this] { look(); });
  }

  void set_boot() {
    const auto* const row = std::ranges::find(kBoots, wish_.device, &BootRow::device);
    if (row == kBoots.end()) {
      return end(fail(Code::unsupported, fmt::format("IPMI cannot say that a machine boots from {}",
                                                     enum_name(wish_.device))));
    }
    IpmiTool::Words words{"chassis", "bootdev", row->word};
    if (wish_.persistent && wish_.device != BootDevice::none) {
      words.emplace_back("options=persistent");
    }
    run(std::move(words), [this](Result<std::string> said) {
      if (!said) return end(tl::unexpected(std::move(said).error()));
      run({"chassis", "bootparam", "get", "5"},
          [this](Result<std::string> kept) { check_boot(std::move(kept)); });
    });
  }

  void check_boot(Result<std::string> said) {
    if (!said) return end(tl::unexpected(std::move(said).error()));
    const auto device = read_ipmi_boot(*said);
    if (!device) return end(tl::unexpected(device.error()));
    if (*device != wish_.device) {
      return end(fail(Code::conflict, fmt::format("the BMC accepted the boot device, but says {}",
                                                  enum_name(*device))));
    }
    outcome_.boot =
        wish_.device == BootDevice::none
            ? "as its firmware says"
            : fmt::format("{}, {}", enum_name(*device), wish_.persistent ? "always" : "once");
    end(outcome_);
  }

  /// The last thing to do: `done` may end this object.
  void end(Result<PowerOutcome> result) {
    if (!done_) return;
    timer_.cancel();
    executor_.post([alive = alive_, done = std::exchange(done_, nullptr),
                    result = std::move(result)]() mutable {
      if (*alive) done(std::move(result));
    });
  }

  Executor& executor_;
  IpmiTool& tool_;
  IpmiAccess access_;
  PowerWish wish_;
  Callback<void(Result<PowerOutcome>)> done_;
  std::optional<PowerTask> task_;
  PowerOutcome outcome_;
  int blind_ = 0;
  Timer timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

IpmiVisit::IpmiVisit(Executor& executor, IpmiTool& tool, IpmiAccess access, PowerWish wish,
                     Callback<void(Result<PowerOutcome>)> done)
    : course_(std::make_unique<Course>(executor, tool, std::move(access), std::move(wish),
                                       std::move(done))) {
  course_->look();
}

IpmiVisit::~IpmiVisit() = default;

}  // namespace drover::hardware
