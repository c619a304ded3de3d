// What others wrote into an OCI layout, and what tar says of their archives: nothing of it names a
// place outside.
#include "boot/image/layer.hpp"
#include "boot/image/oci.hpp"
#include "fuzz.hpp"

#include <string>

namespace {

using drover::fuzz::require;

void check_path(const std::string& path) {
  require(!path.starts_with('/'), "paths are relative");
  require(("/" + path + "/").find("/../") == std::string::npos, "and stay inside");
}

}  // namespace

DROVER_FUZZ_TARGET(input) {
  using namespace drover::boot::image;  // NOLINT(google-build-using-namespace): one program
  for (const auto& read : {read_oci_index(input), read_oci_manifest(input)}) {
    if (!read) continue;
    for (const OciBlob& blob : *read) {
      require(blob.sha256.size() == 64, "digests are digests");
      require(oci_path("/oci", blob).find("..") == std::string::npos, "and name one file");
    }
  }
  const auto entries = read_layer_list(input);
  if (!entries) return;
  for (const LayerEntry& entry : *entries) {
    check_path(entry.path);
    check_path(entry.link);
  }
  const auto plan = plan_layer(*entries, [](const std::string& path) {
    return path.size() % 3 == 0 ? TreeHas::link : TreeHas::folder;
  });
  if (!plan) return;
  for (const std::string& path : plan->remove) {
    check_path(path);
    require(!path.empty(), "the tree itself stays");
  }
  for (const std::string& path : plan->empty) check_path(path);
}
