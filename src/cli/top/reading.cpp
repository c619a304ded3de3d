#include "cli/top/reading.hpp"

#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/output.hpp"

#include <fmt/core.h>

namespace drover::cli::top {
namespace {

std::optional<double> number_at(const json::value& in, std::string_view path) {
  const json::value* value = find_path(in, path);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  return value->to_number<double>();
}

const json::array& array_at(const json::value& in, std::string_view path) {
  static const json::array none;
  const json::value* value = find_path(in, path);
  return value == nullptr || !value->is_array() ? none : value->get_array();
}

TopNode node_of(const json::value& item) {
  TopNode out;
  out.name = text_at(item, "name");
  out.role = text_at(item, "role");
  out.phase = text_at(item, "phase.state");
  const bool confirmed = text_at(item, "phase.confirmed") != "false";
  const bool well = confirmed && (out.phase == "node_up" || out.phase == "up");
  if (!confirmed) out.phase += "?";
  out.service = text_at(item, "service.state");
  out.primary = text_at(item, "agent.primary");
  out.since = text_at(item, "phase.since");
  if (!well) out.why = text_at(item, "phase.why");
  out.cpus = static_cast<uint64_t>(number_at(item, "summary.cpus").value_or(0));
  return out;
}

void add_metrics(const json::value& item, TopNode& node) {
  const json::value* stale = find_path(item, "stale");
  if (stale != nullptr && stale->is_bool() && stale->get_bool()) return;
  node.load = number_at(item, "metrics.load_1m");
  node.memory_used = number_at(item, "metrics.memory_used_bytes");
  node.memory_total = number_at(item, "metrics.memory_total_bytes");
  if (const auto idle = number_at(item, "metrics.cpu_idle_percent")) {
    node.cpu =
        std::max(0.0, 100 - *idle - number_at(item, "metrics.cpu_iowait_percent").value_or(0));
  }
}

void flatten(const json::value& value, const std::string& path,
             std::vector<std::pair<std::string, std::string>>& out) {
  const auto below = [&](std::string_view key) {
    return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
  };
  if (const auto* object = value.if_object()) {
    for (const auto& [key, inner] : *object) flatten(inner, below(key), out);
  } else if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
    for (size_t i = 0; i < array->size(); ++i) flatten((*array)[i], below(std::to_string(i)), out);
  } else {
    out.emplace_back(printable(path), scalar_text(value));
  }
}

}  // namespace

TopData read_answers(const json::value& health, const json::array& nodes,
                     const json::array& metrics) {
  TopData out;
  out.cluster = text_at(health, "cluster");
  out.status = text_at(health, "status");
  out.answered_by = fmt::format("{} {}", text_at(health, "answered_by.role"),
                                text_at(health, "answered_by.name"));
  for (const json::value& daemon : array_at(health, "daemons")) {
    out.daemons.push_back({text_at(daemon, "name"), text_at(daemon, "role"),
                           text_at(daemon, "state"), text_at(daemon, "version"),
                           text_at(daemon, "restarts"), text_at(daemon, "why")});
  }
  for (const json::value& problem : array_at(health, "problems")) {
    const std::string why = text_at(problem, "why");
    out.problems.push_back(
        {text_at(problem, "severity"),
         fmt::format("{}: {}{}", text_at(problem, "subject"), text_at(problem, "what"),
                     why.empty() ? "" : fmt::format(" ({})", why)),
         text_at(problem, "next")});
  }
  std::map<std::string, const json::value*> by_node;
  for (const json::value& item : metrics) by_node[text_at(item, "node")] = &item;
  for (const json::value& item : nodes) {
    TopNode node = node_of(item);
    const auto it = by_node.find(node.name);
    if (it != by_node.end()) add_metrics(*it->second, node);
    out.nodes.push_back(std::move(node));
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> details_of(const json::value& document) {
  std::vector<std::pair<std::string, std::string>> out;
  flatten(document, {}, out);
  return out;
}

}  // namespace drover::cli::top
