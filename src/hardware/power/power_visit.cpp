#include "hardware/power/power_visit.hpp"

#include "base/json_values.hpp"
#include "hardware/redfish/redfish_read.hpp"
#include "hardware/redfish/redfish_talk.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace drover::hardware {
namespace {

using cluster::BmcSystem;

/// Redfish's words (DSP0268, ComputerSystem.Boot) in the order of cluster::BootDevice.
constexpr std::array<std::string_view, 7> kBootTargets{"None", "Pxe", "UefiHttp", "Hdd",
                                                       "Cd",   "Usb", "BiosSetup"};

}  // namespace

class PowerVisit::Course final : public PowerCourse {
 public:
  Course(Executor& executor, BmcClient& client, PowerWish wish, Done done)
      : PowerCourse(executor, std::move(wish), std::move(done)), talk_(client) {}

  void start() {
    talk_.find_system(wish().system, [this](Result<std::string> found) {
      if (!found) return end(tl::unexpected(std::move(found).error()));
      path_ = *std::move(found);
      look();
    });
  }

 private:
  void look() override {
    talk_.read(path_, [this](Result<RedfishResource> got) {
      if (!got) return seen(tl::unexpected(std::move(got).error()), {});
      system_ = read_system(got->document.root(), path_);
      etag_ = std::move(got->etag);
      seen(system_.power, system_.reset.allowed);
    });
  }

  void reset(const std::string& type) override {
    if (system_.reset.target.empty()) {
      return end(fail(Code::unsupported, "the BMC offers no reset of this machine"));
    }
    talk_.post(system_.reset.target, json::serialize(json::object{{"ResetType", type}}),
               [this](const Result<BmcAnswer>& answer) {
                 monitor_ = answer && answer->status == 202 ? answer->location : "";
                 asked(answer ? Status() : tl::unexpected(answer.error()));
               });
  }

  void waited() override {
    if (monitor_.empty()) return look();
    talk_.get(monitor_, [this](const Result<BmcAnswer>& answer) { watched(answer); });
  }

  /// A task that failed says why, which the power state alone would not (DSP0266, asynchronous
  /// operations): its monitor then answers with the status that the request would have had.
  void watched(const Result<BmcAnswer>& answer) {
    if (!answer) {
      const Error why = answer.error();
      monitor_.clear();
      const bool told = why.code == Code::invalid_argument || why.code == Code::conflict ||
                        why.code == Code::unsupported || why.code == Code::denied;
      if (told) return gave_up(why);
      return look();
    }
    if (answer->status != 202) monitor_.clear();
    look();
  }

  /// The boot device.
  void arrange() override {
    const std::string_view target = kBootTargets.at(static_cast<size_t>(wish().device));
    const bool none = wish().device == cluster::BootDevice::none;
    const std::string_view enabled = none ? "Disabled" : wish().persistent ? "Continuous" : "Once";
    const auto& allowed = system_.boot.allowed;
    if (!none && !allowed.empty() && std::ranges::find(allowed, target) == allowed.end()) {
      return end(fail(Code::unsupported, fmt::format("it boots from {}, and not from {}",
                                                     fmt::join(allowed, ", "), target)));
    }
    const bool there = system_.boot.enabled == enabled && (none || system_.boot.target == target);
    if (there) {
      outcome().said = none ? "as its firmware says"
                            : fmt::format("{}, {}", target, wish().persistent ? "always" : "once");
      return end(outcome());
    }
    if (patched_) {
      return end(
          fail(Code::conflict, fmt::format("the BMC accepted the boot device, but says {} {}",
                                           system_.boot.target, system_.boot.enabled)));
    }
    json::object override{{"BootSourceOverrideEnabled", enabled},
                          {"BootSourceOverrideTarget", target}};
    if (talk_.client().quirks().boot_needs_mode && !system_.boot.mode.empty()) {
      override["BootSourceOverrideMode"] = system_.boot.mode;
    }
    talk_.patch(path_, json::serialize(json::object{{"Boot", std::move(override)}}), etag_,
                [this](Result<BmcAnswer> answer) {
                  if (!answer) return end(tl::unexpected(std::move(answer).error()));
                  patched_ = true;
                  look();
                });
  }

  RedfishTalk talk_;
  std::string path_;     ///< of the machine
  BmcSystem system_;     ///< as it was seen last
  std::string etag_;     ///< of that
  std::string monitor_;  ///< of the task that a reset became; empty: none
  bool patched_ = false;
};

PowerVisit::PowerVisit(Executor& executor, BmcClient& client, PowerWish wish,
                       PowerCourse::Done done)
    : course_(std::make_unique<Course>(executor, client, std::move(wish), std::move(done))) {
  course_->start();
}

PowerVisit::~PowerVisit() = default;

}  // namespace drover::hardware
