#include "tree/fold.hpp"

#include "base/noderange.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

namespace drover::tree {
namespace {

constexpr size_t kMaxMessage = 4096;

Answer too_large(std::string message) {
  return Answer::error(Outcome::failed, {Code::too_large, std::move(message), {}, {}});
}

/// Sizes first: equal sizes are rare among different answers, and comparing them is free.
int compare(const std::string& a, const std::string& b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

}  // namespace

uint32_t NameTable::add(std::string_view name) {
  if (const auto known = numbers_.find(name); known != numbers_.end()) return known->second;
  const uint32_t number = size();
  numbers_.emplace(names_.emplace_back(name), number);
  return number;
}

std::optional<uint32_t> NameTable::find(std::string_view name) const {
  const auto known = numbers_.find(name);
  if (known == numbers_.end()) return std::nullopt;
  return known->second;
}

std::string NameTable::fold(const std::vector<uint32_t>& numbers) const {
  std::vector<std::string> names;
  names.reserve(numbers.size());
  for (const uint32_t number : numbers) names.push_back(names_[number]);
  return fold_names(names);
}

Answer Answer::done(std::string result) {
  Answer answer;
  answer.result = std::move(result);
  return answer;
}

Answer Answer::error(Outcome outcome, const Error& why, Retry retry) {
  Answer answer;
  answer.outcome = outcome;
  answer.retry = retry;
  answer.code = why.code;
  answer.message = why.text();
  if (answer.message.size() > kMaxMessage) answer.message.resize(kMaxMessage);
  return answer;
}

CallGroup to_group(const FoldedGroup& group, const NameTable& names) {
  CallGroup out;
  out.outcome = group.answer->outcome;
  out.nodes = names.fold(group.nodes);
  out.count = group.nodes.size();
  if (group.answer->outcome == Outcome::done) {
    out.result = group.answer->result;
  } else {
    out.error = {group.answer->code, group.answer->message, {}, {}};
  }
  return out;
}

bool AnswerFold::Less::operator()(const Answer& a, const Answer& b) const {
  if (a.outcome != b.outcome) return a.outcome < b.outcome;
  if (a.outcome == Outcome::done) return compare(a.result, b.result) < 0;
  if (a.retry != b.retry) return a.retry < b.retry;
  if (a.code != b.code) return a.code < b.code;
  return compare(a.message, b.message) < 0;
}

size_t AnswerFold::group_of(Answer&& answer, size_t nodes) {
  if (answer.outcome != Outcome::done) answer.result.clear();
  if (answer.result.size() > kMaxCallResult) {
    answer =
        too_large(fmt::format("the result is {} bytes long, more than the {} that a call carries",
                              answer.result.size(), kMaxCallResult));
  }
  auto known = index_.find(answer);
  if (known == index_.end() && result_bytes_ + answer.result.size() > kMaxCallResults) {
    answer = too_large("the results of this call together are larger than a call carries");
    known = index_.find(answer);
  }
  totals_.counts.at(static_cast<size_t>(answer.outcome)) += nodes;
  if (known != index_.end()) return known->second;
  result_bytes_ += answer.result.size();
  known = index_.emplace(std::move(answer), groups_.size()).first;
  groups_.push_back({.answer = &known->first, .nodes = {}, .taken = 0});
  return known->second;
}

void AnswerFold::add(uint32_t node, Answer answer) {
  const size_t at = group_of(std::move(answer), 1);
  Group& group = groups_[at];
  if (group.taken == group.nodes.size()) fresh_.push_back(at);
  group.nodes.push_back(node);
}

void AnswerFold::add(const std::vector<uint32_t>& nodes, Answer answer) {
  if (nodes.empty()) return;
  const size_t at = group_of(std::move(answer), nodes.size());
  Group& group = groups_[at];
  if (group.taken == group.nodes.size()) fresh_.push_back(at);
  group.nodes.insert(group.nodes.end(), nodes.begin(), nodes.end());
}

void AnswerFold::sort(std::vector<FoldedGroup>& groups) const {
  struct Sortable {
    const std::string* first;
    FoldedGroup group;
  };
  std::vector<Sortable> sortable;
  sortable.reserve(groups.size());
  for (FoldedGroup& group : groups) {
    const std::string* first = &names_->name(group.nodes.front());
    for (const uint32_t node : group.nodes) {
      if (natural_compare(names_->name(node), *first) < 0) first = &names_->name(node);
    }
    sortable.push_back({first, std::move(group)});
  }
  std::sort(sortable.begin(), sortable.end(), [](const Sortable& a, const Sortable& b) {
    if (a.group.nodes.size() != b.group.nodes.size()) {
      return a.group.nodes.size() > b.group.nodes.size();
    }
    return natural_compare(*a.first, *b.first) < 0;
  });
  for (size_t i = 0; i < groups.size(); ++i) groups[i] = std::move(sortable[i].group);
}

std::vector<FoldedGroup> AnswerFold::all() const {
  std::vector<FoldedGroup> out;
  out.reserve(groups_.size());
  for (const Group& group : groups_) out.push_back({group.answer, group.nodes});
  sort(out);
  return out;
}

std::vector<FoldedGroup> AnswerFold::take_fresh() {
  std::vector<FoldedGroup> out;
  out.reserve(fresh_.size());
  for (const size_t at : fresh_) {
    Group& group = groups_[at];
    out.push_back({group.answer,
                   {group.nodes.begin() + static_cast<ptrdiff_t>(group.taken), group.nodes.end()}});
    group.taken = group.nodes.size();
  }
  fresh_.clear();
  sort(out);
  return out;
}

void AnswerFold::rewind() {
  fresh_.clear();
  for (size_t at = 0; at < groups_.size(); ++at) {
    groups_[at].taken = 0;
    fresh_.push_back(at);
  }
}

void AnswerFold::clear() {
  fresh_.clear();
  groups_.clear();
  index_.clear();
  totals_ = {};
  result_bytes_ = 0;
}

}  // namespace drover::tree
