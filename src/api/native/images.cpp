// GET and POST /images; GET, PATCH and DELETE /images/{name}; tags, rollback and prune of one.
#include "api/list_writer.hpp"
#include "api/native/changing.hpp"
#include "api/native/definitions.hpp"
#include "api/native/native.hpp"
#include "api/precondition.hpp"
#include "auth/keys.hpp"
#include "cluster/image_mutations.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

struct ImageView {
  static constexpr std::string_view kTypeName = "ImageView";
  cluster::Image image;
  uint64_t revision = 0;
  void describe(Visitor& v) {
    image.describe(v);
    v.field("revision", revision, "For If-Match.");
  }
};

/// A version that comes in. Its digest is worked out here: what names the files decides, not who
/// sends them.
struct ImageImport {
  static constexpr std::string_view kTypeName = "ImageImport";
  std::string name;
  std::string description;
  cluster::ImageVersion version;
  void describe(Visitor& v) {
    v.field("name", name, "Name of the image; one that exists gets a new version.");
    v.field("description", description, "Free text; empty keeps what is there.",
            Presence::optional);
    version.describe(v);
  }
};

struct ImagePatch {
  static constexpr std::string_view kTypeName = "ImagePatch";
  std::optional<std::string> description;
  void describe(Visitor& v) { v.field("description", description, "Free text.", Presence::patch); }
};

struct ImageTagging {
  static constexpr std::string_view kTypeName = "ImageTagging";
  std::string tag;
  std::string version;
  void describe(Visitor& v) {
    v.field("tag", tag, "The tag; one that exists is moved.");
    v.field("version", version, "Tag or digest of the version; empty: the current one.",
            Presence::optional);
  }
};

struct ImageRollback {
  static constexpr std::string_view kTypeName = "ImageRollback";
  std::string version;
  void describe(Visitor& v) {
    v.field("version", version, "Tag or digest of the version; empty: the one before.",
            Presence::optional);
  }
};

struct ImagePruning {
  static constexpr std::string_view kTypeName = "ImagePruning";
  uint64_t keep = 0;
  void describe(Visitor& v) {
    v.field("keep", keep, "How many earlier versions without a tag stay for a rollback.");
  }
};

/// "prod" or a digest, of the image in the path.
Result<cluster::ImageReference> version_of(const std::string& image, const std::string& version) {
  constexpr size_t kLongestTag = 63;
  cluster::ImageReference out{image, "", ""};
  if (version.empty()) return out;
  const bool is_digest = version.size() >= cluster::kShortDigest &&
                         version.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (is_digest) {
    out.digest = version;
  } else if (version.size() > kLongestTag) {
    return fail(Code::invalid_argument, "version: expected a tag or a digest");
  } else {
    out.tag = version;
  }
  return out;
}

void list_images(Services& services, const RequestPtr& request) {
  ListWriter list;
  for (const auto& [name, defined] : services.model.images()) {
    list.add(ImageView{defined.value, defined.revision});
  }
  request->json(200, list.finish());
}

void show_image(Services& services, const RequestPtr& request) {
  const std::string& name = request->path("name");
  const auto found = services.model.images().find(name);
  if (found == services.model.images().end()) return request->fail(no_definition("image", name));
  const auto& defined = found->second;
  respond_tagged(request, encode(ImageView{defined.value, defined.revision}), defined.revision);
}

Result<Reply> reply_with(store::Transaction& tx, const cluster::Image& image, int status) {
  DROVER_TRY(const auto object, tx.get(cluster::kImageKind, image.name));
  if (!object) return fail(Code::internal, "the image that was written is not there");
  Reply reply{status, encode(ImageView{image, object->revision}), etag_of(object->revision)};
  if (status == 201) reply.location = "/api/v1/images/" + image.name;
  return reply;
}

void import_image(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  DROVER_OR_FAIL(request, ImageImport given, request->body<ImageImport>());
  const std::string digest = auth::sha256_hex(cluster::canonical_image_text(given.version));
  if (!given.version.digest.empty() && given.version.digest != digest) {
    return request->fail({Code::invalid_argument,
                          fmt::format("digest: expected {}, which is that of the files named "
                                      "here, or nothing",
                                      digest),
                          {},
                          {}});
  }
  given.version.digest = digest;
  change(services, request,
         [given = std::move(given),
          why = std::move(why)](store::Transaction& tx) mutable -> Result<Reply> {
           if (given.version.created == WallTime{}) {
             given.version.created = from_unix_ms(tx.time_ms());
           }
           // The name is checked in there, before anything is looked up under it.
           const bool named = !given.name.empty() && given.name.size() <= store::kMaxName;
           bool there = false;
           if (named && given.name.find('\0') == std::string::npos) {
             DROVER_TRY(const auto object, tx.get(cluster::kImageKind, given.name));
             there = object.has_value();
           }
           tx.explain(why);
           DROVER_TRY(const cluster::Image image,
                      cluster::put_image_version(tx, given.name, given.description, given.version));
           return reply_with(tx, image, there ? 200 : 201);
         });
}

/// A change of the image in the path, under If-Match where it is given.
template <typename Change>
void change_image(Services& services, const RequestPtr& request, Change effect) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  DROVER_OR_FAIL(request, const Precondition before, precondition_of(request->http()));
  change(services, request,
         [before, name = request->path("name"), why = std::move(why),
          effect = std::move(effect)](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(before.check(tx, cluster::kImageKind, name));
           tx.explain(why);
           DROVER_TRY(const cluster::Image image, effect(tx, name));
           return reply_with(tx, image, 200);
         });
}

void patch_image(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const ImagePatch patch, request->body<ImagePatch>());
  change_image(services, request, [patch](store::Transaction& tx, const std::string& name) {
    return cluster::describe_image(tx, name, patch.description);
  });
}

void tag_image(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const ImageTagging tagging, request->body<ImageTagging>());
  DROVER_OR_FAIL(request, const cluster::ImageReference version,
                 version_of(request->path("name"), tagging.version));
  change_image(services, request, [version, tagging](store::Transaction& tx, const std::string&) {
    return cluster::tag_image(tx, version, tagging.tag);
  });
}

void untag_image(Services& services, const RequestPtr& request) {
  change_image(services, request,
               [tag = request->path("tag")](store::Transaction& tx, const std::string& name) {
                 return cluster::untag_image(tx, name, tag);
               });
}

void roll_back_image(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const ImageRollback rollback, request->body<ImageRollback>());
  DROVER_OR_FAIL(request, const cluster::ImageReference version,
                 version_of(request->path("name"), rollback.version));
  change_image(services, request, [version](store::Transaction& tx, const std::string&) {
    return cluster::roll_back_image(tx, version);
  });
}

void prune_image(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const ImagePruning pruning, request->body<ImagePruning>());
  change_image(services, request,
               [keep = pruning.keep](store::Transaction& tx, const std::string& name) {
                 return cluster::prune_image(tx, name, keep);
               });
}

void remove_image(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, std::string why, why_of(request));
  DROVER_OR_FAIL(request, const Precondition before, precondition_of(request->http()));
  change(services, request,
         [before, name = request->path("name"),
          why = std::move(why)](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(before.check(tx, cluster::kImageKind, name));
           tx.explain(why);
           DROVER_CHECK_OK(cluster::remove_image(tx, name));
           return Reply{204, "", ""};
         });
}

void add_image_versions(Router& router, Services& services) {
  const auto add = [&](std::string_view method, std::string_view path, std::string_view summary,
                       auto takes, void (*handler)(Services&, const RequestPtr&)) {
    router.add({.method = method,
                .path = path,
                .privilege = auth::Privilege::operate,
                .summary = summary,
                .query = {dry_run_parameter(), why_parameter()},
                .takes = std::move(takes),
                .gives = body_of<ImageView>(),
                .condition = Condition::taken,
                .etag = true,
                .handler = [&services, handler](const RequestPtr& r) { handler(services, r); }});
  };
  add("PATCH", "/api/v1/images/{name}", "Change the description of an image (JSON merge patch).",
      body_of<ImagePatch>(), &patch_image);
  add("POST", "/api/v1/images/{name}/tags", "Let a tag mean a version of an image.",
      body_of<ImageTagging>(), &tag_image);
  add("POST", "/api/v1/images/{name}/rollback",
      "Make an earlier version of an image the current one.", body_of<ImageRollback>(),
      &roll_back_image);
  add("POST", "/api/v1/images/{name}/prune", "Forget the oldest versions of an image.",
      body_of<ImagePruning>(), &prune_image);
  router.add({.method = "DELETE",
              .path = "/api/v1/images/{name}/tags/{tag}",
              .privilege = auth::Privilege::operate,
              .summary = "Take a tag off that no node boots by.",
              .query = {dry_run_parameter(), why_parameter()},
              .gives = body_of<ImageView>(),
              .condition = Condition::taken,
              .etag = true,
              .handler = [&services](const RequestPtr& r) { untag_image(services, r); }});
}

}  // namespace

void add_images(Router& router, Services& services) {
  const std::string_view one = "/api/v1/images/{name}";
  router.add({.method = "GET",
              .path = "/api/v1/images",
              .privilege = auth::Privilege::view,
              .summary = "List images.",
              .gives = list_of<ImageView>(),
              .handler = [&services](const RequestPtr& r) { list_images(services, r); }});
  router.add(
      {.method = "POST",
       .path = "/api/v1/images",
       .privilege = auth::Privilege::operate,
       .summary = "Make an image, or give one a new version, from files in the image folder.",
       .query = {dry_run_parameter(), why_parameter()},
       .takes = body_of<ImageImport>(),
       .gives = body_of<ImageView>(),
       .status = 201,
       .etag = true,
       .location = true,
       .also = {{200, body_of<ImageView>(), "application/json", "It has a new version."}},
       .handler = [&services](const RequestPtr& r) { import_image(services, r); }});
  router.add({.method = "GET",
              .path = one,
              .privilege = auth::Privilege::view,
              .summary = "Show an image with its tags and earlier versions.",
              .gives = body_of<ImageView>(),
              .etag = true,
              .handler = [&services](const RequestPtr& r) { show_image(services, r); }});
  router.add({.method = "DELETE",
              .path = one,
              .privilege = auth::Privilege::operate,
              .summary = "Remove an image that nothing boots; its files stay until a collection.",
              .query = {dry_run_parameter(), why_parameter()},
              .condition = Condition::taken,
              .handler = [&services](const RequestPtr& r) { remove_image(services, r); }});
  add_image_versions(router, services);
}

}  // namespace drover::api
