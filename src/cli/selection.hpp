// --filter and --sort: which items of a list are shown, and in which order. Pure.
#pragma once

#include "base/json.hpp"
#include "base/result.hpp"
#include "base/text_pattern.hpp"
#include "cli/output.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cli {

/// One test of a field, such as phase.state=up, gpus>=4 or name!~"^login".
struct FieldTest {
  enum class Compare {
    equal,
    not_equal,
    matches,
    differs,
    less,
    less_equal,
    greater,
    greater_equal
  };
  std::string path;  ///< dotted, or a column's title
  Compare compare = Compare::equal;
  std::string value;
  std::optional<TextPattern> pattern;  ///< of matches and differs
};

/// PATH OP VALUE with OP one of = == != < <= > >= =~ !~; VALUE may be in double quotes, with \" and
/// \\ inside. invalid_argument names the text and what is missing.
Result<FieldTest> parse_field_test(std::string_view text);

/// Whether the item passes: as numbers where both are, else in natural order; a list passes = and
/// =~ when one of its elements does; what is absent is "" and neither less nor greater.
bool passes(const json::value& item, const FieldTest& test);

/// The same test for the server, in the grammar of noderanges: phase.state="up".
std::string range_text(const FieldTest& test);

/// A key of --sort.
struct SortKey {
  std::string path;
  bool descending = false;
};
/// "[-]PATH[,..]".
Result<std::vector<SortKey>> parse_sort(std::string_view text);

/// Keeps what passes every test, then sorts stably: numbers as numbers, texts in natural order,
/// absent ones last. A column's title of `view` stands for its path. invalid_argument for a name
/// that is no column and that no item has. What is kept is moved, not copied.
Result<json::array> refine(json::array items, const ListView& view,
                           const std::vector<FieldTest>& tests, const std::vector<SortKey>& keys);

/// The column's path when `name` is a title of `view` (in any case); "spec.nid" for "nid" where the
/// view's kind has the field there alone; else `name` itself.
std::string path_of(std::string_view name, const ListView& view);

/// Ok when `path` is a column of `view` or some item has it; else invalid_argument with the nearest
/// column. `option` is what asked, for the message.
Status check_path(std::string_view option, std::string_view path, const json::array& items,
                  const ListView& view);
/// The same where `count` items have been looked at, and none has it.
Status check_unseen(std::string_view option, std::string_view path, size_t count,
                    const ListView& view);

}  // namespace drover::cli
