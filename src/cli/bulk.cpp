#include "cli/bulk.hpp"

#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "net/http/target.hpp"

#include <set>

#include <fmt/format.h>

namespace drover::cli {

void Outcomes::add(const json::value& answer) {
  const json::value* results = find_path(answer, "results");
  if (results == nullptr || !results->is_array()) return;
  for (const json::value& result : results->get_array()) {
    const json::value* problem = find_path(result, "problem");
    const json::value* count = find_path(result, "count");
    const auto nodes = count != nullptr && count->is_number() ? count->to_number<size_t>() : 0;
    (problem != nullptr && problem->is_object() ? failed_ : done_) += nodes;
    results_.push_back(to_text(result));
  }
  const json::value* dry = find_path(answer, "dry_run");
  dry_run_ = dry_run_ || (dry != nullptr && dry->is_bool() && dry->get_bool());
}

Result<int> Outcomes::print(Context& context, std::string_view done_word) {
  std::set<std::string> types;
  json::array names;
  json::array results;
  for (const std::string& text : results_) {
    DROVER_TRY(const json::value result, parse_json(text));
    results.push_back(result);
    const json::value* problem = find_path(result, "problem");
    const std::string nodes = text_at(result, "nodes");
    if (problem == nullptr || !problem->is_object()) {
      if (context.output().format == Format::name) {
        for (const std::string& name : expand_names(nodes).value_or(std::vector{nodes})) {
          names.push_back(json::object{{"name", name}});
        }
      } else if (context.for_people()) {
        const bool unchanged = text_at(result, "unchanged") == "true";
        context.print(
            unchanged ? fmt::format("{}: unchanged\n", nodes)
                      : fmt::format("{}: {}{}\n", nodes, dry_run_ ? "would be " : "", done_word));
      }
      continue;
    }
    types.insert(text_at(*problem, "type"));
    if (!context.for_people() && context.output().format != Format::name) continue;
    context.warn(fmt::format("{}: {}", nodes, text_at(*problem, "detail")));
    const std::string next = text_at(*problem, "next");
    if (!next.empty()) context.warn("next: " + next);
  }
  int code = failed_ == 0 ? 0 : 1;
  if (done_ == 0 && types.size() == 1) {
    std::string_view type = *types.begin();
    code = info(code_from_name(type.substr(type.rfind(':') + 1))).exit_code;
  }
  if (context.output().format == Format::name)
    return context.print_list(std::move(names), {}, code);
  if (context.for_people()) return code;
  static const ListView view{{{"NODES", "nodes"},
                              {"COUNT", "count", Show::number},
                              {"STATUS", "status", Show::number},
                              {"UNCHANGED", "unchanged", Show::text, true},
                              {"PROBLEM", "problem.detail"}},
                             "",
                             "nodes"};
  return context.print_list(std::move(results), view, code);
}

std::string with_query(std::string path, std::string_view name, std::string_view value) {
  path += path.find('?') == std::string::npos ? '?' : '&';
  path += fmt::format("{}={}", name, net::percent_encode(value));
  return path;
}

}  // namespace drover::cli
