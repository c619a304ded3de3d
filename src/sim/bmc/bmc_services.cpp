#include "sim/bmc/bmc_services.hpp"

#include "base/json_values.hpp"
#include "sim/bmc/bmc_tree.hpp"

#include <charconv>

#include <fmt/format.h>

namespace drover::sim {
namespace {

using json::object;
using Parts = std::vector<std::string_view>;

constexpr int kLeastWatts = 350;
constexpr int kMostWatts = 1600;

object resource(const std::string& path, std::string_view type, std::string_view id,
                std::string_view name) {
  return {{"@odata.id", path},
          {"@odata.type", fmt::format("#{0}.v1_5_0.{0}", type)},
          {"Id", id},
          {"Name", name}};
}

object link(const std::string& path) {
  return {{"@odata.id", path}};
}

uint64_t number_in(std::string_view text) {
  uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc{} && read.ptr == text.data() + text.size() ? number : 0;
}

// --- limits of power ---

object control(const std::string& path, const BmcBoard& board) {
  object control = resource(path, "Control", "NodePowerLimit", "Node Power Limit");
  control["ControlType"] = "Power";
  control["SetPointUnits"] = "W";
  control["ControlMode"] = board.cap() == 0 ? "Disabled" : "Automatic";
  control["SetPoint"] = board.cap() == 0 ? kMostWatts : static_cast<int>(board.cap());
  control["SettingRangeMin"] = kLeastWatts;
  control["SettingRangeMax"] = kMostWatts;
  return control;
}

object environment(const std::string& path, const BmcBoard& board) {
  object metrics = resource(path, "EnvironmentMetrics", "EnvironmentMetrics", "Environment");
  object limit{{"ControlMode", board.cap() == 0 ? "Disabled" : "Automatic"},
               {"AllowableMin", kLeastWatts},
               {"AllowableMax", kMostWatts}};
  limit["SetPoint"] = board.cap() == 0 ? json::value() : json::value(board.cap());
  metrics["PowerLimitWatts"] = std::move(limit);
  return metrics;
}

// --- sensors, as newer BMCs have them ---

object sensor(const std::string& path, std::string_view id, bool on) {
  object sensor = resource(path, "Sensor", id, fmt::format("{} Temp", id));
  sensor["ReadingType"] = "Temperature";
  sensor["ReadingUnits"] = "Cel";
  sensor["Reading"] = on ? 61.5 : 23.0;
  sensor["Thresholds"] = object{{"UpperCritical", object{{"Reading", 95}}}};
  sensor["Status"] = object{{"State", "Enabled"}, {"Health", "OK"}};
  return sensor;
}

std::optional<object> below_enclosure(BmcServices& services, const std::string& path,
                                      const Parts& parts) {
  const std::string& caps = services.traits.caps;
  if (parts.size() == 3 && parts[2] == "EnvironmentMetrics" && caps == "environment") {
    return environment(path, services.board);
  }
  if (parts[2] == "Controls" && caps == "controls") {
    if (parts.size() == 3) {
      return services.collection(path, "Control", {path + "/NodePowerLimit"});
    }
    if (parts.size() == 4 && parts[3] == "NodePowerLimit") return control(path, services.board);
  }
  if (parts[2] == "Sensors" && services.traits.sensors) {
    if (parts.size() == 3) {
      return services.collection(path, "Sensor", {path + "/CPU0", path + "/GPU0"});
    }
    const bool known = parts.size() == 4 && (parts[3] == "CPU0" || parts[3] == "GPU0");
    if (known) {
      return sensor(path, parts[3], services.traits.systems > 0 && services.machines.at(0).on);
    }
  }
  return std::nullopt;
}

// --- logs ---

object entry(const std::string& path, const BmcLogEntry& one) {
  object entry = resource(path, "LogEntry", std::to_string(one.number),
                          fmt::format("Log entry {}", one.number));
  entry["EntryType"] = "SEL";
  entry["Severity"] = one.severity;
  entry["Created"] = to_rfc3339(one.created);
  entry["Message"] = one.message;
  entry["MessageId"] = "Platform.1.0.Event";
  return entry;
}

std::optional<object> below_logs(BmcServices& services, const std::string& path,
                                 const Parts& parts) {
  if (parts.size() == 3) return services.collection(path, "LogService", {path + "/SEL"});
  if (parts[3] != "SEL") return std::nullopt;
  if (parts.size() == 4) {
    object log = resource(path, "LogService", "SEL", "System event log");
    log["LogEntryType"] = "SEL";
    log["Entries"] = link(path + "/Entries");
    log["Actions"] =
        object{{"#LogService.ClearLog", object{{"target", path + "/Actions/LogService.ClearLog"}}}};
    return log;
  }
  if (parts[4] != "Entries") return std::nullopt;
  if (parts.size() == 5) {
    // Entries stand in their collection as a whole, as most BMCs have it.
    object all = services.collection(path, "LogEntry", {});
    json::array members;
    for (const BmcLogEntry& one : services.board.entries()) {
      members.emplace_back(entry(fmt::format("{}/{}", path, one.number), one));
    }
    all["Members@odata.count"] = members.size();
    all["Members"] = std::move(members);
    return all;
  }
  for (const BmcLogEntry& one : services.board.entries()) {
    if (parts.size() == 6 && one.number == number_in(parts[5])) return entry(path, one);
  }
  return std::nullopt;
}

// --- firmware ---

std::optional<object> below_update(BmcServices& services, const std::string& path,
                                   const Parts& parts) {
  if (parts.size() == 1) {
    object service = resource(path, "UpdateService", "UpdateService", "Update Service");
    service["ServiceEnabled"] = true;
    service["FirmwareInventory"] = link(path + "/FirmwareInventory");
    service["Actions"] = object{{"#UpdateService.SimpleUpdate",
                                 object{{"target", path + "/Actions/UpdateService.SimpleUpdate"},
                                        {"TransferProtocol@Redfish.AllowableValues",
                                         json::array{"HTTP", "HTTPS", "TFTP"}}}}};
    return service;
  }
  if (parts[1] != "FirmwareInventory") return std::nullopt;
  if (parts.size() == 2) {
    std::vector<std::string> members;
    for (const auto& name : BmcBoard::firmware()) members.push_back(path + "/" + name);
    return services.collection(path, "SoftwareInventory", members);
  }
  const std::string version =
      parts.size() == 3 ? services.board.version(std::string(parts[2])) : std::string();
  if (version.empty()) return std::nullopt;
  object firmware = resource(path, "SoftwareInventory", parts[2], parts[2]);
  firmware["Version"] = version;
  firmware["Updateable"] = parts[2] != "CPLD";
  return firmware;
}

std::optional<object> below_tasks(BmcServices& services, const std::string& path,
                                  const Parts& parts) {
  if (parts.size() == 1) {
    object service = resource(path, "TaskService", "TaskService", "Task Service");
    service["Tasks"] = link(path + "/Tasks");
    return service;
  }
  if (parts[1] != "Tasks") return std::nullopt;
  if (parts.size() == 2) {
    std::vector<std::string> members;
    for (size_t i = 1; i <= services.board.updates(); ++i) members.push_back(bmc_task_path(i));
    return services.collection(path, "Task", members);
  }
  const uint64_t number = parts.size() == 3 ? number_in(parts[2]) : 0;
  const BmcUpdate* update = services.board.find_update(number);
  if (update == nullptr) return std::nullopt;
  return bmc_task(services.board, *update, number);
}

}  // namespace

std::string bmc_task_path(uint64_t number) {
  return fmt::format("{}/TaskService/Tasks/{}", kBmcRoot, number);
}

object bmc_task(const BmcBoard& board, const BmcUpdate& update, uint64_t number) {
  object task = resource(bmc_task_path(number), "Task", std::to_string(number), "Update");
  const bool over = board.is_over(update);
  task["TaskState"] = !over ? "Running" : update.fails ? "Exception" : "Completed";
  task["TaskStatus"] = over && update.fails ? "Critical" : "OK";
  task["PercentComplete"] = board.percent(update);
  json::array messages;
  if (over && update.fails) {
    messages.emplace_back(object{{"MessageId", "Update.1.0.VerificationFailed"},
                                 {"Message", "The image's signature is not right."}});
  }
  task["Messages"] = std::move(messages);
  return task;
}

std::optional<object> bmc_service(BmcServices& services, const std::string& path,
                                  const Parts& parts) {
  if (parts.empty()) return std::nullopt;
  if (parts[0] == "UpdateService") return below_update(services, path, parts);
  if (parts[0] == "TaskService") return below_tasks(services, path, parts);
  const bool deep = parts.size() >= 3;
  if (deep && parts[0] == "Chassis" && parts[1] == "Enclosure") {
    return below_enclosure(services, path, parts);
  }
  if (deep && parts[0] == "Managers" && parts[1] == "BMC" && parts[2] == "LogServices") {
    return below_logs(services, path, parts);
  }
  return std::nullopt;
}

}  // namespace drover::sim
