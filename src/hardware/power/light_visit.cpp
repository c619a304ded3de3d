// DSP0268 has two ways: IndicatorLED (Lit, Blinking, Off), deprecated and found everywhere, and
// LocationIndicatorActive, which is true or false. What a resource shows is what it is asked by.
#include "hardware/power/light_visit.hpp"

#include "base/json_values.hpp"
#include "hardware/redfish/redfish_read.hpp"
#include "hardware/redfish/redfish_talk.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace drover::hardware {
namespace {

using cluster::IdentifyLight;

/// In the order of IdentifyLight.
constexpr std::array<std::string_view, 3> kWords{"Off", "Lit", "Blinking"};
constexpr std::array<std::string_view, 3> kSaid{"light off", "light on", "light blinking"};

/// What a resource has of a light.
struct Light {
  bool words = false;   ///< IndicatorLED
  bool simple = false;  ///< LocationIndicatorActive
  std::string word;
  bool active = false;
};

Light read_light(const RedfishNode& node) {
  Light light;
  light.word = node.text("IndicatorLED");
  light.words = !light.word.empty() && light.word != "Unknown";
  const auto active = node.boolean("LocationIndicatorActive");
  light.simple = active.has_value();
  light.active = active.value_or(false);
  return light;
}

}  // namespace

class LightVisit::Course {
 public:
  Course(Executor& executor, BmcClient& client, PowerWish wish, PowerCourse::Done done)
      : executor_(executor), talk_(client), wish_(std::move(wish)), done_(std::move(done)) {}
  ~Course() { *alive_ = false; }

  void start() {
    talk_.find_system(wish_.system, [this](Result<std::string> found) {
      if (!found) return end(tl::unexpected(std::move(found).error()));
      path_ = *std::move(found);
      look();
    });
  }

 private:
  void look() {
    talk_.read(path_, [this](Result<RedfishResource> got) {
      if (!got) return end(tl::unexpected(std::move(got).error()));
      const RedfishNode node = got->document.root();
      if (around_.empty()) {
        outcome_.state = read_power(node);
        around_ = node.at("Links").links("Chassis");
        around_.insert(around_.begin(), path_);
      }
      seen(read_light(node), std::move(got->etag));
    });
  }

  void seen(const Light& light, std::string etag) {
    if (!light.words && !light.simple) return look_around();
    const auto index = static_cast<size_t>(wish_.light);
    const bool wanted_on = wish_.light != IdentifyLight::off;
    // The simple one cannot tell steady from blinking, so it serves where there are no words.
    const bool by_word = light.words && !word_refused_;
    const bool there = by_word ? light.word == kWords.at(index) : light.active == wanted_on;
    if (there) {
      outcome_.said = by_word || !wanted_on ? std::string(kSaid.at(index)) : "light on";
      return end(outcome_);
    }
    if (set_) {
      return end(
          fail(Code::conflict, fmt::format("the BMC accepted it, but says that the light is {}",
                                           by_word        ? light.word
                                           : light.active ? "on"
                                                          : "off")));
    }
    if (!by_word && !light.simple) {
      return end(fail(Code::unsupported, "the BMC does not let the light be changed"));
    }
    json::object body;
    if (by_word) {
      body["IndicatorLED"] = kWords.at(index);
    } else {
      body["LocationIndicatorActive"] = wanted_on;
    }
    talk_.patch(
        path_, json::serialize(body), std::move(etag),
        [this, by_word](Result<BmcAnswer> answer) { answered(by_word, std::move(answer)); });
  }

  void answered(bool by_word, Result<BmcAnswer> answer) {
    if (answer) {
      set_ = true;
      return look();
    }
    const Code code = answer.error().code;
    const bool refused = code == Code::invalid_argument || code == Code::unsupported;
    if (!by_word || !refused) return end(tl::unexpected(std::move(answer).error()));
    word_refused_ = true;
    look();
  }

  /// The machine has no light: the enclosures around it may.
  void look_around() {
    if (++at_ >= around_.size() || around_[at_].empty()) {
      return end(fail(Code::unsupported, "the BMC offers no light to find this machine by"));
    }
    path_ = around_[at_];
    look();
  }

  void end(Result<PowerOutcome> result) {
    if (!done_) return;
    executor_.post([alive = alive_, done = std::exchange(done_, nullptr),
                    result = std::move(result)]() mutable {
      if (*alive) done(std::move(result));
    });
  }

  Executor& executor_;
  RedfishTalk talk_;
  PowerWish wish_;
  PowerCourse::Done done_;
  PowerOutcome outcome_;
  std::string path_;                 ///< of the resource that is looked at
  std::vector<std::string> around_;  ///< the machine and the enclosures around it
  size_t at_ = 0;                    ///< which of these
  bool word_refused_ = false;
  bool set_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

LightVisit::LightVisit(Executor& executor, BmcClient& client, PowerWish wish,
                       PowerCourse::Done done)
    : course_(std::make_unique<Course>(executor, client, std::move(wish), std::move(done))) {
  course_->start();
}

LightVisit::~LightVisit() = default;

}  // namespace drover::hardware
