// Three ways of DSP0268, in the order in which they are looked for: PowerControl of the enclosure's
// Power, its Controls, and EnvironmentMetrics of the machine or the enclosure.
#include "hardware/power/cap_visit.hpp"

#include "base/json_values.hpp"
#include "base/text.hpp"
#include "hardware/redfish/redfish_talk.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace drover::hardware {
namespace {

using cluster::PowerCap;
using cluster::PowerCaps;

constexpr size_t kMostChassis = 8;
constexpr size_t kMostControls = 64;
constexpr double kMostWatts = 1e6;
constexpr std::string_view kOneName = "Node Power Limit";

/// Where a limit was found, which is where it is set.
struct Found {
  enum class Way : uint8_t { power, control, environment };
  PowerCap cap;
  Way way = Way::power;
  std::string path;
  std::string etag;
  size_t index = 0;  ///< in PowerControl
};

std::optional<uint32_t> watts(const RedfishNode& node, std::string_view name) {
  const auto number = node.number(name);
  if (!number || *number < 0 || *number > kMostWatts) return std::nullopt;
  return static_cast<uint32_t>(*number + 0.5);
}

std::string named(const RedfishNode& node) {
  std::string name = node.text("Name");
  return name.empty() ? std::string(kOneName) : name;
}

/// Limits of a Power resource, those of other machines left out.
void read_power(const RedfishResource& power, const std::string& path, const std::string& system,
                std::vector<Found>& out) {
  size_t index = 0;
  for (const RedfishNode& item : power.document.root().items("PowerControl")) {
    const size_t at = index++;
    if (!item.at("PowerLimit").exists() || out.size() >= kMostControls) continue;
    const auto about = item.links("RelatedItem");
    const bool of_systems = std::ranges::any_of(
        about, [](const std::string& link) { return link.starts_with("/redfish/v1/Systems/"); });
    if (of_systems && std::ranges::find(about, system) == about.end()) continue;
    Found found;
    found.cap.name = named(item);
    found.cap.limit = watts(item.at("PowerLimit"), "LimitInWatts").value_or(0);
    const RedfishNode cray = item.at("Oem").at("Cray").at("PowerLimit");
    found.cap.most = cray.exists() ? watts(cray, "Max") : watts(item, "PowerCapacityWatts");
    found.cap.least = watts(cray, "Min");
    found.path = path;
    found.etag = power.etag;
    found.index = at;
    out.push_back(std::move(found));
  }
}

std::optional<Found> read_control(const RedfishResource& control, const std::string& path) {
  const RedfishNode node = control.document.root();
  if (node.text("ControlType") != "Power") return std::nullopt;
  Found found;
  found.way = Found::Way::control;
  found.cap.name = named(node);
  const bool off = node.text("ControlMode") == "Disabled";
  found.cap.limit = off ? 0 : watts(node, "SetPoint").value_or(0);
  found.cap.least = watts(node, "SettingRangeMin");
  found.cap.most = watts(node, "SettingRangeMax");
  found.path = path;
  found.etag = control.etag;
  return found;
}

std::optional<Found> read_environment(const RedfishResource& metrics, const std::string& path) {
  const RedfishNode limit = metrics.document.root().at("PowerLimitWatts");
  if (!limit.exists()) return std::nullopt;
  Found found;
  found.way = Found::Way::environment;
  found.cap.name = kOneName;
  const bool off = limit.text("ControlMode") == "Disabled";
  found.cap.limit = off ? 0 : watts(limit, "SetPoint").value_or(0);
  found.cap.least = watts(limit, "AllowableMin");
  found.cap.most = watts(limit, "AllowableMax");
  found.path = path;
  found.etag = metrics.etag;
  return found;
}

std::string body_for(const Found& found, uint32_t value) {
  const json::value limit = value == 0 ? json::value() : json::value(value);
  if (found.way == Found::Way::power) {
    json::array controls(found.index);
    for (json::value& other : controls) other = json::object{};
    controls.emplace_back(json::object{{"PowerLimit", json::object{{"LimitInWatts", limit}}}});
    return json::serialize(json::object{{"PowerControl", std::move(controls)}});
  }
  json::object set{{"ControlMode", value == 0 ? "Disabled" : "Automatic"}};
  if (value != 0) set["SetPoint"] = value;
  if (found.way == Found::Way::control) return json::serialize(set);
  return json::serialize(json::object{{"PowerLimitWatts", std::move(set)}});
}

Status fits(const PowerCap& cap, uint32_t value) {
  const bool low = value != 0 && cap.least && value < *cap.least;
  if (!low && !(cap.most && value > *cap.most)) return {};
  return fail(Code::invalid_argument,
              fmt::format("Control ({}) value ({}) is {} than {} ({})", cap.name, value,
                          low ? "less" : "more", low ? "minimum" : "maximum",
                          low ? *cap.least : *cap.most));
}

}  // namespace

class CapVisit::Course {
 public:
  Course(Executor& executor, BmcClient& client, std::string system, cluster::CapWishes wishes,
         Done done)
      : executor_(executor),
        talk_(client),
        system_(std::move(system)),
        wishes_(std::move(wishes)),
        done_(std::move(done)) {}
  ~Course() { *alive_ = false; }

  void start() {
    talk_.find_system(system_, [this](Result<std::string> found) {
      if (!found) return end(tl::unexpected(std::move(found).error()));
      path_ = *std::move(found);
      look();
    });
  }

 private:
  void look() {
    found_.clear();
    powers_.clear();
    controls_.clear();
    environments_.clear();
    talk_.read(path_, [this](Result<RedfishResource> got) {
      if (!got) return end(tl::unexpected(std::move(got).error()));
      const RedfishNode node = got->document.root();
      chassis_ = node.at("Links").links("Chassis");
      if (chassis_.size() > kMostChassis) chassis_.resize(kMostChassis);
      note(environments_, node.link("EnvironmentMetrics"));
      next_chassis();
    });
  }

  static void note(std::vector<std::string>& list, std::string link) {
    if (!link.empty() && list.size() < kMostControls) list.push_back(std::move(link));
  }

  void next_chassis() {
    if (chassis_.empty()) return next_power();
    const std::string path = chassis_.back();
    chassis_.pop_back();
    talk_.read(path, [this](const Result<RedfishResource>& got) {
      if (!got && got.error().code == Code::unauthenticated)
        return end(tl::unexpected(got.error()));
      if (got) {
        const RedfishNode node = got->document.root();
        note(powers_, node.link("Power"));
        note(controls_, node.link("Controls"));
        note(environments_, node.link("EnvironmentMetrics"));
      }
      next_chassis();
    });
  }

  void next_power() {
    if (powers_.empty()) return found_.empty() ? next_controls() : all_found();
    const std::string path = std::exchange(powers_.back(), {});
    powers_.pop_back();
    talk_.read(path, [this, path](const Result<RedfishResource>& got) {
      if (got) read_power(*got, path, path_, found_);
      next_power();
    });
  }

  void next_controls() {
    if (controls_.empty()) return next_environment();
    const std::string path = std::exchange(controls_.back(), {});
    controls_.pop_back();
    talk_.read(path, [this](const Result<RedfishResource>& got) {
      if (got) {
        for (std::string& member : got->document.root().links("Members")) {
          note(members_, std::move(member));
        }
      }
      if (!controls_.empty()) return next_controls();
      std::ranges::sort(members_, std::greater());
      next_member();
    });
  }

  void next_member() {
    if (members_.empty()) return found_.empty() ? next_environment() : all_found();
    const std::string path = std::exchange(members_.back(), {});
    members_.pop_back();
    talk_.read(path, [this, path](const Result<RedfishResource>& got) {
      auto found = got ? read_control(*got, path) : std::nullopt;
      if (found) found_.push_back(*std::move(found));
      next_member();
    });
  }

  void next_environment() {
    if (environments_.empty() || !found_.empty()) return all_found();
    const std::string path = environments_.front();
    environments_.erase(environments_.begin());
    talk_.read(path, [this, path](const Result<RedfishResource>& got) {
      auto found = got ? read_environment(*got, path) : std::nullopt;
      if (found) found_.push_back(*std::move(found));
      next_environment();
    });
  }

  void all_found() {
    if (found_.empty()) {
      return end(fail(Code::unsupported, "the BMC offers no limit of this machine's power"));
    }
    if (set_) return compare();
    for (const auto& [name, value] : wishes_) {
      const Found* found = called(name);
      if (found == nullptr) {
        return end(fail(Code::not_found,
                        fmt::format("there is no limit called '{}'", printable(name)),
                        "drover power cap NODES shows those that there are"));
      }
      if (const Status good = fits(found->cap, value); !good) {
        return end(tl::unexpected(good.error()));
      }
    }
    left_ = wishes_;
    set_next();
  }

  const Found* called(const std::string& name) const {
    if (name.empty()) return &found_.front();
    const auto found = std::ranges::find(found_, name, [](const Found& f) { return f.cap.name; });
    return found == found_.end() ? nullptr : &*found;
  }

  void set_next() {
    while (!left_.empty()) {
      const auto [name, value] = *left_.begin();
      left_.erase(left_.begin());
      const Found& found = *called(name);
      if (found.cap.limit == value) continue;
      // The tag of what lies beside it in one resource is old after the first change.
      std::string etag = std::exchange(changed_, found.path) == found.path ? "*" : found.etag;
      return talk_.patch(found.path, body_for(found, value), std::move(etag),
                         [this](Result<BmcAnswer> answer) {
                           if (!answer) return end(tl::unexpected(std::move(answer).error()));
                           set_next();
                         });
    }
    if (changed_.empty()) return tell();
    set_ = true;
    look();
  }

  void compare() {
    for (const auto& [name, value] : wishes_) {
      const Found* found = called(name);
      if (found != nullptr && found->cap.limit == value) continue;
      return end(
          fail(Code::conflict,
               fmt::format("the BMC accepted {} W, but says {}", value,
                           found == nullptr ? "nothing" : fmt::format("{} W", found->cap.limit))));
    }
    tell();
  }

  void tell() {
    PowerCaps caps;
    for (const Found& found : found_) caps.caps.push_back(found.cap);
    end(std::move(caps));
  }

  void end(Result<PowerCaps> result) {
    if (!done_) return;
    executor_.post([alive = alive_, done = std::exchange(done_, nullptr),
                    result = std::move(result)]() mutable {
      if (*alive) done(std::move(result));
    });
  }

  Executor& executor_;
  RedfishTalk talk_;
  std::string system_;
  cluster::CapWishes wishes_;
  cluster::CapWishes left_;  ///< of these, what is not set yet
  Done done_;
  std::string path_;  ///< of the machine
  std::vector<std::string> chassis_, powers_, controls_, members_, environments_;  ///< to be read
  std::vector<Found> found_;
  std::string changed_;  ///< path of the last resource that was
  bool set_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

CapVisit::CapVisit(Executor& executor, BmcClient& client, std::string system,
                   cluster::CapWishes wishes, Done done)
    : course_(std::make_unique<Course>(executor, client, std::move(system), std::move(wishes),
                                       std::move(done))) {
  course_->start();
}

CapVisit::~CapVisit() = default;

}  // namespace drover::hardware
