// What a noderange refers to, without evaluating it.
#include "base/noderange_ast.hpp"

#include <algorithm>
#include <unordered_set>

namespace drover {
namespace noderange {
namespace {

/// Names in the order of their appearance, each once.
class Names {
 public:
  explicit Names(std::vector<std::string>& to) : to_(to) {}
  void add(std::string_view name) {
    if (seen_.emplace(name).second) to_.emplace_back(name);
  }

 private:
  std::vector<std::string>& to_;
  std::unordered_set<std::string> seen_;
};

class Gatherer {
 public:
  explicit Gatherer(RangeNames& out)
      : groups_(out.groups), words_(out.words), attributes_(out.attributes) {}

  void gather(const Expression& expression) {
    std::vector<std::string> made;
    switch (expression.kind) {
      case Kind::word:
        words_.add(expression.text);
        for (const std::string_view word : expression.more) words_.add(word);
        break;
      case Kind::quoted:
        words_.add(expression.value);
        break;
      case Kind::group:
        groups_.add(expression.value);
        break;
      case Kind::group_pattern:
        append_names(*expression.pattern, made);
        for (const std::string& group : made) groups_.add(group);
        break;
      case Kind::attribute:
        attributes_.add(expression.text);
        break;
      case Kind::pattern:
      case Kind::regex:
      case Kind::all:
        break;
      case Kind::chain:
        for (const Expression& operand : expression.operands) gather(operand);
        break;
    }
  }

 private:
  Names groups_;
  Names words_;
  Names attributes_;
};

size_t count_group_names(const Expression& expression) {
  if (expression.kind == Kind::group_pattern) return count_of(*expression.pattern);
  size_t count = 0;
  for (const Expression& operand : expression.operands) {
    count = std::min(count + count_group_names(operand), kMaxRangeNames + 1);
  }
  return count;
}

}  // namespace
}  // namespace noderange

Result<RangeNames> names_in(std::string_view range) {
  RangeNames out;
  if (range.empty()) return out;
  const auto parsed = noderange::parse(range);
  if (!parsed) return tl::unexpected(noderange::mistake_error(range, parsed.error()));
  // Far above what a range says on purpose, and below what takes long.
  constexpr size_t kMostGroups = 10'000;
  if (noderange::count_group_names(*parsed) > kMostGroups) {
    return fail(Code::too_large, "noderange: it names more than 10,000 groups");
  }
  noderange::Gatherer(out).gather(*parsed);
  return out;
}

}  // namespace drover
