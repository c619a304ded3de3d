#include "cluster/image_mutations.hpp"

#include "cluster/field_rules.hpp"
#include "cluster/group.hpp"
#include "cluster/node.hpp"
#include "cluster/profile.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

constexpr std::string_view kImageAttribute = "image";

Result<Image> write_image(store::Transaction& tx, Image image) {
  DROVER_CHECK_OK(normalise(image));
  DROVER_CHECK_OK(tx.put(kImageKind, image.name, encode(image)));
  return image;
}

/// Lets go of old versions without a tag, the oldest first, until `keep` untagged ones are left.
void forget_old(Image& image, size_t keep) {
  std::set<std::string_view> tagged;
  for (const auto& [tag, digest] : image.tags) tagged.insert(digest);
  size_t plain = 0;
  std::erase_if(image.history, [&](const ImageVersion& version) {
    return !tagged.contains(version.digest) && ++plain > keep;
  });
}

/// Makes the version of the history with that digest the current one.
void make_current(Image& image, ImageVersion version) {
  std::erase_if(image.history,
                [&](const ImageVersion& old) { return old.digest == version.digest; });
  image.history.insert(image.history.begin(), std::move(image.current));
  image.current = std::move(version);
}

/// Whether an attribute's value names the image, and with a tag given, by that tag.
bool names(const std::map<std::string, std::string>& attributes, const std::string& image,
           const std::string& tag) {
  const auto value = attributes.find(std::string(kImageAttribute));
  if (value == attributes.end()) return false;
  const auto reference = ImageReference::parse(kImageAttribute, value->second);
  return reference && reference->name == image && (tag.empty() || reference->tag == tag);
}

/// conflict naming the first that boots the image; formulas are not followed.
Status check_unused(store::Transaction& tx, const std::string& image, const std::string& tag) {
  const std::string what = tag.empty() ? image : fmt::format("{}:{}", image, tag);
  const auto used_by = [&](std::string_view kind, const std::string& user) {
    return fail(Code::conflict, fmt::format("image '{}' is booted by {} '{}'", what, kind, user),
                fmt::format("give it another one first: drover {} set {} image=...", kind, user));
  };
  const std::string quoted = fmt::format("\"{}", image);
  const auto look = [&]<typename T, typename Attributes>(std::string_view kind,
                                                         const Attributes& of) -> Status {
    DROVER_TRY(const auto objects, tx.list({.kind = std::string(kind)}));
    for (const store::Object& object : objects) {
      if (object.body.find(quoted) == std::string::npos) continue;
      DROVER_TRY(const T value, decode_text<T>(object.body, Unknown::ignore));
      if (names(of(value), image, tag)) return used_by(kind, object.key);
    }
    return {};
  };
  DROVER_CHECK_OK((look.template operator()<Profile>(
      kProfileKind, [](const Profile& p) -> const auto& { return p.attributes; })));
  DROVER_CHECK_OK((look.template operator()<Group>(
      kGroupKind, [](const Group& g) -> const auto& { return g.attributes; })));
  return look.template operator()<Node>(
      kNodeKind, [](const Node& n) -> const auto& { return n.spec.attributes; });
}

}  // namespace

Result<Image> read_image(store::Transaction& tx, const std::string& name) {
  DROVER_CHECK_OK(check_set_name("image", name));
  DROVER_TRY(const auto object, tx.get(kImageKind, name));
  if (!object) {
    return fail(Code::not_found, fmt::format("there is no image '{}'", name),
                "drover image list shows all of them");
  }
  auto image = decode_text<Image>(object->body, Unknown::ignore);
  if (image) return image;
  return fail(Code::corrupt,
              fmt::format("the stored image '{}' cannot be read: {}", name, image.error().message));
}

Result<Image> put_image_version(store::Transaction& tx, const std::string& name,
                                const std::string& description, const ImageVersion& version) {
  DROVER_CHECK_OK(check_set_name("name", name));
  DROVER_CHECK_OK(check_image_version(version));
  DROVER_TRY(const auto there, tx.get(kImageKind, name));
  if (!there) return write_image(tx, {name, description, version, {}, {}});
  DROVER_TRY(Image image, read_image(tx, name));
  if (!description.empty()) image.description = description;
  if (image.current.digest != version.digest) make_current(image, version);
  forget_old(image, kImageHistory);
  return write_image(tx, std::move(image));
}

Result<Image> describe_image(store::Transaction& tx, const std::string& name,
                             const std::optional<std::string>& description) {
  DROVER_TRY(Image image, read_image(tx, name));
  if (description) image.description = *description;
  return write_image(tx, std::move(image));
}

Result<Image> tag_image(store::Transaction& tx, const ImageReference& version,
                        const std::string& tag) {
  DROVER_TRY(Image image, read_image(tx, version.name));
  DROVER_TRY(const ImageVersion* const found, find_version(image, version));
  DROVER_CHECK_OK(check_set_name("tag", tag));
  image.tags[tag] = found->digest;
  return write_image(tx, std::move(image));
}

Result<Image> untag_image(store::Transaction& tx, const std::string& name, const std::string& tag) {
  DROVER_TRY(Image image, read_image(tx, name));
  if (image.tags.erase(tag) == 0) {
    return fail(Code::not_found, fmt::format("image '{}' has no tag '{}'", name, tag),
                fmt::format("drover image show {}", name));
  }
  DROVER_CHECK_OK(check_unused(tx, name, tag));
  return write_image(tx, std::move(image));
}

Result<Image> roll_back_image(store::Transaction& tx, const ImageReference& to) {
  DROVER_TRY(Image image, read_image(tx, to.name));
  if (to.tag.empty() && to.digest.empty()) {
    if (image.history.empty()) {
      return fail(Code::conflict, fmt::format("image '{}' has no earlier version", to.name),
                  fmt::format("drover image show {}", to.name));
    }
    make_current(image, ImageVersion(image.history.front()));
    return write_image(tx, std::move(image));
  }
  DROVER_TRY(const ImageVersion* const found, find_version(image, to));
  if (found == &image.current) return image;
  make_current(image, ImageVersion(*found));
  return write_image(tx, std::move(image));
}

Result<Image> prune_image(store::Transaction& tx, const std::string& name, size_t keep) {
  DROVER_TRY(Image image, read_image(tx, name));
  forget_old(image, keep);
  return write_image(tx, std::move(image));
}

Status remove_image(store::Transaction& tx, const std::string& name) {
  DROVER_CHECK_OK(read_image(tx, name));
  DROVER_CHECK_OK(check_unused(tx, name, {}));
  DROVER_CHECK_OK(tx.erase(kImageKind, name));
  return {};
}

}  // namespace drover::cluster
