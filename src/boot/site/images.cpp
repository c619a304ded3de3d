#include "boot/site/images.hpp"

#include <fmt/format.h>

namespace drover::boot {

Result<BootImage> ModelImages::find(const std::string& reference) const {
  DROVER_TRY(const auto parsed, cluster::ImageReference::parse("image", reference));
  const auto it = model_.images().find(parsed.name);
  if (it == model_.images().end()) {
    return fail(Code::not_found, fmt::format("there is no image '{}'", parsed.name),
                "drover image list shows all of them");
  }
  DROVER_TRY(const cluster::ImageVersion* const version, find_version(it->second.value, parsed));
  BootImage out;
  out.name = reference;
  out.digest = version->digest;
  out.arch = version->arch;
  out.kernel = {version->kernel.sha256, version->kernel.size, version->kernel.version};
  for (const auto& initrd : version->initrds) {
    out.initrds.push_back({initrd.sha256, initrd.size, initrd.what});
  }
  if (version->root) {
    out.root = BootBlob{version->root->sha256, version->root->size, version->root->format};
  }
  return out;
}

}  // namespace drover::boot
