#include "api/bulk_result.hpp"

#include "base/noderange.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace drover::api {
namespace {

bool in_a_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.';
}

/// `text` with kOwnName where the whole word `node` stands.
std::string without_name(std::string_view text, std::string_view node) {
  std::string out;
  size_t from = 0;
  for (size_t at = text.find(node); at != std::string_view::npos; at = text.find(node, at + 1)) {
    const size_t end = at + node.size();
    const bool whole = at >= from && (at == 0 || !in_a_name(text[at - 1])) &&
                       (end == text.size() || !in_a_name(text[end]));
    if (!whole) continue;
    out.append(text.substr(from, at - from)).append(kOwnName);
    from = end;
  }
  return out.append(text.substr(from));
}

}  // namespace

void BulkGroup::describe(Visitor& v) {
  v.field("nodes", nodes, "Folded noderange of those that ended alike.");
  v.field("count", count, "How many they are.");
  v.field("status", status, "What a request on each of them alone would have answered.");
  v.field("unchanged", unchanged, "Whether they were so already, and nothing was written.");
  v.field("problem", problem,
          "What failed, and why; null when done. Where several nodes share it, {node} stands for "
          "the name of each.");
}

void BulkView::describe(Visitor& v) {
  v.field("results", results, "Nodes that ended alike: those that failed, then the biggest group.");
  v.field("done", done, "How many nodes are done.");
  v.field("unchanged", unchanged, "How many of those were so already.");
  v.field("failed", failed, "How many are not.");
  v.field("dry_run", dry_run, "Whether nothing was changed, because the request asked for that.");
}

void BulkResult::done(std::string_view node, int status) {
  Group& group = groups_[fmt::format("{}", status)];
  group.status = status;
  group.nodes.emplace_back(node);
  ++done_;
}

void BulkResult::unchanged(std::string_view node) {
  Group& group = groups_["unchanged"];
  group.unchanged = true;
  group.nodes.emplace_back(node);
  ++done_;
  ++unchanged_;
}

void BulkResult::failed(std::string_view node, const Error& error) {
  ProblemDocument problem = problem_of(error);
  Group& group =
      groups_[fmt::format("{} {}\n{}\n{}", problem.status, problem.type,
                          without_name(problem.detail, node), without_name(problem.next, node))];
  group.status = problem.status;
  if (!group.problem) group.problem = std::move(problem);
  group.nodes.emplace_back(node);
  ++failed_;
}

BulkView BulkResult::view(bool dry_run) const {
  BulkView out;
  out.done = done_;
  out.unchanged = unchanged_;
  out.failed = failed_;
  out.dry_run = dry_run;
  for (const auto& [key, group] : groups_) {
    BulkGroup shown{fold_names(group.nodes), group.nodes.size(), group.status, group.unchanged,
                    group.problem};
    if (shown.problem && shown.count > 1) {
      const std::string& first = group.nodes.front();
      shown.problem->detail = without_name(shown.problem->detail, first);
      shown.problem->next = without_name(shown.problem->next, first);
    }
    out.results.push_back(std::move(shown));
  }
  std::ranges::sort(out.results, [](const BulkGroup& a, const BulkGroup& b) {
    if (a.problem.has_value() != b.problem.has_value()) return a.problem.has_value();
    if (a.count != b.count) return a.count > b.count;
    return natural_compare(a.nodes, b.nodes) < 0;
  });
  return out;
}

int http_status(const BulkView& view) {
  constexpr int kMultiStatus = 207;
  return view.failed == 0 ? 200 : kMultiStatus;
}

}  // namespace drover::api
