// What the commands about images share.
#pragma once

#include "cli/command.hpp"
#include "cli/context.hpp"
#include "cluster/image.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace drover::cli {

/// "312.4 MiB".
std::string size_text(uint64_t bytes);
/// --images, else DROVER_IMAGES, else where a manager has them.
std::string image_folder(Context& context, const Given& given);
/// From the cluster; not_found.
Result<cluster::Image> fetch_image(Context& context, const std::string& name);

/// import, verify and gc: commands that work on this host's image folder.
std::vector<Command> image_file_commands();

}  // namespace drover::cli
