#include "boot/image/oci.hpp"

#include "base/describe.hpp"
#include "boot/image/blob_store.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace drover::boot::image {
namespace {

constexpr size_t kMostDocument = size_t{4} << 20;
constexpr size_t kMostLayers = 512;
constexpr int kMostNesting = 3;
constexpr std::string_view kRefName = "org.opencontainers.image.ref.name";

struct Platform {
  static constexpr std::string_view kTypeName = "OciPlatform";
  std::string architecture;
  std::string os;
  void describe(Visitor& v) {
    v.field("architecture", architecture, "", Presence::optional);
    v.field("os", os, "", Presence::optional);
  }
};

struct Descriptor {
  static constexpr std::string_view kTypeName = "OciDescriptor";
  std::string media_type;
  std::string digest;
  uint64_t size = 0;
  std::optional<Platform> platform;
  std::map<std::string, std::string> annotations;
  void describe(Visitor& v) {
    v.field("mediaType", media_type, "", Presence::optional);
    v.field("digest", digest, "");
    v.field("size", size, "");
    v.field("platform", platform, "", Presence::optional);
    v.field("annotations", annotations, "", Presence::optional);
  }
};

struct Index {
  static constexpr std::string_view kTypeName = "OciIndex";
  std::vector<Descriptor> manifests;
  void describe(Visitor& v) { v.field("manifests", manifests, ""); }
};

struct Manifest {
  static constexpr std::string_view kTypeName = "OciManifest";
  std::vector<Descriptor> layers;
  void describe(Visitor& v) { v.field("layers", layers, ""); }
};

Result<OciBlob> blob_of(const Descriptor& descriptor) {
  constexpr std::string_view kAlgorithm = "sha256:";
  OciBlob out;
  if (!descriptor.digest.starts_with(kAlgorithm)) {
    return fail(Code::unsupported, fmt::format("the digest '{}' is no SHA-256", descriptor.digest));
  }
  out.sha256 = descriptor.digest.substr(kAlgorithm.size());
  constexpr size_t kDigits = 64;
  if (out.sha256.size() != kDigits ||
      out.sha256.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return fail(Code::corrupt, fmt::format("the digest '{}' is none", descriptor.digest));
  }
  out.media_type = descriptor.media_type;
  out.size = descriptor.size;
  if (descriptor.platform) {
    // Attestations of builders are kept beside images as "unknown".
    out.arch = descriptor.platform->architecture;
  }
  const auto tag = descriptor.annotations.find(std::string(kRefName));
  if (tag != descriptor.annotations.end()) out.tag = tag->second;
  return out;
}

Result<std::vector<OciBlob>> blobs_of(const std::vector<Descriptor>& descriptors) {
  std::vector<OciBlob> out;
  if (descriptors.size() > kMostLayers) return fail(Code::too_large, "it names too many parts");
  for (const Descriptor& descriptor : descriptors) {
    DROVER_TRY(OciBlob blob, blob_of(descriptor));
    out.push_back(std::move(blob));
  }
  return out;
}

std::string_view oci_arch(std::string_view arch) {
  if (arch == "x86_64") return "amd64";
  if (arch == "aarch64") return "arm64";
  return arch;
}

bool is_index(std::string_view media_type) {
  return media_type == "application/vnd.oci.image.index.v1+json" ||
         media_type == "application/vnd.docker.distribution.manifest.list.v2+json";
}

Status check_layer(const OciBlob& layer) {
  const std::string_view type = layer.media_type;
  const bool tar = type.find("layer") != std::string_view::npos ||
                   type.find("rootfs.diff") != std::string_view::npos;
  if (tar && type.find("encrypted") == std::string_view::npos) return {};
  return fail(
      Code::unsupported,
      fmt::format("the layer {} is of the kind '{}', which is no archive", layer.sha256, type),
      "drover image import takes images of containers, not other artifacts");
}

/// A document of a layout, checked against its digest.
Result<std::string> read_document(Disk& disk, const std::string& layout, const OciBlob& blob) {
  if (blob.size > kMostDocument) return fail(Code::too_large, blob.sha256 + " is no manifest");
  DROVER_TRY(std::string text, disk.read_all(oci_path(layout, blob), kMostDocument));
  const std::string found = net::sha256_hex(text);
  if (found == blob.sha256) return text;
  return fail(Code::corrupt,
              fmt::format("the blob {} holds something else: {}", blob.sha256, found));
}

/// Of the entries of an index the one that is meant.
Result<OciBlob> choose(std::vector<OciBlob> entries, std::string_view arch,
                       const std::string& tag) {
  std::erase_if(entries, [](const OciBlob& it) { return it.arch == "unknown"; });
  if (!tag.empty()) {
    const auto has_tag = [&](const OciBlob& it) {
      return it.tag == tag || it.tag.ends_with(":" + tag);
    };
    if (std::ranges::any_of(entries, [](const OciBlob& it) { return !it.tag.empty(); })) {
      std::erase_if(entries, [&](const OciBlob& it) { return !has_tag(it); });
    }
  }
  const auto fits = [&](const OciBlob& it) { return it.arch.empty() || it.arch == oci_arch(arch); };
  if (entries.size() > 1) std::erase_if(entries, [&](const OciBlob& it) { return !fits(it); });
  if (entries.size() == 1) return entries.front();
  if (entries.empty()) {
    return fail(Code::not_found,
                tag.empty() ? fmt::format("the layout has no image for {}", arch)
                            : fmt::format("the layout has no image '{}' for {}", tag, arch));
  }
  std::vector<std::string> tags;
  for (const OciBlob& it : entries) tags.push_back(it.tag.empty() ? it.sha256 : it.tag);
  return fail(Code::conflict,
              fmt::format("the layout has several images: {}", fmt::join(tags, ", ")),
              "name one with --tag");
}

}  // namespace

std::string oci_path(const std::string& layout, const OciBlob& blob) {
  return fmt::format("{}/blobs/sha256/{}", layout, blob.sha256);
}

Result<std::vector<OciBlob>> read_oci_index(std::string_view text) {
  DROVER_TRY(const Index index, decode_text<Index>(text, Unknown::ignore));
  return blobs_of(index.manifests);
}

Result<std::vector<OciBlob>> read_oci_manifest(std::string_view text) {
  DROVER_TRY(const Manifest manifest, decode_text<Manifest>(text, Unknown::ignore));
  return blobs_of(manifest.layers);
}

Result<std::vector<OciBlob>> find_oci_layers(Disk& disk, const std::string& layout,
                                             std::string_view arch, const std::string& tag,
                                             Callback<void(std::string_view)>& step) {
  DROVER_TRY(std::string text, disk.read_all(layout + "/index.json", kMostDocument));
  auto entries = read_oci_index(text);
  if (!entries) return fail_in(layout + "/index.json", std::move(entries).error());
  DROVER_TRY(OciBlob chosen, choose(*std::move(entries), arch, tag));
  for (int nesting = 0; is_index(chosen.media_type); ++nesting) {
    if (nesting == kMostNesting) return fail(Code::corrupt, "indexes name each other without end");
    DROVER_TRY(text, read_document(disk, layout, chosen));
    DROVER_TRY(auto inner, read_oci_index(text));
    DROVER_TRY(chosen, choose(std::move(inner), arch, {}));
  }
  DROVER_TRY(text, read_document(disk, layout, chosen));
  auto layers = read_oci_manifest(text);
  if (!layers) return fail_in("the manifest " + chosen.sha256, std::move(layers).error());
  if (layers->empty()) return fail(Code::corrupt, "the image has no layers");
  for (size_t i = 0; i < layers->size(); ++i) {
    const OciBlob& layer = (*layers)[i];
    DROVER_CHECK_OK(check_layer(layer));
    if (step) step(fmt::format("checking layer {} of {}", i + 1, layers->size()));
    DROVER_TRY(const Blob found, measure_file(disk, oci_path(layout, layer)));
    if (found == Blob{layer.sha256, layer.size}) continue;
    return fail(Code::corrupt,
                fmt::format("the layer {} holds something else: {} bytes with the SHA-256 {}",
                            layer.sha256, found.size, found.sha256),
                "fetch the image again");
  }
  return std::move(*layers);
}

}  // namespace drover::boot::image
