// An image: what nodes boot. A kernel, what is unpacked before its root, and the root, each named
// by its content; with the versions that it had before and tags that point at them.
#pragma once

#include "base/clock.hpp"
#include "base/describe.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// Kind of image objects in the store; their key is the image's name.
inline constexpr std::string_view kImageKind = "image";
/// Earlier versions that an image keeps for a rollback, beside those that have a tag.
inline constexpr size_t kImageHistory = 16;
/// Most initrds and most tags of one image.
inline constexpr size_t kMaxInitrds = 8;
inline constexpr size_t kMaxImageTags = 64;
/// Fewest digits of a digest that name a version.
inline constexpr size_t kShortDigest = 8;

/// A file of an image: a blob, by SHA-256 of its content (64 lower-case hex digits).
struct ImageKernel {
  static constexpr std::string_view kTypeName = "ImageKernel";
  std::string sha256;
  uint64_t size = 0;    ///< bytes
  std::string version;  ///< "6.1.0-56-cloud-amd64"
  bool operator==(const ImageKernel&) const = default;
  void describe(Visitor& v);
};

struct ImageInitrd {
  static constexpr std::string_view kTypeName = "ImageInitrd";
  std::string sha256;
  uint64_t size = 0;
  std::string what;  ///< "drover" for Drover's own, else where it came from
  bool operator==(const ImageInitrd&) const = default;
  void describe(Visitor& v);
};

struct ImageRoot {
  static constexpr std::string_view kTypeName = "ImageRoot";
  std::string sha256;
  uint64_t size = 0;
  std::string format = "squashfs";
  bool operator==(const ImageRoot&) const = default;
  void describe(Visitor& v);
};

/// One state of an image. `digest` names what a machine would get: SHA-256 of
/// canonical_image_text(), so that the same files have the same digest, whenever they came.
struct ImageVersion {
  static constexpr std::string_view kTypeName = "ImageVersion";
  std::string digest;
  std::string arch;  ///< as uname says it: "x86_64", "aarch64"
  ImageKernel kernel;
  std::vector<ImageInitrd> initrds;  ///< in the order in which they are loaded
  std::optional<ImageRoot> root;     ///< none: a lean image
  WallTime created{};
  std::string source;  ///< where it came from, for people
  bool operator==(const ImageVersion&) const = default;
  void describe(Visitor& v);
};

/// Body of a store object of kind kImageKind.
struct Image {
  static constexpr std::string_view kTypeName = "Image";
  std::string name;
  std::string description;
  ImageVersion current;                     ///< its fields stand in the image's own object
  std::map<std::string, std::string> tags;  ///< tag to digest
  std::vector<ImageVersion> history;        ///< newest first, without the current one
  bool operator==(const Image&) const = default;
  void describe(Visitor& v);

  /// By full digest; nullptr when it was never there or is forgotten.
  [[nodiscard]] const ImageVersion* find(std::string_view digest) const;
};

/// What is signed by `digest`: the JSON of arch, kernel, initrds and root, compact, in that order.
std::string canonical_image_text(const ImageVersion& version);

/// Checks name, description and the current version with its digest's form; the error names field,
/// value and rule.
Status normalise(Image& image);
Status check_image_version(const ImageVersion& version);

/// "NAME", "NAME:TAG" or "NAME@DIGEST", where DIGEST may be cut to kShortDigest digits.
struct ImageReference {
  std::string name;
  std::string tag;
  std::string digest;
  bool operator==(const ImageReference&) const = default;

  static Result<ImageReference> parse(std::string_view field, std::string_view text);
  [[nodiscard]] std::string text() const;
};

/// The version that a reference means; not_found names what is not there. The pointer is into
/// `image`.
Result<const ImageVersion*> find_version(const Image& image, const ImageReference& reference);

/// Every blob that any version of the image names, each once, sorted.
std::vector<std::string> blobs_of(const Image& image);

}  // namespace drover::cluster
