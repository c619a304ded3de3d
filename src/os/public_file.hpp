// A file that every program of the host may read, put in the place of the last as one step.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace drover::os {

/// Writes "PATH.new" with mode 0644, whatever the umask, and renames it. Not made durable: it is
/// for what is made anew at every start, in a folder that need not survive one.
Status write_public_file(const std::string& path, std::string_view bytes);

}  // namespace drover::os
