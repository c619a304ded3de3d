// Manual pages: text for the macros of man(7), as groff and mandoc read them. Pure.
#pragma once

#include <string>
#include <string_view>

namespace drover::roff {

/// Text as it is: backslashes, hyphens and dots or quotes at the begin of a line lose their
/// meaning to the formatter. Newlines stay.
std::string plain(std::string_view text);
/// In bold, in italics: inside a line of text.
std::string bold(std::string_view text);
std::string italic(std::string_view text);

/// ".TH": the first line of a page. `section` is "1" or "8".
std::string title(std::string_view name, std::string_view section, std::string_view source);
/// ".SH" and ".SS".
std::string section(std::string_view name);
std::string subsection(std::string_view name);
/// A term and what it means, indented; `term` is ready for the formatter, `text` is not.
std::string item(std::string_view term, std::string_view text);
/// Lines to be shown as they are.
std::string example(std::string_view lines);

}  // namespace drover::roff
