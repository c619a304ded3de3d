#include "hardware/power/power_visit.hpp"

#include "base/json_values.hpp"
#include "base/text.hpp"
#include "hardware/redfish/redfish_document.hpp"
#include "hardware/redfish/redfish_read.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace drover::hardware {
namespace {

using cluster::BmcSystem;
using cluster::PowerAction;

/// Looks in a row that fail, before a visit that waits for a state gives up.
constexpr int kBlindLooks = 3;

/// Redfish's words (DSP0268, ComputerSystem.Boot) in the order of cluster::BootDevice.
constexpr std::array<std::string_view, 7> kBootTargets{"None", "Pxe", "UefiHttp", "Hdd",
                                                       "Cd",   "Usb", "BiosSetup"};

std::string id_in(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

/// The path of the machine that is meant among all of the BMC's.
Result<std::string> choose_system(std::vector<std::string> paths, const std::string& wanted) {
  std::ranges::sort(paths, NaturalLess());
  if (wanted.empty() && paths.size() == 1) return paths.front();
  for (const std::string& path : paths) {
    if (!wanted.empty() && id_in(path) == wanted) return path;
  }
  std::vector<std::string> ids;
  for (const std::string& path : paths) ids.push_back(id_in(path));
  if (ids.size() > 16) ids.resize(16);
  if (paths.empty()) return fail(Code::not_found, "the BMC lists no machine");
  if (wanted.empty()) {
    return fail(Code::conflict,
                fmt::format("the BMC has {} machines: {}", paths.size(), fmt::join(ids, ", ")),
                "say which one: drover node set NODE bmc_system=ID");
  }
  return fail(Code::not_found, fmt::format("the BMC has no machine '{}', but {}", printable(wanted),
                                           fmt::join(ids, ", ")));
}

}  // namespace

class PowerVisit::Course {
 public:
  Course(Executor& executor, BmcClient& client, PowerWish wish,
         Callback<void(Result<PowerOutcome>)> done)
      : executor_(executor), client_(client), wish_(std::move(wish)), done_(std::move(done)) {}
  ~Course() { *alive_ = false; }

  void start() {
    get("/redfish/v1/Systems", [this](Result<BmcAnswer> answer) { listed(std::move(answer)); });
  }

 private:
  void send(BmcRequest request, Callback<void(Result<BmcAnswer>)> then) {
    client_.send(std::move(request),
                 [alive = alive_, then = std::move(then)](Result<BmcAnswer> answer) mutable {
                   if (!*alive) return;
                   if (answer && answer->status >= 300) answer = tl::unexpected(bmc_error(*answer));
                   then(std::move(answer));
                 });
  }
  void get(const std::string& path, Callback<void(Result<BmcAnswer>)> then) {
    BmcRequest request;
    request.target = path;
    send(std::move(request), std::move(then));
  }

  void listed(Result<BmcAnswer> answer) {
    if (!answer) return end(tl::unexpected(std::move(answer).error()));
    const auto document = RedfishDocument::parse(answer->body);
    if (!document) return end(tl::unexpected(document.error()));
    auto chosen = choose_system(document->root().links("Members"), wish_.system);
    if (!chosen) return end(tl::unexpected(std::move(chosen).error()));
    system_ = *std::move(chosen);
    look();
  }

  void look() {
    get(system_, [this](Result<BmcAnswer> answer) { seen(std::move(answer)); });
  }

  void seen(Result<BmcAnswer> answer) {
    auto document = answer ? RedfishDocument::parse(answer->body)
                           : Result<RedfishDocument>(tl::unexpected(answer.error()));
    if (!document) {
      const bool passing = document.error().code == Code::unreachable ||
                           document.error().code == Code::timed_out ||
                           document.error().code == Code::io;
      if (task_ && passing && ++blind_ < kBlindLooks) return wait(wish_.policy.poll);
      return end(tl::unexpected(std::move(document).error()));
    }
    blind_ = 0;
    const BmcSystem system = read_system(document->root(), system_);
    outcome_.state = system.power;
    etag_ = answer->etag;
    if (wish_.action == PowerAction::boot_device) return boot(system);
    if (!task_) {
      reset_target_ = system.reset.target;
      task_.emplace(wish_.action, wish_.policy, system.reset.allowed);
    }
    step(task_->looked(system.power, executor_.now()));
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

  void reset(const std::string& type) {
    if (reset_target_.empty()) {
      return end(fail(Code::unsupported, "the BMC offers no reset of this machine"));
    }
    BmcRequest request;
    request.method = "POST";
    request.target = reset_target_;
    request.body = json::serialize(json::object{{"ResetType", type}});
    send(std::move(request), [this](Result<BmcAnswer> answer) {
      if (!answer) {
        // It may have been carried out all the same: looking tells.
        const Code code = answer.error().code;
        if (code == Code::unreachable || code == Code::timed_out) {
          return step(task_->accepted(executor_.now()));
        }
        return step(task_->refused(answer.error(), executor_.now()));
      }
      monitor_ = answer->status == 202 ? answer->location : "";
      step(task_->accepted(executor_.now()));
    });
  }

  void wait(Duration time) {
    timer_.after(executor_, time, [this] {
      if (monitor_.empty()) return look();
      get(monitor_, [this](Result<BmcAnswer> answer) { watched(std::move(answer)); });
    });
  }

  /// A task that failed says why, which the power state alone would not (DSP0266, asynchronous
  /// operations): its monitor then answers with the status that the request would have had.
  void watched(Result<BmcAnswer> answer) {
    if (!answer) {
      const Error why = answer.error();
      monitor_.clear();
      const bool told = why.code == Code::invalid_argument || why.code == Code::conflict ||
                        why.code == Code::unsupported || why.code == Code::denied;
      if (told) return step(task_->refused(why, executor_.now()));
      return look();
    }
    if (answer->status != 202) monitor_.clear();
    look();
  }

  // --- the boot device ---

  void boot(const BmcSystem& system) {
    const std::string_view target = kBootTargets.at(static_cast<size_t>(wish_.device));
    const bool none = wish_.device == cluster::BootDevice::none;
    const std::string_view enabled = none ? "Disabled" : wish_.persistent ? "Continuous" : "Once";
    const auto& allowed = system.boot.allowed;
    if (!none && !allowed.empty() && std::ranges::find(allowed, target) == allowed.end()) {
      return end(fail(Code::unsupported, fmt::format("it boots from {}, and not from {}",
                                                     fmt::join(allowed, ", "), target)));
    }
    const bool there = system.boot.enabled == enabled && (none || system.boot.target == target);
    if (there) {
      outcome_.boot = none ? "as its firmware says"
                           : fmt::format("{}, {}", target, wish_.persistent ? "always" : "once");
      return end(outcome_);
    }
    if (patched_) {
      return end(
          fail(Code::conflict, fmt::format("the BMC accepted the boot device, but says {} {}",
                                           system.boot.target, system.boot.enabled)));
    }
    json::object override{{"BootSourceOverrideEnabled", enabled},
                          {"BootSourceOverrideTarget", target}};
    if (client_.quirks().boot_needs_mode && !system.boot.mode.empty()) {
      override["BootSourceOverrideMode"] = system.boot.mode;
    }
    patch(json::serialize(json::object{{"Boot", std::move(override)}}), etag_);
  }

  void patch(const std::string& body, const std::string& etag) {
    BmcRequest request;
    request.method = "PATCH";
    request.target = system_;
    request.body = body;
    request.if_match = etag;
    send(std::move(request), [this, body, etag](Result<BmcAnswer> answer) {
      // Some compare only strong tags and yet give weak ones.
      if (!answer && answer.error().code == Code::conflict && etag.starts_with("W/")) {
        return patch(body, etag.substr(2));
      }
      if (!answer) return end(tl::unexpected(std::move(answer).error()));
      patched_ = true;
      look();
    });
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
  BmcClient& client_;
  PowerWish wish_;
  Callback<void(Result<PowerOutcome>)> done_;
  std::string system_;
  std::string reset_target_;
  std::string monitor_;
  std::string etag_;
  std::optional<PowerTask> task_;
  PowerOutcome outcome_;
  int blind_ = 0;
  bool patched_ = false;
  Timer timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

PowerVisit::PowerVisit(Executor& executor, BmcClient& client, PowerWish wish,
                       Callback<void(Result<PowerOutcome>)> done)
    : course_(std::make_unique<Course>(executor, client, std::move(wish), std::move(done))) {
  course_->start();
}

PowerVisit::~PowerVisit() = default;

}  // namespace drover::hardware
