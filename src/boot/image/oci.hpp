// OCI image layouts (opencontainers/image-spec, v1.1): which layers make an image, each proven by
// its digest.
#pragma once

#include "base/callback.hpp"
#include "base/disk.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drover::boot::image {

/// A blob of a layout, as indexes and manifests name it.
struct OciBlob {
  std::string media_type;
  std::string sha256;  ///< 64 lower-case hex digits
  uint64_t size = 0;
  std::string arch;  ///< of its platform, as OCI says it: "amd64"; empty: not said
  std::string tag;   ///< org.opencontainers.image.ref.name
};

/// The entries of index.json, or of an index that it names. corrupt names the field.
Result<std::vector<OciBlob>> read_oci_index(std::string_view text);
/// The layers of a manifest, the lowest first.
Result<std::vector<OciBlob>> read_oci_manifest(std::string_view text);

/// The layers of the image in a layout, all there and whole: sizes and digests are checked.
/// `arch`: as uname says it, of several platforms. `tag`: of several images; empty: there must be
/// one.
Result<std::vector<OciBlob>> find_oci_layers(Disk& disk, const std::string& layout,
                                             std::string_view arch, const std::string& tag,
                                             Callback<void(std::string_view)>& step);

/// Where a blob lies in a layout.
std::string oci_path(const std::string& layout, const OciBlob& blob);

}  // namespace drover::boot::image
