// Templates of boot scripts. They say what they mean or are refused: an unknown variable, and one
// that has no value, is an error that names template and line.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// What a template may say, and what it stands for: the table of the manual.
/// What begins a template for iPXE; any other is one for GRUB.
inline constexpr std::string_view kIpxeStart = "#!ipxe";

struct BootVariableRow {
  std::string_view name;
  std::string_view help;
};
const std::vector<BootVariableRow>& boot_variables();
/// As rows of a table in Markdown.
std::string boot_variables_markdown();

/// BootValues by name. `initrds` has one map for each, with initrd.name and the like.
struct BootValues {
  using Map = std::map<std::string, std::string, std::less<>>;
  Map all;
  std::vector<Map> initrds;
};

/// A parsed template.
///
///     {{NAME}}                    the value of a variable
///     {{if NAME}} .. {{end}}      only where it has a value
///     {{each initrds}} .. {{end}} once for each initrd, which initrd.NAME then is about
///
/// A line with nothing but if, each or end leaves no line behind. All other text, `${..}` of iPXE
/// among it, is copied. Immutable.
class BootTemplate {
 public:
  /// Longest text, in bytes, and deepest nesting.
  static constexpr size_t kMaxText = size_t{64} << 10;
  static constexpr size_t kMaxDepth = 8;

  /// invalid_argument: "template lean, line 7: there is no variable 'kernal'; did you mean ..".
  static Result<BootTemplate> parse(std::string_view name, std::string_view text);

  /// invalid_argument when a variable outside {{if}} has no value.
  [[nodiscard]] Result<std::string> render(const BootValues& values) const;
  [[nodiscard]] const std::string& name() const { return name_; }
  /// The attributes of the node that it names as attr.NAME, sorted, each once.
  [[nodiscard]] std::vector<std::string> attributes() const;

 private:
  enum class Kind { text, variable, if_set, each_initrd, end };
  struct Part {
    Kind kind = Kind::text;
    std::string text;  ///< the text, or the variable's name
    size_t line = 0;
    size_t end = 0;  ///< of if and each: the index of their end
  };
  struct Parser;
  Status render_parts(const BootValues& values, const BootValues::Map* initrd, size_t from,
                      size_t to, std::string& out) const;

  std::string name_;
  std::vector<Part> parts_;
};

}  // namespace drover::cluster
