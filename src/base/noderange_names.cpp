// What a noderange refers to, without evaluating it.
#include "base/noderange_ast.hpp"

#include <algorithm>

namespace drover {
namespace noderange {
namespace {

void add(std::vector<std::string>& to, std::string_view name) {
  if (std::ranges::find(to, name) == to.end()) to.emplace_back(name);
}

void gather(const Expression& expression, RangeNames& out) {
  std::vector<std::string> made;
  switch (expression.kind) {
    case Kind::word:
      add(out.words, expression.text);
      break;
    case Kind::quoted:
      add(out.words, expression.value);
      break;
    case Kind::group:
      add(out.groups, expression.value);
      break;
    case Kind::group_pattern:
      append_names(*expression.pattern, made);
      for (const std::string& group : made) add(out.groups, group);
      break;
    case Kind::attribute:
      add(out.attributes, expression.text);
      break;
    case Kind::pattern:
    case Kind::regex:
    case Kind::all:
      break;
    case Kind::chain:
      for (const Expression& operand : expression.operands) gather(operand, out);
      break;
  }
}

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
  noderange::gather(*parsed, out);
  return out;
}

}  // namespace drover
