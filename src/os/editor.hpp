// A text in the user's editor, as visudo and git do it.
#pragma once

#include "base/result.hpp"

#include <string>

namespace drover::os {

/// Writes `text` to a private file (mode 0600) in $TMPDIR or /tmp, runs `editor` (a shell command)
/// on it with this process's terminal, waits for it, and returns what the file holds then. The file
/// is removed. cancelled when the editor ends with a status other than 0; io.
Result<std::string> edit_text(const std::string& text, const std::string& editor);

}  // namespace drover::os
