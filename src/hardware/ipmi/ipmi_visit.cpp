// PowerTask decides; its resets, which have Redfish's names, are the chassis commands of IPMI.
#include "hardware/ipmi/ipmi_visit.hpp"

#include "base/text.hpp"

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

class IpmiVisit::Course final : public PowerCourse {
 public:
  Course(Executor& executor, IpmiTool& tool, IpmiAccess access, PowerWish wish, Done done)
      : PowerCourse(executor, std::move(wish), std::move(done)),
        tool_(tool),
        access_(std::move(access)) {}

  void start() { look(); }

 private:
  void run(IpmiTool::Words words, IpmiTool::Done then) {
    tool_.run(access_, std::move(words),
              [alive = alive(), then = std::move(then)](Result<std::string> said) mutable {
                if (*alive) then(std::move(said));
              });
  }

  void look() override {
    run({"chassis", "power", "status"}, [this](Result<std::string> said) {
      seen(said ? read_ipmi_power(*said)
                : Result<BmcPowerState>(tl::unexpected(std::move(said).error())),
           every_reset());
    });
  }

  void reset(const std::string& type) override {
    const auto* const row = std::ranges::find(kResets, type, &ResetRow::reset);
    if (row == kResets.end()) {
      return end(fail(Code::unsupported, fmt::format("IPMI has no reset like {}", type)));
    }
    run({"chassis", "power", row->word}, [this](const Result<std::string>& said) {
      asked(said ? Status() : tl::unexpected(said.error()));
    });
  }

  void arrange() override {
    if (wish().action == PowerAction::identify) return identify();
    const auto* const row = std::ranges::find(kBoots, wish().device, &BootRow::device);
    if (row == kBoots.end()) {
      return end(fail(Code::unsupported, fmt::format("IPMI cannot say that a machine boots from {}",
                                                     enum_name(wish().device))));
    }
    IpmiTool::Words words{"chassis", "bootdev", row->word};
    if (wish().persistent && wish().device != BootDevice::none) {
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
    if (*device != wish().device) {
      return end(fail(Code::conflict, fmt::format("the BMC accepted the boot device, but says {}",
                                                  enum_name(*device))));
    }
    outcome().said =
        wish().device == BootDevice::none
            ? "as its firmware says"
            : fmt::format("{}, {}", enum_name(*device), wish().persistent ? "always" : "once");
    end(outcome());
  }

  /// IPMI 2.0 section 28.5: on until it is told otherwise, or off; there is no reading it back.
  void identify() {
    const bool off = wish().light == cluster::IdentifyLight::off;
    run({"chassis", "identify", off ? "0" : "force"}, [this, off](Result<std::string> said) {
      if (!said) return end(tl::unexpected(std::move(said).error()));
      outcome().said = off ? "light off" : "light on";
      end(outcome());
    });
  }

  IpmiTool& tool_;
  IpmiAccess access_;
};

IpmiVisit::IpmiVisit(Executor& executor, IpmiTool& tool, IpmiAccess access, PowerWish wish,
                     PowerCourse::Done done)
    : course_(std::make_unique<Course>(executor, tool, std::move(access), std::move(wish),
                                       std::move(done))) {
  course_->start();
}

IpmiVisit::~IpmiVisit() = default;

}  // namespace drover::hardware
