#include "sim/bmc/emulated_bmc.hpp"

#include "base/json_values.hpp"
#include "sim/bmc/bmc_services.hpp"
#include "sim/bmc/bmc_tree.hpp"

#include <charconv>

#include <fmt/format.h>

namespace drover::sim {
namespace {

constexpr std::string_view kSessions = "/redfish/v1/SessionService/Sessions";
constexpr std::string_view kMonitors = "/redfish/v1/TaskService/TaskMonitors/";

net::HttpResponse json_answer(int status, std::string body) {
  net::HttpResponse answer;
  answer.status = status;
  answer.headers.add("Content-Type", "application/json");
  answer.headers.add("OData-Version", "4.0");
  answer.body = std::move(body);
  return answer;
}

net::HttpResponse error_answer(int status, std::string_view id, std::string_view message) {
  const json::object error{
      {"error",
       json::object{{"code", fmt::format("Base.1.13.{}", id)},
                    {"message", message},
                    {"@Message.ExtendedInfo",
                     json::array{json::object{{"MessageId", fmt::format("Base.1.13.{}", id)},
                                              {"Message", message}}}}}}};
  return json_answer(status, json::serialize(error));
}

net::HttpResponse nothing(int status) {
  net::HttpResponse answer;
  answer.status = status;
  return answer;
}

/// A member that is a text; empty when it is none.
std::string text_of(const json::value& body, std::string_view name) {
  const auto* object = body.if_object();
  const auto* value = object != nullptr ? object->if_contains(name) : nullptr;
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

/// LimitInWatts of the first PowerControl.
const json::value* first_limit(const json::value& body) {
  const auto member = [](const json::value* of, std::string_view name) -> const json::value* {
    const auto* object = of == nullptr ? nullptr : of->if_object();
    return object == nullptr ? nullptr : object->if_contains(name);
  };
  const json::value* list = member(&body, "PowerControl");
  const auto* controls = list == nullptr ? nullptr : list->if_array();
  if (controls == nullptr || controls->empty()) return nullptr;
  return member(member(&controls->front(), "PowerLimit"), "LimitInWatts");
}

bool is_open(std::string_view path) {
  return path == "/redfish" || path == kBmcRoot;
}

}  // namespace

EmulatedBmc::EmulatedBmc(BmcTraits traits, Clock& clock, Random& random)
    : traits_(std::move(traits)),
      clock_(clock),
      random_(random),
      machines_(traits_, clock),
      board_(traits_, clock),
      door_(traits_, clock, random) {}

EmulatedBmc::Target EmulatedBmc::target_of(std::string_view text) {
  Target target;
  const size_t mark = std::min(text.find('?'), text.size());
  target.path = text.substr(0, mark);
  while (target.path.size() > 1 && target.path.back() == '/') target.path.pop_back();
  const std::string_view query = text.substr(mark);
  target.expand = query.find("$expand=") != std::string_view::npos;
  if (const size_t skip = query.find("$skip="); skip != std::string_view::npos) {
    std::from_chars(query.data() + skip + 6, query.data() + query.size(), target.skip);
  }
  return target;
}

net::HttpResponse EmulatedBmc::answer(const net::HttpRequest& request) {
  ++counts_.requests;
  const Target target = target_of(request.target);
  const bool logs_in = request.method == "POST" && target.path == kSessions && traits_.sessions;
  if (logs_in) return open_session(request);
  if (!is_open(target.path) && !door_.admits(request)) {
    ++counts_.refused;
    auto refused = error_answer(401, "InsufficientPrivilege", "Who is asking is not known.");
    refused.headers.add("WWW-Authenticate", "Basic realm=\"Redfish\"");
    return refused;
  }
  if (request.method == "GET") return get(target);
  if (request.method == "POST") return post(target, request);
  if (request.method == "PATCH") return patch(target, request);
  if (request.method == "DELETE") return erase(target);
  return error_answer(405, "OperationNotAllowed", "No such method here.");
}

std::string EmulatedBmc::etag(uint32_t system) const {
  return fmt::format("W/\"{}\"", machines_.at(system).version);
}

net::HttpResponse EmulatedBmc::get(const Target& target) {
  ++counts_.gets;
  if (target.path == "/redfish") return json_answer(200, R"({"v1":"/redfish/v1/"})");
  if (!is_open(target.path) && busy_given_ < traits_.busy_answers) {
    ++busy_given_;
    auto busy = error_answer(503, "ServiceTemporarilyUnavailable", "Busy.");
    busy.headers.add("Retry-After", "1");
    return busy;
  }
  if (target.path.starts_with(kMonitors)) return task(target.path);
  const bool expand = target.expand && traits_.expand;
  auto text = source_ ? source_(target.path)
                      : bmc_resource(traits_, machines_, board_, target.path, expand, target.skip);
  if (!text) return error_answer(404, "ResourceMissingAtURI", "No such resource.");
  auto found = json_answer(200, *std::move(text));
  const auto system = bmc_system_of(traits_, target.path);
  if (system && target.path == bmc_system_path(traits_, *system)) {
    found.headers.add("ETag", etag(*system));
  }
  return found;
}

net::HttpResponse EmulatedBmc::open_session(const net::HttpRequest& request) {
  const auto body = parse_json(request.body);
  const std::string token =
      body ? door_.open_session(text_of(*body, "UserName"), text_of(*body, "Password")) : "";
  if (token.empty()) {
    ++counts_.refused;
    return error_answer(401, "InsufficientPrivilege", "Wrong user or password.");
  }
  const std::string path = fmt::format("{}/{}", kSessions, next_session_++);
  session_paths_[path] = token;
  auto opened = json_answer(201, fmt::format(R"({{"@odata.id":"{}","Id":"1"}})", path));
  opened.headers.add("X-Auth-Token", token);
  opened.headers.add("Location", path);
  return opened;
}

net::HttpResponse EmulatedBmc::post(const Target& target, const net::HttpRequest& request) {
  const auto system = bmc_system_of(traits_, target.path);
  if (system &&
      target.path == bmc_system_path(traits_, *system) + "/Actions/ComputerSystem.Reset") {
    return reset(*system, request);
  }
  if (target.path.ends_with("/Actions/UpdateService.SimpleUpdate")) {
    return update(request);
  }
  if (target.path.ends_with("/LogServices/SEL/Actions/LogService.ClearLog")) {
    board_.clear_log();
    return nothing(204);
  }
  return error_answer(404, "ResourceMissingAtURI", "Nothing takes that here.");
}

net::HttpResponse EmulatedBmc::reset(uint32_t system, const net::HttpRequest& request) {
  const auto body = parse_json(request.body);
  if (!body) return error_answer(400, "MalformedJSON", "The body is no JSON.");
  const Status done = machines_.reset(system, text_of(*body, "ResetType"));
  if (!done) {
    return done.error().code == Code::conflict
               ? error_answer(409, "ActionNotSupported", done.error().message)
               : error_answer(400, "ActionParameterNotSupported", done.error().message);
  }
  ++counts_.resets;
  return traits_.reset_by_task ? start_task(traits_.power_time) : nothing(204);
}

net::HttpResponse EmulatedBmc::update(const net::HttpRequest& request) {
  const auto body = parse_json(request.body);
  if (!body || !body->is_object()) return error_answer(400, "MalformedJSON", "No JSON object.");
  std::vector<std::string> targets;
  if (const auto* list = body->get_object().if_contains("Targets"); list && list->is_array()) {
    for (const auto& target : list->get_array()) {
      if (target.is_string()) targets.emplace_back(target.get_string());
    }
  }
  const auto begun = board_.update(text_of(*body, "ImageURI"), targets);
  if (!begun) {
    const bool busy = begun.error().code == Code::conflict;
    return error_answer(busy ? 409 : 400, busy ? "UpdateInProgress" : "ActionParameterValueError",
                        begun.error().message);
  }
  auto accepted = start_task(traits_.update_time);
  tasks_[std::string(accepted.headers.get("Location").value_or(""))].update = *begun;
  accepted.body = json::serialize(bmc_task(board_, *board_.find_update(*begun), *begun));
  return accepted;
}

/// What its monitor says: the task while it runs, then the end that the request would have had.
net::HttpResponse EmulatedBmc::watch_update(uint64_t number) {
  const BmcUpdate& update = *board_.find_update(number);
  const bool over = board_.is_over(update);
  if (over && update.fails) {
    return error_answer(400, "VerificationFailed", "The image's signature is not right.");
  }
  return json_answer(over ? 200 : 202, json::serialize(bmc_task(board_, update, number)));
}

net::HttpResponse EmulatedBmc::start_task(Duration lasts) {
  const std::string path = fmt::format("{}{}", kMonitors, next_task_++);
  tasks_[path] = {clock_.now() + lasts};
  auto accepted = json_answer(202, R"({"TaskState":"Running"})");
  accepted.headers.add("Location", path);
  return accepted;
}

net::HttpResponse EmulatedBmc::task(std::string_view path) {
  const auto found = tasks_.find(std::string(path));
  if (found == tasks_.end()) return error_answer(404, "ResourceMissingAtURI", "No such task.");
  if (found->second.update != 0) return watch_update(found->second.update);
  if (clock_.now() >= found->second.done) return nothing(204);
  auto running = json_answer(202, R"({"TaskState":"Running"})");
  running.headers.add("Location", found->first);
  running.headers.add("Retry-After", "1");
  return running;
}

net::HttpResponse EmulatedBmc::patch(const Target& target, const net::HttpRequest& request) {
  const auto system = bmc_system_of(traits_, target.path);
  if (!system || target.path != bmc_system_path(traits_, *system)) {
    return patch_cap(target, request);
  }
  const auto given = request.headers.get("If-Match");
  if (!given && traits_.demands_etag) {
    return error_answer(428, "PreconditionRequired", "If-Match is needed.");
  }
  if (given && *given != "*" && *given != etag(*system)) {
    return error_answer(412, "PreconditionFailed", "Somebody else changed it.");
  }
  const auto body = parse_json(request.body);
  if (!body || !body->is_object()) return error_answer(400, "MalformedJSON", "No JSON object.");
  ++counts_.patches;
  BmcSystemState& state = machines_.edit(*system);
  if (const auto* boot = body->get_object().if_contains("Boot")) {
    if (auto v = text_of(*boot, "BootSourceOverrideEnabled"); !v.empty()) state.boot_enabled = v;
    if (auto v = text_of(*boot, "BootSourceOverrideTarget"); !v.empty()) state.boot_target = v;
    if (auto v = text_of(*boot, "BootSourceOverrideMode"); !v.empty()) state.boot_mode = v;
  }
  if (const auto* lit = body->get_object().if_contains("LocationIndicatorActive")) {
    state.light = lit->is_bool() && lit->get_bool() ? "Lit" : "Off";
  }
  if (auto word = text_of(*body, "IndicatorLED"); !word.empty()) {
    if (!holds_word("Off Lit Blinking", word)) {
      return error_answer(400, "PropertyValueNotInList", "IndicatorLED has no such value.");
    }
    state.light = std::move(word);
  }
  ++state.version;
  return nothing(204);
}

net::HttpResponse EmulatedBmc::patch_cap(const Target& target, const net::HttpRequest& request) {
  const auto body = parse_json(request.body);
  if (!body || !body->is_object()) return error_answer(400, "MalformedJSON", "No JSON object.");
  const auto set = [&](const json::value* watts, bool off) {
    const bool whole = watts != nullptr && watts->is_int64() && watts->get_int64() > 0;
    if (!off && !whole) return error_answer(400, "PropertyValueTypeError", "No number of watts.");
    ++counts_.patches;
    board_.set_cap(off ? 0 : static_cast<uint32_t>(watts->get_int64()));
    return nothing(204);
  };
  const std::string enclosure = fmt::format("{}/Chassis/Enclosure", kBmcRoot);
  if (traits_.caps == "power" && target.path == enclosure + "/Power") {
    const json::value* limit = first_limit(*body);
    return set(limit, limit != nullptr && limit->is_null());
  }
  const bool control =
      traits_.caps == "controls" && target.path == enclosure + "/Controls/NodePowerLimit";
  const bool environment =
      traits_.caps == "environment" && target.path == enclosure + "/EnvironmentMetrics";
  const json::value* limit = control ? &*body : nullptr;
  if (environment) limit = body->get_object().if_contains("PowerLimitWatts");
  if (limit == nullptr || !limit->is_object()) {
    return error_answer(405, "OperationNotAllowed", "This cannot be changed.");
  }
  return set(limit->get_object().if_contains("SetPoint"),
             text_of(*limit, "ControlMode") == "Disabled");
}

net::HttpResponse EmulatedBmc::erase(const Target& target) {
  const auto session = session_paths_.find(target.path);
  if (session == session_paths_.end()) {
    return error_answer(404, "ResourceMissingAtURI", "No such resource.");
  }
  door_.close_session(session->second);
  session_paths_.erase(session);
  return nothing(204);
}

}  // namespace drover::sim
