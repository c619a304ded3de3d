// Evaluates a noderange's tree to a sorted set of names, with or without a cluster's knowledge.
#include "base/natural_sort.hpp"
#include "base/noderange_ast.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

#include <fmt/core.h>

namespace drover::noderange {
namespace {

using Names = std::vector<std::string>;

/// Names that one evaluation may touch over all its steps, so that a long chain of operators on a
/// large set is refused rather than computed for minutes.
constexpr size_t kMaxWork = 20'000'000;

void normalise(Names& names) {
  const auto unordered = [](const std::string& a, const std::string& b) {
    return natural_compare(a, b) >= 0;
  };
  if (std::adjacent_find(names.begin(), names.end(), unordered) == names.end()) return;
  sort_natural(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
}

Names combine(SetOperator by, Names& left, Names& right) {
  Names out;
  const auto l = std::make_move_iterator(left.begin());
  const auto l_end = std::make_move_iterator(left.end());
  const auto r = std::make_move_iterator(right.begin());
  const auto r_end = std::make_move_iterator(right.end());
  const auto to = std::back_inserter(out);
  switch (by) {
    case SetOperator::unite:
      std::set_union(l, l_end, r, r_end, to, NaturalLess{});
      break;
    case SetOperator::subtract:
      std::set_difference(l, l_end, r, r_end, to, NaturalLess{});
      break;
    case SetOperator::differ:
      std::set_symmetric_difference(l, l_end, r, r_end, to, NaturalLess{});
      break;
    case SetOperator::intersect:
      std::set_intersection(l, l_end, r, r_end, to, NaturalLess{});
      break;
  }
  return out;
}

bool ordered_as(Compare compare, int order) {
  switch (compare) {
    case Compare::less:
      return order < 0;
    case Compare::less_equal:
      return order <= 0;
    case Compare::greater:
      return order > 0;
    default:
      return order >= 0;
  }
}

std::optional<double> to_double(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool compares(const Expression& with, std::string_view value) {
  switch (with.compare) {
    case Compare::equal:
      return value == with.value;
    case Compare::not_equal:
      return value != with.value;
    case Compare::matches:
      return with.regex->matches(value);
    case Compare::differs:
      return !with.regex->matches(value);
    default:
      break;
  }
  if (value.empty()) return false;  // what is not known is neither more nor less
  const auto left = to_double(value);
  const auto right = to_double(with.value);
  if (left && right) return ordered_as(with.compare, (*left > *right) - (*left < *right));
  return ordered_as(with.compare, natural_compare(value, with.value));
}

/// A list, joined by commas: one of its values fits, or, for != and !~, all of them do.
bool compares_list(const Expression& with, std::string_view values) {
  const bool all = with.compare == Compare::not_equal || with.compare == Compare::differs;
  for (;;) {
    const size_t comma = values.find(',');
    if (compares(with, values.substr(0, comma)) != all) return !all;
    if (comma == std::string_view::npos) return all;
    values.remove_prefix(comma + 1);
  }
}

class Evaluator {
 public:
  Evaluator(std::string_view text, const NodeNames* names) : text_(text), names_(names) {}

  Result<Names> run(const Expression& expression) {
    DROVER_TRY(Names out, set_of(expression));
    if (unknown_.empty()) return out;
    const char* what = unknown_.size() == 1 ? "name" : "names";
    return fail(Code::not_found,
                fmt::format("noderange: unknown {}: {}", what, fold_names(unknown_)),
                "drover node list   shows every node");
  }

 private:
  tl::unexpected<Error> wrong(size_t offset, std::string what) const {
    return tl::unexpected(mistake_error(text_, {offset, std::move(what)}));
  }

  Status charge(size_t offset, size_t names, size_t held) {
    work_ += names;
    if (held <= kMaxRangeNames && work_ <= kMaxWork) return {};
    Error error = mistake_error(
        text_, {offset, held > kMaxRangeNames ? "more than 1,000,000 names"
                                              : "the range takes too much work to evaluate"});
    error.code = Code::too_large;
    return tl::unexpected(std::move(error));
  }

  Result<Names> set_of(const Expression& expression) {
    Names out;
    if (expression.kind == Kind::chain) {
      DROVER_TRY(out, chain(expression));
    } else {
      DROVER_CHECK_OK(append(expression, out));
      normalise(out);
    }
    return out;
  }

  /// Operators from the left. Runs of unions and of exclusions are gathered first, so that a list
  /// of 100,000 names is sorted once.
  Result<Names> chain(const Expression& expression) {
    Names out;
    Names joining;
    DROVER_CHECK_OK(append(expression.operands.front(), joining));
    size_t i = 0;
    while (i < expression.operators.size()) {
      const SetOperator by = expression.operators[i];
      if (by == SetOperator::unite) {
        DROVER_CHECK_OK(append(expression.operands[++i], joining));
        continue;
      }
      Names right;
      do {
        DROVER_CHECK_OK(append(expression.operands[++i], right));
      } while (by == SetOperator::subtract && i < expression.operators.size() &&
               expression.operators[i] == by);
      DROVER_CHECK_OK(join(expression, SetOperator::unite, out, joining));
      joining.clear();
      DROVER_CHECK_OK(join(expression, by, out, right));
    }
    DROVER_CHECK_OK(join(expression, SetOperator::unite, out, joining));
    return out;
  }

  /// out = out `by` right; `out` is sorted already, `right` not yet.
  Status join(const Expression& at, SetOperator by, Names& out, Names& right) {
    normalise(right);
    if (right.empty() && by != SetOperator::intersect) return {};
    if (out.empty() && by == SetOperator::unite) {
      out = std::move(right);
      return {};
    }
    DROVER_CHECK_OK(charge(at.offset, out.size() + right.size(), out.size()));
    out = combine(by, out, right);
    return charge(at.offset, 0, out.size());
  }

  /// Adds what `expression` names to `out`, in no order, perhaps twice.
  Status append(const Expression& expression, Names& out) {
    switch (expression.kind) {
      case Kind::word:
        return append_words(expression, out);
      case Kind::quoted:
        return append_known(expression.offset, expression.value, out);
      case Kind::pattern:
        return append_pattern(expression.offset, *expression.pattern, out);
      case Kind::group:
        return append_group(expression, expression.value, out);
      case Kind::group_pattern:
        return append_groups(expression, out);
      case Kind::regex:
      case Kind::attribute:
        return append_matching(expression, out);
      case Kind::all:
        return append_all(expression, out);
      case Kind::chain:
        break;
    }
    DROVER_TRY(Names inner, chain(expression));
    DROVER_CHECK_OK(charge(expression.offset, inner.size(), out.size() + inner.size()));
    std::move(inner.begin(), inner.end(), std::back_inserter(out));
    return {};
  }

  /// A node, else an alias, else a group; false when it is none of them.
  Result<bool> resolve(size_t offset, std::string_view name, Names& out) {
    DROVER_CHECK_OK(charge(offset, 1, out.size() + 1));
    if (names_ == nullptr || names_->is_node(name)) {
      out.emplace_back(name);
      return true;
    }
    if (auto node = names_->node_of_alias(name)) {
      out.push_back(*std::move(node));
      return true;
    }
    auto members = names_->members(name);
    if (!members) return false;
    DROVER_CHECK_OK(charge(offset, members->size(), out.size() + members->size()));
    std::move(members->begin(), members->end(), std::back_inserter(out));
    return true;
  }

  Status append_known(size_t offset, std::string_view name, Names& out) {
    DROVER_TRY(const bool known, resolve(offset, name, out));
    if (!known) unknown_.emplace_back(name);
    return {};
  }

  Status append_words(const Expression& at, Names& out) {
    DROVER_CHECK_OK(append_word(at.offset, at.text, out));
    out.reserve(std::max(out.capacity(), out.size() + at.more.size()));
    for (const std::string_view word : at.more) {
      DROVER_CHECK_OK(append_word(static_cast<size_t>(word.data() - text_.data()), word, out));
    }
    return {};
  }

  Status append_word(size_t offset, std::string_view word, Names& out) {
    const bool dashed = word.find('-') != std::string_view::npos;
    if (!dashed) return append_known(offset, word, out);
    if (names_ != nullptr) {
      DROVER_TRY(const bool known, resolve(offset, word, out));
      if (known) return {};
    }
    auto span = parse_span(word, '-');
    if (!span) return append_known(offset, word, out);
    if (!*span) return wrong(offset, std::move(*span).error().what);
    return append_pattern(offset, **span, out);
  }

  Status append_pattern(size_t offset, const Pattern& pattern, Names& out) {
    const size_t count = count_of(pattern);
    DROVER_CHECK_OK(charge(offset, count, out.size() + count));
    out.reserve(std::max(out.capacity(), out.size() + count));
    if (names_ == nullptr) {
      append_names(pattern, out);
      return {};
    }
    Names made;
    made.reserve(count);
    append_names(pattern, made);
    for (std::string& name : made) {
      if (names_->is_node(name)) {
        out.push_back(std::move(name));
      } else {
        DROVER_CHECK_OK(append_known(offset, name, out));
      }
    }
    return {};
  }

  Status needs_cluster(const Expression& at) const {
    if (names_ != nullptr) return {};
    return wrong(at.offset, "groups, *, regular expressions and attributes need a cluster to ask");
  }

  Status append_group(const Expression& at, std::string_view group, Names& out) {
    DROVER_CHECK_OK(needs_cluster(at));
    auto members = names_->members(group);
    if (!members) {
      unknown_.push_back("@" + std::string(group));
      return {};
    }
    DROVER_CHECK_OK(charge(at.offset, members->size(), out.size() + members->size()));
    std::move(members->begin(), members->end(), std::back_inserter(out));
    return {};
  }

  Status append_groups(const Expression& at, Names& out) {
    DROVER_CHECK_OK(needs_cluster(at));
    const size_t count = count_of(*at.pattern);
    DROVER_CHECK_OK(charge(at.offset, count, count));
    Names groups;
    append_names(*at.pattern, groups);
    for (const std::string& group : groups) DROVER_CHECK_OK(append_group(at, group, out));
    return {};
  }

  Status append_all(const Expression& at, Names& out) {
    DROVER_CHECK_OK(needs_cluster(at));
    Names all = names_->all();
    DROVER_CHECK_OK(charge(at.offset, all.size(), out.size() + all.size()));
    std::move(all.begin(), all.end(), std::back_inserter(out));
    return {};
  }

  Status append_matching(const Expression& at, Names& out) {
    DROVER_CHECK_OK(needs_cluster(at));
    const bool by_name = at.kind == Kind::regex;
    if (!by_name && !names_->has_attribute(at.text)) {
      return wrong(at.offset, fmt::format("nodes have no attribute \"{}\"", at.text));
    }
    Names all = names_->all();
    const size_t effort = at.regex ? 1 + at.regex->size() / 16 : 1;
    DROVER_CHECK_OK(charge(at.offset, all.size() * effort, out.size()));
    const bool list = !by_name && names_->is_list(at.text);
    for (std::string& node : all) {
      const auto value = by_name ? std::string() : names_->attribute(node, at.text).value_or("");
      const bool in = by_name ? at.regex->matches(node)
                      : list  ? compares_list(at, value)
                              : compares(at, value);
      if (in) out.push_back(std::move(node));
    }
    return charge(at.offset, 0, out.size());
  }

  std::string_view text_;
  const NodeNames* names_;
  Names unknown_;
  size_t work_ = 0;
};

Result<Names> evaluate(std::string_view text, const NodeNames* names) {
  auto parsed = parse(text);
  if (!parsed) {
    Error error = mistake_error(text, parsed.error());
    if (text.size() > kMaxRangeText) error.code = Code::too_large;
    return tl::unexpected(std::move(error));
  }
  return Evaluator(text, names).run(*parsed);
}

}  // namespace
}  // namespace drover::noderange

namespace drover {

Result<std::vector<std::string>> evaluate(std::string_view range, const NodeNames& names) {
  if (range.find_first_not_of(" \t\r\n,") == std::string_view::npos) {
    return fail(Code::invalid_argument, "the noderange is empty", "write * for all nodes");
  }
  return noderange::evaluate(range, &names);
}

Result<std::vector<std::string>> expand_names(std::string_view range) {
  if (range.find_first_not_of(" \t\r\n,") == std::string_view::npos) {
    return std::vector<std::string>{};
  }
  return noderange::evaluate(range, nullptr);
}

Result<size_t> count_names(std::string_view range) {
  DROVER_TRY(const auto names, expand_names(range));
  return names.size();
}

}  // namespace drover
