#include "hardware/redfish/sensors_visit.hpp"

#include "hardware/redfish/redfish_read.hpp"
#include "hardware/redfish/redfish_talk.hpp"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

namespace drover::hardware {
namespace {

constexpr size_t kMostChassis = 8;
constexpr size_t kMostSensors = 256;

}  // namespace

class SensorsVisit::Course {
 public:
  Course(Executor& executor, BmcClient& client, std::string system, Done done)
      : executor_(executor), talk_(client), system_(std::move(system)), done_(std::move(done)) {}
  ~Course() { *alive_ = false; }

  void start() {
    talk_.find_system(system_, [this](Result<std::string> found) {
      if (!found) return end(tl::unexpected(std::move(found).error()));
      talk_.read(*found, [this](const Result<RedfishResource>& got) {
        if (!got) return end(tl::unexpected(got.error()));
        auto paths = got->document.root().at("Links").links("Chassis");
        if (paths.size() > kMostChassis) paths.resize(kMostChassis);
        for (std::string& path : paths) ask(Kind::chassis, path, path);
        next();
      });
    });
  }

 private:
  enum class Kind : uint8_t { chassis, thermal, power, sensors, sensor };
  struct Link {
    Kind kind;
    std::string path;
    std::string chassis;
  };

  void ask(Kind kind, std::string path, std::string chassis) {
    if (!path.empty()) links_.push_back({kind, std::move(path), std::move(chassis)});
  }

  void next() {
    if (links_.empty()) return tell();
    const Link link = std::move(links_.front());
    links_.pop_front();
    talk_.read(link.path, [this, link](const Result<RedfishResource>& got) {
      if (got) {
        take(link, got->document.root());
      } else {
        why_ = got.error();
      }
      next();
    });
  }

  void take(const Link& link, const RedfishNode& node) {
    switch (link.kind) {
      case Kind::chassis:
        if (node.link("Thermal").empty()) {
          ask(Kind::sensors, node.link("Sensors"), link.chassis);
        } else {
          ask(Kind::thermal, node.link("Thermal"), link.chassis);
        }
        return ask(Kind::power, node.link("Power"), link.chassis);
      case Kind::thermal:
        return read_thermal(node, link.chassis, readings_);
      case Kind::power: {
        cluster::BmcChassis parts;
        parts.identity.path = link.chassis;
        return read_power_resource(node, link.path, parts, readings_);
      }
      case Kind::sensors: {
        auto members = node.links("Members");
        if (members.size() > kMostSensors) members.resize(kMostSensors);
        for (std::string& path : members) ask(Kind::sensor, std::move(path), link.chassis);
        return;
      }
      case Kind::sensor:
        return read_sensor(node, link.chassis, readings_);
    }
  }

  void tell() {
    if (readings_.readings.empty()) {
      if (why_) return end(tl::unexpected(*why_));
      return end(fail(Code::unsupported, "the BMC shows no sensors of this machine"));
    }
    std::ranges::sort(readings_.readings, [](const auto& a, const auto& b) {
      return std::tie(a.kind, a.name, a.chassis) < std::tie(b.kind, b.name, b.chassis);
    });
    end(std::move(readings_));
  }

  void end(Result<cluster::BmcReadings> result) {
    if (!done_) return;
    executor_.post([alive = alive_, done = std::exchange(done_, nullptr),
                    result = std::move(result)]() mutable {
      if (*alive) done(std::move(result));
    });
  }

  Executor& executor_;
  RedfishTalk talk_;
  std::string system_;
  Done done_;
  std::deque<Link> links_;
  cluster::BmcReadings readings_;
  std::optional<Error> why_;  ///< the last that could not be read
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

SensorsVisit::SensorsVisit(Executor& executor, BmcClient& client, std::string system, Done done)
    : course_(std::make_unique<Course>(executor, client, std::move(system), std::move(done))) {
  course_->start();
}

SensorsVisit::~SensorsVisit() = default;

}  // namespace drover::hardware
