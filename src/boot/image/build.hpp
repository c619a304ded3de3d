// Builds a root from a recipe and makes an image of it.
#pragma once

#include "boot/image/import.hpp"
#include "boot/image/recipe.hpp"

#include <string>

namespace drover::boot::image {

/// Makes the root below the image folder, imports it as `request` says (its source is set here) and
/// removes it. Blocks for minutes; needs root. not_found when the recipe's builder is not
/// installed, with how to install it; io with the end of what the builder said. Each step that the
/// builder tells is an event.
Result<Imported> build_image(Disk& disk, BlobStore& blobs, const Recipe& recipe,
                             const std::string& recipe_dir, ImportRequest request,
                             ImportEvents& events, WallTime now);

}  // namespace drover::boot::image
