// Changes of images, each inside one store mutation. What they refuse changes nothing.
#pragma once

#include "base/result.hpp"
#include "cluster/image.hpp"
#include "store/store.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace drover::cluster {

/// The image as it is in the transaction; not_found with a hint.
Result<Image> read_image(store::Transaction& tx, const std::string& name);

/// Makes `version` the current one of the image, which is made when it is new. The one before goes
/// to the history; the same digest again keeps the version that is there. Tags stay; beyond
/// kImageHistory the oldest versions without a tag are forgotten. An empty description keeps the
/// old one. Returns the image as it is then.
Result<Image> put_image_version(store::Transaction& tx, const std::string& name,
                                const std::string& description, const ImageVersion& version);

/// Replaces the description, where one is given.
Result<Image> describe_image(store::Transaction& tx, const std::string& name,
                             const std::optional<std::string>& description);

/// Lets `tag` mean a version (reference.tag or .digest; neither: the current one).
Result<Image> tag_image(store::Transaction& tx, const ImageReference& version,
                        const std::string& tag);
/// not_found when there is no such tag; conflict while a node boots by it.
Result<Image> untag_image(store::Transaction& tx, const std::string& name, const std::string& tag);

/// Makes an earlier version the current one again; without a tag or digest the one that was current
/// before.
Result<Image> roll_back_image(store::Transaction& tx, const ImageReference& to);

/// Forgets all but the newest `keep` versions of the history and those with a tag. Returns the
/// image as it is then.
Result<Image> prune_image(store::Transaction& tx, const std::string& name, size_t keep);

/// conflict while a node, group or profile names it, saying which.
Status remove_image(store::Transaction& tx, const std::string& name);

}  // namespace drover::cluster
