// drover image: what the cluster knows of images: list, show, diff, tag, untag, rollback, remove.
#include "cli/nouns/image.hpp"

#include "base/json_values.hpp"
#include "base/text.hpp"
#include "boot/image/blob_store.hpp"
#include "boot/image/squashfs.hpp"
#include "cli/bulk.hpp"
#include "cli/common_parameters.hpp"
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"
#include "net/http/target.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

constexpr std::string_view kImages = "/api/v1/images";
constexpr size_t kShownDigits = 12;

const ListView& image_view() {
  static const ListView view{{{"IMAGE", "name"},
                              {"VERSION", "digest", Show::text, false, true},
                              {"KERNEL", "kernel.version"},
                              {"ROOT", "root.size", Show::bytes},
                              {"AGE", "created", Show::age},
                              {"TAGS", "tags", Show::text, true},
                              {"ARCH", "arch", Show::text, true},
                              {"SOURCE", "source", Show::text, true, true},
                              {"DESCRIPTION", "description", Show::text, false, true}}};
  return view;
}

std::string path_of(std::string_view name, std::string_view below = {}) {
  return fmt::format("{}/{}{}", kImages, net::percent_encode(name), below);
}

std::string changing(std::string path, const Given& given) {
  if (given.has("dry-run")) path = with_query(path, "dry_run", "true");
  if (given.has("why")) path = with_query(path, "why", given.text("why"));
  return path;
}

Result<int> list(Context& context, const Given& /*given*/) {
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(json::array items, client->list(std::string(kImages), context.timeout()));
  if (items.empty() && context.for_people()) context.warn("no images");
  // For people a digest's beginning says enough; it is what they type.
  for (json::value& item : items) {
    json::value* const digest =
        context.for_people() ? item.as_object().if_contains("digest") : nullptr;
    if (digest != nullptr) *digest = text_at(item, "digest").substr(0, kShownDigits);
  }
  return context.print_list(std::move(items), image_view());
}

/// One line of a version: "1a2b3c4d5e6f  6.1.0  312.0 MiB  prod".
std::string version_line(const cluster::Image& image, const cluster::ImageVersion& version) {
  std::string tags;
  for (const auto& [tag, digest] : image.tags) {
    if (digest == version.digest) tags += (tags.empty() ? "  " : ",") + tag;
  }
  const std::string root = version.root ? size_text(version.root->size) : "no root";
  return fmt::format("{}  {}  {}  {}{}\n", version.digest.substr(0, kShownDigits),
                     to_rfc3339(version.created), printable(version.kernel.version), root, tags);
}

Result<int> show(Context& context, const Given& given) {
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value one, client->get(path_of(given.text("image")), context.timeout()));
  if (!context.for_people()) return context.print_document(one);
  DROVER_TRY(const cluster::Image image, decode<cluster::Image>(one, Unknown::ignore));
  context.print(fmt::format("{}{}{}\n", image.name, image.description.empty() ? "" : ": ",
                            printable(image.description)));
  const cluster::ImageVersion& now = image.current;
  context.print(fmt::format("  version  {}\n  arch     {}\n  kernel   {}  {}  {}\n", now.digest,
                            now.arch, printable(now.kernel.version), size_text(now.kernel.size),
                            now.kernel.sha256));
  for (const cluster::ImageInitrd& initrd : now.initrds) {
    context.print(fmt::format("  initrd   {}  {}  {}\n", printable(initrd.what),
                              size_text(initrd.size), initrd.sha256));
  }
  context.print(now.root ? fmt::format("  root     {}  {}  {}\n", now.root->format,
                                       size_text(now.root->size), now.root->sha256)
                         : std::string("  root     none: nodes boot it lean\n"));
  context.print(fmt::format("  source   {}\n  versions\n    ", printable(now.source)));
  context.print(version_line(image, now));
  for (const cluster::ImageVersion& old : image.history) {
    context.print("    " + version_line(image, old));
  }
  return 0;
}

// --- diff -------------------------------------------------------------------------------------

/// A version by its reference, from the cluster.
Result<cluster::ImageVersion> version_of(Context& context, const std::string& text) {
  DROVER_TRY(const auto reference, cluster::ImageReference::parse("image", text));
  DROVER_TRY(const cluster::Image image, fetch_image(context, reference.name));
  DROVER_TRY(const cluster::ImageVersion* const version, cluster::find_version(image, reference));
  return *version;
}

json::object part_of(std::string_view what, const std::string& before, const std::string& after) {
  return {{"what", what}, {"before", before}, {"after", after}};
}

std::string initrds_text(const cluster::ImageVersion& version) {
  std::string out;
  for (const cluster::ImageInitrd& initrd : version.initrds) {
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", initrd.what,
                       initrd.sha256.substr(0, kShownDigits));
  }
  return out;
}

std::string root_text(const cluster::ImageVersion& version) {
  if (!version.root) return "none";
  return fmt::format("{} ({})", version.root->sha256.substr(0, kShownDigits),
                     size_text(version.root->size));
}

/// Files that differ between two roots, when both lie on this host.
Result<json::array> diff_files(Context& context, const Given& given,
                               const cluster::ImageVersion& from, const cluster::ImageVersion& to) {
  json::array out;
  if (!from.root || !to.root || from.root->sha256 == to.root->sha256) return out;
  Surroundings& around = context.surroundings();
  boot::image::BlobStore blobs(around.disk, around.random, image_folder(context, given));
  for (const auto* version : {&from, &to}) {
    DROVER_TRY(const bool there, blobs.has(version->root->sha256));
    if (there) continue;
    context.warn(
        fmt::format("the roots are not in {}: their files are not compared", blobs.folder()));
    return out;
  }
  DROVER_TRY(const auto before, boot::image::list_squashfs(blobs.path(from.root->sha256)));
  DROVER_TRY(const auto after, boot::image::list_squashfs(blobs.path(to.root->sha256)));
  for (const auto& [path, note] : before) {
    const auto now = after.find(path);
    if (now == after.end()) {
      out.push_back(part_of(path, note, ""));
    } else if (now->second != note) {
      out.push_back(part_of(path, note, now->second));
    }
  }
  for (const auto& [path, note] : after) {
    if (!before.contains(path)) out.push_back(part_of(path, "", note));
  }
  return out;
}

Result<int> diff(Context& context, const Given& given) {
  DROVER_TRY(const cluster::ImageVersion from, version_of(context, given.text("image")));
  DROVER_TRY(const cluster::ImageVersion to, version_of(context, given.text("other")));
  json::array parts;
  const auto add = [&](std::string_view what, const std::string& before, const std::string& after) {
    if (before != after) parts.push_back(part_of(what, before, after));
  };
  add("arch", from.arch, to.arch);
  add("kernel",
      fmt::format("{} {}", from.kernel.version, from.kernel.sha256.substr(0, kShownDigits)),
      fmt::format("{} {}", to.kernel.version, to.kernel.sha256.substr(0, kShownDigits)));
  add("initrds", initrds_text(from), initrds_text(to));
  add("root", root_text(from), root_text(to));
  DROVER_TRY(json::array files, diff_files(context, given, from, to));
  for (json::value& file : files) parts.push_back(std::move(file));
  if (parts.empty() && context.for_people()) {
    context.print("the two are the same\n");
    return 0;
  }
  static const ListView view{{{"WHAT", "what"},
                              {"BEFORE", "before", Show::text, false, true},
                              {"AFTER", "after", Show::text, false, true}},
                             "",
                             "what"};
  return context.print_list(std::move(parts), view, 1);
}

// --- changes ----------------------------------------------------------------------------------

Result<int> print_changed(Context& context, const Given& given, const json::value& answer,
                          const std::string& what) {
  if (context.output().format == Format::name) {
    context.print(text_at(answer, "name") + "\n");
    return 0;
  }
  if (!context.for_people()) return context.print_document(answer);
  context.print(fmt::format("image {} {} {}\n", text_at(answer, "name"),
                            given.has("dry-run") ? "would be" : "is", what));
  return 0;
}

/// "prod" or digest digits of NAME, NAME:TAG or NAME@DIGEST.
std::string version_text(const cluster::ImageReference& reference) {
  return reference.tag.empty() ? reference.digest : reference.tag;
}

Result<int> tag(Context& context, const Given& given) {
  DROVER_TRY(const auto reference, cluster::ImageReference::parse("image", given.text("image")));
  const std::string& tag = given.text("tag");
  DROVER_TRY(Client* const client, context.client());
  const json::object body{{"tag", tag}, {"version", version_text(reference)}};
  DROVER_TRY(const json::value answer,
             client->send("POST", changing(path_of(reference.name, "/tags"), given), body,
                          context.timeout()));
  return print_changed(context, given, answer,
                       fmt::format("tagged {}: {}", printable(tag),
                                   text_at(answer, "tags." + tag).substr(0, kShownDigits)));
}

Result<int> untag(Context& context, const Given& given) {
  DROVER_TRY(Client* const client, context.client());
  const std::string below = "/tags/" + net::percent_encode(given.text("tag"));
  DROVER_TRY(const json::value answer,
             client->send("DELETE", changing(path_of(given.text("image"), below), given), nullptr,
                          context.timeout()));
  return print_changed(context, given, answer, "no longer tagged " + printable(given.text("tag")));
}

Result<int> rollback(Context& context, const Given& given) {
  DROVER_TRY(const auto reference, cluster::ImageReference::parse("image", given.text("image")));
  DROVER_TRY(Client* const client, context.client());
  const json::object body{{"version", version_text(reference)}};
  DROVER_TRY(const json::value answer,
             client->send("POST", changing(path_of(reference.name, "/rollback"), given), body,
                          context.timeout()));
  return print_changed(context, given, answer,
                       fmt::format("at {} again; nodes boot it at their next boot",
                                   text_at(answer, "digest").substr(0, kShownDigits)));
}

Result<int> remove(Context& context, const Given& given) {
  DROVER_TRY(Client* const client, context.client());
  for (const std::string& name : given.all("image")) {
    DROVER_CHECK_OK(
        client->send("DELETE", changing(path_of(name), given), nullptr, context.timeout()));
    if (context.for_people()) {
      context.print(fmt::format("image {} {}removed; drover image gc frees its files\n",
                                printable(name), given.has("dry-run") ? "would be " : ""));
    }
  }
  return 0;
}

}  // namespace

std::string size_text(uint64_t bytes) {
  constexpr double kKibi = 1024;
  const auto size = static_cast<double>(bytes);
  if (size < kKibi * kKibi) return fmt::format("{:.1f} KiB", size / kKibi);
  if (size < kKibi * kKibi * kKibi) return fmt::format("{:.1f} MiB", size / kKibi / kKibi);
  return fmt::format("{:.2f} GiB", size / kKibi / kKibi / kKibi);
}

std::string image_folder(Context& context, const Given& given) {
  if (given.has("images")) return given.text("images");
  const std::string set = context.variable("DROVER_IMAGES");
  return set.empty() ? std::string(boot::image::kImageFolder) : set;
}

Result<cluster::Image> fetch_image(Context& context, const std::string& name) {
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::value one, client->get(path_of(name), context.timeout()));
  return decode<cluster::Image>(one, Unknown::ignore);
}

std::vector<Command> image_commands() {
  const Parameter name{"image", Kind::required, "Its name"};
  const Parameter version{"image", Kind::required, "NAME, NAME:TAG or NAME@DIGEST"};
  const Parameter why = why_option();
  const Parameter dry = dry_run_flag();
  const Parameter folder{"images", Kind::option,
                         "Where this host's images lie [DROVER_IMAGES, else "
                         "/var/lib/drover/images]"};
  std::vector<Command> out = image_file_commands();
  out.insert(
      out.end(),
      {{"image",
        "list",
        "List images",
        {},
        {"drover image list", "drover image list -o wide"},
        list},
       {"image",
        "show",
        "Show an image: its files, tags and earlier versions",
        {name},
        {"drover image show rocky9"},
        show},
       {"image",
        "diff",
        "Compare two versions or images; with their roots on this host, file by file",
        {version, {"other", Kind::required, "The one to compare it with"}, folder},
        {"drover image diff rocky9:prod rocky9", "drover image diff rocky9@1a2b3c4d rocky9-gpu"},
        diff},
       {"image",
        "tag",
        "Let a tag mean a version; nodes may boot NAME:TAG",
        {version, {"tag", Kind::required, "The tag; one that exists is moved"}, why, dry},
        {"drover image tag rocky9 prod", "drover image tag rocky9@1a2b3c4d stable"},
        tag},
       {"image",
        "untag",
        "Take a tag off that no node boots by",
        {name, {"tag", Kind::required, "The tag"}, why, dry},
        {"drover image untag rocky9 old"},
        untag},
       {"image",
        "rollback",
        "Make an earlier version the current one; the one before, unless one is named",
        {version, why, dry},
        {"drover image rollback rocky9", "drover image rollback rocky9:stable --why 'gpu driver'"},
        rollback},
       {"image",
        "remove",
        "Remove images that nothing boots; their files stay until drover image gc",
        {{"image", Kind::many, "Names of images"}, why, dry},
        {"drover image remove rocky8"},
        remove}});
  return out;
}

}  // namespace drover::cli
