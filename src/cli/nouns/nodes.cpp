// drover nodes: noderanges expanded, folded, counted.
#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

using Names = std::vector<std::string>;

Result<Names> nodes_of(Context& context, const std::string& range, bool offline) {
  if (!offline) return ask_nodes(context, range);
  DROVER_CHECK_OK(check_range(range));
  auto names = expand_names(range);
  if (names) return names;
  Error error = std::move(names).error();
  if (error.message.find("need a cluster") != std::string::npos) {
    error.next = "leave out --offline to ask the cluster";
  }
  return tl::unexpected(std::move(error));
}

/// What one range has and the other has not.
struct Difference {
  Names less;  ///< only in NODERANGE
  Names more;  ///< only in --diff's
};

Difference difference_of(const Names& names, const Names& other) {
  Difference out;
  std::set_difference(names.begin(), names.end(), other.begin(), other.end(),
                      std::back_inserter(out.less), NaturalLess{});
  std::set_difference(other.begin(), other.end(), names.begin(), names.end(),
                      std::back_inserter(out.more), NaturalLess{});
  return out;
}

Result<Difference> asked_difference(Context& context, const Given& given, const Names& names) {
  DROVER_TRY(const Names other, nodes_of(context, given.text("diff"), given.has("offline")));
  return difference_of(names, other);
}

/// One line a name: "- n1" of those that only the range has, "+ n9" of those that only the other
/// one has.
Result<int> print_difference(Context& context, const Difference& difference) {
  json::array items;
  std::string text;
  const auto add = [&](const Names& names, std::string_view sign) {
    for (const std::string& name : names) {
      items.push_back(json::object{{"name", name}, {"side", sign}});
      text += fmt::format("{} {}\n", sign, printable(name));
    }
  };
  add(difference.less, "-");
  add(difference.more, "+");
  if (!context.for_people() || !context.output().columns.empty()) {
    return context.print_list(std::move(items), {{{"SIDE", "side"}, {"NODE", "name"}}});
  }
  context.print(text);
  return 0;
}

Result<int> expand(Context& context, const Given& given) {
  DROVER_TRY(const auto names, nodes_of(context, given.text("noderange"), given.has("offline")));
  if (given.has("diff")) {
    DROVER_TRY(const Difference difference, asked_difference(context, given, names));
    return print_difference(context, difference);
  }
  json::array items;
  std::string text;
  for (const std::string& name : names) {
    items.push_back(json::object{{"name", name}});
    text += printable(name) + "\n";
  }
  const bool plain = context.for_people() && context.output().columns.empty();
  if (!plain) return context.print_list(std::move(items), {{{"NODE", "name"}}});
  context.print(text);
  return 0;
}

Result<int> count(Context& context, const Given& given) {
  DROVER_TRY(const auto names, nodes_of(context, given.text("noderange"), given.has("offline")));
  if (given.has("diff")) {
    DROVER_TRY(const Difference difference, asked_difference(context, given, names));
    if (!context.for_people()) {
      return context.print_document(
          json::object{{"less", difference.less.size()}, {"more", difference.more.size()}});
    }
    context.print(fmt::format("- {}\n+ {}\n", difference.less.size(), difference.more.size()));
    return 0;
  }
  if (!context.for_people()) return context.print_document(json::object{{"count", names.size()}});
  context.print(fmt::format("{}\n", names.size()));
  return 0;
}

/// Plain names need no cluster; groups, expressions and attributes do.
Result<Names> names_in(Context& context, const std::string& text, bool offline) {
  auto names = expand_names(text);
  if (names || find_mistake(text)) return names;
  return nodes_of(context, text, offline);
}

Result<int> fold(Context& context, const Given& given) {
  const bool offline = given.has("offline");
  const FoldOptions options{.steps = given.has("steps")};
  Names names;
  for (std::string text : given.all("name")) {
    if (text == "-") {
      DROVER_TRY(text, context.surroundings().input());
      // Lines and blanks part names in a pipe; in a range they are commas.
      for (char& c : text) {
        if (c == '\n' || c == ' ' || c == '\t' || c == '\r') c = ',';
      }
    }
    DROVER_TRY(Names more, names_in(context, text, offline));
    std::move(more.begin(), more.end(), std::back_inserter(names));
  }
  const std::string folded = fold_names(names, options);
  if (given.has("diff")) {
    DROVER_TRY(const Names all, expand_names(folded));
    DROVER_TRY(const Names other, names_in(context, given.text("diff"), offline));
    const Difference difference = difference_of(all, other);
    const std::string less = fold_names(difference.less, options);
    const std::string more = fold_names(difference.more, options);
    if (!context.for_people()) {
      return context.print_document(json::object{{"less", less}, {"more", more}});
    }
    context.print(fmt::format("- {}\n+ {}\n", printable(less), printable(more)));
    return 0;
  }
  if (!context.for_people()) return context.print_document(json::object{{"nodes", folded}});
  context.print(printable(folded) + "\n");
  return 0;
}

const Parameter& range_parameter() {
  static const Parameter range{"noderange", Kind::required,
                               "n[1-8], rack1,-n3, compute@~^n1, gpu.count>=4, .."};
  return range;
}
const Parameter& offline_parameter() {
  static const Parameter offline{"offline", Kind::flag,
                                 "By syntax alone: no cluster is asked, every name is a node"};
  return offline;
}
const Parameter& diff_parameter() {
  static const Parameter diff{"diff", Kind::option,
                              "Show what differs from this range: - only here, + only there"};
  return diff;
}

}  // namespace

std::vector<Command> nodes_commands() {
  return {
      {"nodes",
       "expand",
       "List the nodes of a noderange, one a line",
       {range_parameter(), diff_parameter(), offline_parameter()},
       {"drover nodes expand 'rack[1-2],-n3'", "drover nodes expand 'compute@phase.state=lost'",
        "drover nodes expand --offline 'r[1-2]u[01-40]'"},
       expand},
      {"nodes",
       "fold",
       "Write node names as one short noderange",
       {{"name", Kind::many, "Names or noderanges; - reads them from standard input"},
        {"steps", Kind::flag, "Use steps: n[1-9/2]"},
        diff_parameter(),
        offline_parameter()},
       {"drover nodes fold n1 n2 n3", "drover nodes fold 'rack1' --diff 'service=in_service'",
        "drover node list -o name | drover nodes fold -"},
       fold},
      {"nodes",
       "count",
       "Count the nodes of a noderange",
       {range_parameter(), diff_parameter(), offline_parameter()},
       {"drover nodes count 'service.state=in_service'"},
       count},
  };
}

}  // namespace drover::cli
