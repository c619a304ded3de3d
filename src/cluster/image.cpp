#include "cluster/image.hpp"

#include "base/text.hpp"
#include "cluster/field_rules.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

constexpr size_t kDigestDigits = 64;
// Longest text for what an initrd or a version is, in bytes.
constexpr size_t kMaxWhat = 256;
// What a tag may not be called, since a reference without one means it.
constexpr std::string_view kCurrentTag = "current";
constexpr std::array<std::string_view, 4> kArchs{"x86_64", "aarch64", "riscv64", "ppc64le"};

/// What a digest is made of.
struct CanonicalForm {
  static constexpr std::string_view kTypeName = "CanonicalImage";
  ImageVersion version;
  void describe(Visitor& v) {
    v.field("arch", version.arch, "");
    v.field("kernel", version.kernel, "");
    v.field("initrds", version.initrds, "");
    v.field("root", version.root, "");
  }
};

bool is_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Status check_digest(std::string_view field, std::string_view digest) {
  if (digest.size() == kDigestDigits && is_hex(digest)) return {};
  return bad_field(field, digest, "expected a SHA-256 of 64 lower-case hex digits");
}

Status check_blob(const std::string& field, const std::string& sha256, uint64_t size) {
  DROVER_CHECK_OK(check_digest(field + ".sha256", sha256));
  if (size > 0) return {};
  return bad_field(field + ".size", "0", "expected the blob's size in bytes, more than nothing");
}

}  // namespace

void ImageKernel::describe(Visitor& v) {
  v.field("sha256", sha256, "Names the kernel's blob: SHA-256 of its content.");
  v.field("size", size, "Its size in bytes.");
  v.field("version", version, "The kernel's release, as uname -r will say it.", Presence::optional);
}

void ImageInitrd::describe(Visitor& v) {
  v.field("sha256", sha256, "Names the blob: SHA-256 of its content.");
  v.field("size", size, "Its size in bytes.");
  v.field("what", what, "What it is: drover for Drover's own, else where it came from.",
          Presence::optional);
}

void ImageRoot::describe(Visitor& v) {
  v.field("sha256", sha256, "Names the blob: SHA-256 of its content.");
  v.field("size", size, "Its size in bytes.");
  v.field("format", format, "How it is packed: squashfs.", Presence::optional);
}

void ImageVersion::describe(Visitor& v) {
  v.field("digest", digest, "SHA-256 over arch, kernel, initrds and root: the same files have it.",
          Presence::optional);
  v.field("arch", arch, "Machines that can boot it, as uname -m says it.");
  v.field("kernel", kernel, "The kernel.");
  v.field("initrds", initrds, "What the kernel unpacks first, in this order.", Presence::optional);
  v.field("root", root, "The root file system; null: nodes boot it lean, without one.",
          Presence::optional);
  v.field("created", created, "When it was made.", Presence::optional);
  v.field("source", source, "Where it came from.", Presence::optional);
}

void Image::describe(Visitor& v) {
  v.field("name", name, "Name of the image.");
  v.field("description", description, "Free text.", Presence::optional);
  current.describe(v);
  v.field("tags", tags, "Tags with the digest that each one means.", Presence::optional);
  v.field("history", history, "Versions that it had before, newest first.", Presence::optional);
}

const ImageVersion* Image::find(std::string_view wanted) const {
  if (current.digest == wanted) return &current;
  const auto it = std::ranges::find(history, wanted, &ImageVersion::digest);
  return it == history.end() ? nullptr : &*it;
}

std::string canonical_image_text(const ImageVersion& version) {
  return encode(CanonicalForm{version});
}

Status check_image_version(const ImageVersion& version) {
  DROVER_CHECK_OK(check_digest("digest", version.digest));
  if (std::ranges::find(kArchs, version.arch) == kArchs.end()) {
    return bad_field("arch", version.arch, "expected one of x86_64, aarch64, riscv64, ppc64le");
  }
  DROVER_CHECK_OK(check_blob("kernel", version.kernel.sha256, version.kernel.size));
  DROVER_CHECK_OK(check_plain_text("kernel.version", version.kernel.version, kMaxWhat));
  if (version.initrds.size() > kMaxInitrds) {
    return bad_field("initrds", fmt::format("{} of them", version.initrds.size()),
                     fmt::format("expected at most {}", kMaxInitrds));
  }
  for (size_t i = 0; i < version.initrds.size(); ++i) {
    const std::string field = fmt::format("initrds[{}]", i);
    DROVER_CHECK_OK(check_blob(field, version.initrds[i].sha256, version.initrds[i].size));
    DROVER_CHECK_OK(check_plain_text(field + ".what", version.initrds[i].what, kMaxWhat));
  }
  if (version.root) {
    DROVER_CHECK_OK(check_blob("root", version.root->sha256, version.root->size));
    if (version.root->format != "squashfs") {
      return bad_field("root.format", version.root->format, "expected squashfs");
    }
  } else if (version.initrds.empty()) {
    return bad_field("root", "null",
                     "expected a root, an initrd or both: a kernel alone boots "
                     "nothing");
  }
  return check_plain_text("source", version.source, kMaxDescription);
}

Status normalise(Image& image) {
  DROVER_CHECK_OK(check_set_name("name", image.name));
  DROVER_CHECK_OK(check_plain_text("description", image.description, kMaxDescription));
  DROVER_CHECK_OK(check_image_version(image.current));
  if (image.tags.size() > kMaxImageTags) {
    return bad_field("tags", fmt::format("{} of them", image.tags.size()),
                     fmt::format("expected at most {}", kMaxImageTags));
  }
  for (const auto& [tag, digest] : image.tags) {
    const std::string field = fmt::format("tags.{}", tag);
    DROVER_CHECK_OK(check_set_name("tags", tag));
    if (tag == kCurrentTag) return bad_field("tags", tag, "expected another word: this one moves");
    DROVER_CHECK_OK(check_digest(field, digest));
    if (image.find(digest) == nullptr) {
      return bad_field(field, digest, "expected the digest of one of the image's versions");
    }
  }
  return {};
}

Result<ImageReference> ImageReference::parse(std::string_view field, std::string_view text) {
  ImageReference out;
  const size_t mark = text.find_first_of(":@");
  out.name = text.substr(0, mark);
  DROVER_CHECK_OK(check_set_name(field, out.name));
  if (mark == std::string_view::npos) return out;
  const std::string_view rest = text.substr(mark + 1);
  if (text[mark] == ':') {
    DROVER_CHECK_OK(check_set_name(field, rest));
    if (rest != kCurrentTag) out.tag = rest;
    return out;
  }
  if (rest.size() < kShortDigest || rest.size() > kDigestDigits || !is_hex(rest)) {
    return bad_field(field, text,
                     fmt::format("expected {} to {} lower-case hex digits behind '@'", kShortDigest,
                                 kDigestDigits));
  }
  out.digest = rest;
  return out;
}

std::string ImageReference::text() const {
  if (!tag.empty()) return fmt::format("{}:{}", name, tag);
  if (!digest.empty()) return fmt::format("{}@{}", name, digest);
  return name;
}

Result<const ImageVersion*> find_version(const Image& image, const ImageReference& reference) {
  const std::string next = fmt::format("drover image show {}", image.name);
  std::string digest = reference.digest;
  if (!reference.tag.empty()) {
    const auto tag = image.tags.find(reference.tag);
    if (tag == image.tags.end()) {
      return fail(Code::not_found,
                  fmt::format("image '{}' has no tag '{}'", image.name, reference.tag), next);
    }
    digest = tag->second;
  }
  if (digest.empty()) return &image.current;
  const ImageVersion* found = nullptr;
  const auto consider = [&](const ImageVersion& version) {
    if (!version.digest.starts_with(digest)) return true;
    const bool first = found == nullptr;
    found = &version;
    return first;
  };
  bool single = consider(image.current);
  for (const ImageVersion& version : image.history) single = consider(version) && single;
  if (!single) {
    return fail(
        Code::invalid_argument,
        fmt::format("image '{}' has several versions that begin with {}", image.name, digest),
        next);
  }
  if (found != nullptr) return found;
  return fail(Code::not_found, fmt::format("image '{}' has no version {}", image.name, digest),
              next);
}

std::vector<std::string> blobs_of(const Image& image) {
  std::set<std::string> out;
  const auto add = [&](const ImageVersion& version) {
    out.insert(version.kernel.sha256);
    for (const ImageInitrd& initrd : version.initrds) out.insert(initrd.sha256);
    if (version.root) out.insert(version.root->sha256);
  };
  add(image.current);
  for (const ImageVersion& version : image.history) add(version);
  return {out.begin(), out.end()};
}

}  // namespace drover::cluster
