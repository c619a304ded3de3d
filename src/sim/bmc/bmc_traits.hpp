// What one emulated BMC is like: the machines behind it, how fast it is, what it offers, and how it
// misbehaves.
#pragma once

#include "base/clock.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace drover::sim {

/// Ways to harm a client. Each BMC has one; those that shape bodies leave the service root whole,
/// so that a client gets that far.
enum class BmcHostility : uint8_t {
  none,
  silent,         ///< takes requests and never answers
  slow,           ///< one byte of an answer at a time
  endless,        ///< bodies that never end
  huge,           ///< bodies of 16 MiB
  deep,           ///< brackets within brackets, 100,000 of them
  recursive,      ///< collections whose members and pages lead to ever more collections
  wrong_types,    ///< numbers for texts, lists for objects, null for numbers
  garbage,        ///< bytes that are no JSON, terminal controls among them
  foreign_links,  ///< links to other hosts, and out of the service
  redirect,       ///< every answer sends elsewhere
  cut,            ///< connections closed in the middle of bodies
  failing,        ///< 500 to everything below the root
};
std::span<const std::string_view> enum_names(BmcHostility);

struct BmcTraits {
  /// Distinguishes UUIDs, serials and MACs of BMCs: those of number N are always the same.
  uint32_t number = 0;
  uint32_t systems = 1;
  uint32_t processors = 2;  ///< of each system, and so on
  uint32_t gpus = 0;
  uint32_t dimms = 8;
  uint32_t drives = 2;
  uint32_t nics = 2;
  bool system_uuids = true;  ///< multi-node BMCs often have none
  /// Ids of systems: "{}" is the number within the BMC. One system alone is often "Self" or "1".
  std::string system_id = "Node{}";
  std::string vendor = "Contoso";
  std::map<std::string, std::string> macs = {};  ///< instead of the made one: NIC path to MAC text

  std::string user = "root";
  std::string password = "calvin";
  bool sessions = true;         ///< offers sessions beside basic authentication
  uint32_t lock_out_after = 0;  ///< wrong passwords until nobody is let in; 0: never
  Duration session_time = std::chrono::minutes(30);  ///< unused sessions end after this

  Duration latency{};          ///< of each answer
  Duration latency_jitter{};   ///< added at random, up to this
  bool expand = false;         ///< $expand of one level
  uint32_t page = 0;           ///< members in one page of a collection; 0: all
  bool demands_etag = false;   ///< PATCH without If-Match is refused (428)
  bool reset_by_task = false;  ///< a reset answers 202 and a task monitor
  uint32_t busy_answers = 0;   ///< the first so many GETs below the root answer 503, Retry-After 1

  Duration power_time = std::chrono::seconds(1);     ///< from a forced reset to its state
  Duration shutdown_time = std::chrono::seconds(5);  ///< of an operating system that is asked
  bool ignores_graceful = false;  ///< the operating system does not hear requests to shut down
  bool stuck = false;             ///< resets are accepted and nothing happens
  bool starts_on = false;
  /// How the light is shown and set: by word (IndicatorLED), simple (LocationIndicatorActive),
  /// both, or none.
  std::string light = "both";
  std::string reset_types = "On ForceOff GracefulShutdown GracefulRestart ForceRestart PowerCycle";

  /// How the power of the enclosure is limited: power (PowerControl), controls, environment, none.
  std::string caps = "power";
  bool sensors = false;                             ///< offers Sensors in place of Thermal
  Duration update_time = std::chrono::seconds(10);  ///< of new firmware
  bool update_fails = false;                        ///< and then it is found to be damaged

  BmcHostility hostility = BmcHostility::none;
};

}  // namespace drover::sim
