#include "base/roff.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace drover::roff {
namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

}  // namespace

std::string plain(std::string_view text) {
  std::string out;
  bool at_begin = true;
  for (const char c : text) {
    if (at_begin && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out.push_back(c);
    }
    at_begin = c == '\n';
  }
  return out;
}

std::string bold(std::string_view text) {
  return fmt::format("\\fB{}\\fR", plain(text));
}

std::string italic(std::string_view text) {
  return fmt::format("\\fI{}\\fR", plain(text));
}

std::string title(std::string_view name, std::string_view section, std::string_view source) {
  return fmt::format(".TH {} {} \"\" \"{}\" \"Drover Manual\"\n", plain(upper(name)), section,
                     plain(source));
}

std::string section(std::string_view name) {
  return fmt::format(".SH {}\n", plain(upper(name)));
}

std::string subsection(std::string_view name) {
  return fmt::format(".SS {}\n", plain(name));
}

std::string item(std::string_view term, std::string_view text) {
  return fmt::format(".TP\n{}\n{}\n", term, text.empty() ? "\\&" : plain(text));
}

std::string example(std::string_view lines) {
  return fmt::format(".PP\n.nf\n.RS\n{}{}.RE\n.fi\n", plain(lines),
                     lines.ends_with('\n') ? "" : "\n");
}

}  // namespace drover::roff
