// drover image import, verify and gc: the files of images, on the host that keeps them.
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "boot/image/blob_store.hpp"
#include "boot/image/build.hpp"
#include "boot/image/import.hpp"
#include "boot/image/kernel_finder.hpp"
#include "cli/bulk.hpp"
#include "cli/common_parameters.hpp"
#include "cli/context.hpp"
#include "cli/nouns/image.hpp"
#include "cluster/field_rules.hpp"

#include <charconv>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;
namespace image = boot::image;

constexpr std::string_view kImages = "/api/v1/images";
constexpr size_t kShownDigits = 12;
constexpr size_t kMostRecipe = size_t{1} << 20;

/// What is under way, in one line of a terminal that is written over; silent elsewhere.
class ProgressLine {
 public:
  explicit ProgressLine(Context& context)
      : context_(context), shown_(context.surroundings().out_is_terminal && context.for_people()) {}
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() { write({}); }

  void step(std::string_view what) {
    step_ = what;
    write(step_);
  }
  void bytes(uint64_t done, uint64_t total) {
    const std::string text = total == 0 ? fmt::format("{}: {}", step_, size_text(done))
                                        : fmt::format("{}: {} of {}, {} %", step_, size_text(done),
                                                      size_text(total), done * 100 / total);
    write(text);
  }

 private:
  void write(const std::string& text) {
    if (!shown_ || text == last_) return;
    last_ = text;
    // To the line's beginning, and what was there away (ECMA-48 CR, EL).
    context_.surroundings().err("\r\x1b[K" + printable(text));
  }

  Context& context_;
  bool shown_;
  std::string step_;
  std::string last_;
};

/// The agent beside this program, as a package or a build tree has it.
Result<std::string> agent_path(const Given& given) {
  namespace fs = std::filesystem;
  if (given.has("agent")) return given.text("agent");
  std::error_code error;
  const fs::path own = fs::read_symlink("/proc/self/exe", error);
  for (const fs::path& folder : {own.parent_path(), fs::path("/usr/sbin"), fs::path("/usr/bin")}) {
    const fs::path agent = folder / "drover-compute";
    if (fs::exists(agent, error)) return agent.string();
  }
  return fail(Code::not_found, "the program drover-compute, which images start with, is not here",
              "install it, or name it with --agent");
}

Result<image::ImportRequest> request_of(const Given& given) {
  image::ImportRequest out;
  out.source = given.text("source");
  out.kernel = given.text("kernel");
  out.modules = given.text("modules");
  out.kernel_version = given.text("kernel-version");
  out.tag = given.text("tag");
  out.extra_modules = given.all("module");
  out.initrds = given.all("initrd");
  out.excludes = given.all("exclude");
  out.keep_identity = given.has("keep-identity");
  out.all_root = given.has("all-root");
  if (given.has("level")) {
    const std::string& text = given.text("level");
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.level);
    if (error != std::errc() || end != text.data() + text.size() || out.level < 1 ||
        out.level > 22) {
      return fail(Code::invalid_argument,
                  fmt::format("--level: expected 1 to 22, got '{}'", printable(text)));
    }
  }
  DROVER_TRY(out.agent, agent_path(given));
  return out;
}

/// What an import would take, without doing it.
Result<int> plan(Context& context, const Given& given, const image::ImportRequest& request) {
  DROVER_TRY(const auto kind, image::detect_source(context.surroundings().disk, request.source));
  json::object out{{"image", given.text("image")},
                   {"kind", enum_name(kind)},
                   {"source", request.source},
                   {"images", image_folder(context, given)},
                   {"agent", request.agent}};
  if (!request.kernel.empty()) {
    out["kernel"] = request.kernel;
    out["modules"] = request.modules;
  } else if (kind == image::SourceKind::folder) {
    DROVER_TRY(const auto kernels, image::find_kernels(request.source));
    DROVER_TRY(const auto kernel,
               image::choose_kernel(kernels, request.kernel_version, request.source));
    out["kernel"] = kernel.path;
    out["modules"] = kernel.modules_dir;
  } else if (kind == image::SourceKind::lean) {
    return fail(Code::invalid_argument, "an image is made of a source, or of a kernel alone",
                "name a folder, an archive or a squashfs, or --kernel /boot/vmlinuz-VERSION");
  }
  return context.print_document(out);
}

/// Makes an image's files in a folder, telling how far it is.
using MakeFiles =
    Callback<Result<image::Imported>(image::BlobStore& blobs, image::ImportEvents& events)>;

Result<image::Imported> make_files(Context& context, image::BlobStore& blobs, MakeFiles make) {
  ProgressLine line(context);
  image::ImportEvents events;
  events.step = [&](std::string_view step) { line.step(step); };
  events.bytes = [&](uint64_t done, uint64_t total) { line.bytes(done, total); };
  return make(blobs, events);
}

/// The digest that the image has now; empty when there is no such image. Finds the daemon too, and
/// says in the usual words when there is none, before anything is packed for minutes.
Result<std::string> digest_now(Context& context, const std::string& name) {
  auto there = fetch_image(context, name);
  if (there) return there->current.digest;
  if (there.error().code == Code::not_found) return std::string();
  return tl::unexpected(std::move(there).error());
}

/// Makes the files and registers what came of it as the image's current version.
Result<int> add_version(Context& context, const Given& given, const std::string& name,
                        const std::string& description, MakeFiles make) {
  DROVER_TRY(const std::string before, digest_now(context, name));
  Surroundings& around = context.surroundings();
  image::BlobStore blobs(around.disk, around.random, image_folder(context, given));
  // Until the image is registered nothing names its files: no collection may run.
  DROVER_TRY(const auto lock,
             image::ImageLock::take(around.disk, blobs.folder(), image::ImageLock::Kind::shared));
  DROVER_TRY(const image::Imported made, make_files(context, blobs, std::move(make)));
  for (const std::string& note : made.notes) context.warn(note);
  DROVER_TRY(json::value body, parse_json(encode(made.version)));
  body.as_object()["name"] = name;
  body.as_object()["description"] = description;
  DROVER_TRY(Client* const client, context.client());
  std::string path(kImages);
  if (given.has("why")) path = with_query(path, "why", given.text("why"));
  DROVER_TRY(const json::value answer, client->send("POST", path, body, context.timeout()));
  if (context.output().format == Format::name) {
    context.print(name + "\n");
    return 0;
  }
  if (!context.for_people()) return context.print_document(answer);
  const std::string digest = made.version.digest.substr(0, kShownDigits);
  if (before == made.version.digest) {
    context.print(fmt::format("image {} is {} as before: the same files\n", name, digest));
    return 0;
  }
  const std::string root =
      made.version.root ? "root " + size_text(made.version.root->size) : "no root (lean)";
  context.print(fmt::format("image {} is {} now: kernel {}, {}\n", name, digest,
                            printable(made.version.kernel.version), root));
  return 0;
}

Result<int> import(Context& context, const Given& given) {
  const std::string& name = given.text("image");
  DROVER_CHECK_OK(cluster::check_set_name("image", name));
  DROVER_TRY(const image::ImportRequest request, request_of(given));
  if (given.has("dry-run")) return plan(context, given, request);
  return add_version(context, given, name, given.text("description"),
                     [&](image::BlobStore& blobs, image::ImportEvents& events) {
                       return image::import_image(context.surroundings().disk, blobs, request,
                                                  events, context.now());
                     });
}

Result<int> build(Context& context, const Given& given) {
  const std::string& file = given.text("recipe");
  Surroundings& around = context.surroundings();
  DROVER_TRY(const std::string text, around.disk.read_all(file, kMostRecipe));
  DROVER_TRY(image::Recipe recipe, image::parse_recipe(text, file));
  if (given.has("image")) recipe.name = given.text("image");
  if (recipe.name.empty()) {
    return fail(Code::invalid_argument, "the image has no name",
                "write name: into the recipe, or drover image build RECIPE IMAGE");
  }
  DROVER_CHECK_OK(cluster::check_set_name("image", recipe.name));
  DROVER_TRY(image::ImportRequest request, request_of(given));
  std::string folder = std::filesystem::path(file).parent_path().string();
  if (folder.empty()) folder = ".";
  if (given.has("dry-run")) {
    const os::CommandLine command = image::build_command(recipe, {"ROOT", folder, "SCRATCH"});
    json::array arguments;
    for (const std::string& argument : command.arguments) arguments.emplace_back(argument);
    return context.print_document(json::object{{"image", recipe.name},
                                               {"program", command.program},
                                               {"arguments", std::move(arguments)},
                                               {"images", image_folder(context, given)},
                                               {"agent", request.agent}});
  }
  return add_version(context, given, recipe.name, recipe.description,
                     [&](image::BlobStore& blobs, image::ImportEvents& events) {
                       return image::build_image(around.disk, blobs, recipe, folder, request,
                                                 events, context.now());
                     });
}

Result<std::vector<cluster::Image>> all_images(Context& context) {
  DROVER_TRY(Client* const client, context.client());
  DROVER_TRY(const json::array items, client->list(std::string(kImages), context.timeout()));
  std::vector<cluster::Image> out;
  for (const json::value& item : items) {
    DROVER_TRY(cluster::Image one, decode<cluster::Image>(item, Unknown::ignore));
    out.push_back(std::move(one));
  }
  return out;
}

Result<int> verify(Context& context, const Given& given) {
  DROVER_TRY(const auto images, all_images(context));
  Surroundings& around = context.surroundings();
  image::BlobStore blobs(around.disk, around.random, image_folder(context, given));
  std::set<std::string> seen;
  json::array bad;
  for (const cluster::Image& one : images) {
    if (given.has("image") && one.name != given.text("image")) continue;
    for (const std::string& sha256 : cluster::blobs_of(one)) {
      if (!seen.insert(sha256).second) continue;
      const Status whole = blobs.verify(sha256);
      if (whole) continue;
      bad.push_back(
          json::object{{"image", one.name}, {"blob", sha256}, {"problem", whole.error().text()}});
    }
  }
  if (bad.empty() && context.for_people()) {
    context.print(fmt::format("{} files of images are whole\n", seen.size()));
    return 0;
  }
  static const ListView view{
      {{"IMAGE", "image"}, {"BLOB", "blob", Show::text, true}, {"PROBLEM", "problem"}}, "", "blob"};
  const int exit_code = bad.empty() ? 0 : 1;
  return context.print_list(std::move(bad), view, exit_code);
}

Status prune(Context& context, const Given& given, const std::vector<cluster::Image>& images) {
  if (!given.has("keep")) return {};
  uint64_t keep = 0;
  const std::string& text = given.text("keep");
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), keep);
  if (error != std::errc() || end != text.data() + text.size()) {
    return fail(Code::invalid_argument,
                fmt::format("--keep: expected a number, got '{}'", printable(text)));
  }
  DROVER_TRY(Client* const client, context.client());
  for (const cluster::Image& one : images) {
    const std::string path = fmt::format("{}/{}/prune", kImages, one.name);
    DROVER_CHECK_OK(client->send("POST", path, json::object{{"keep", keep}}, context.timeout()));
  }
  return {};
}

Result<int> gc(Context& context, const Given& given) {
  const bool dry = given.has("dry-run");
  if (dry && given.has("keep")) {
    return fail(Code::invalid_argument, "--keep changes images, which --dry-run does not");
  }
  Surroundings& around = context.surroundings();
  image::BlobStore blobs(around.disk, around.random, image_folder(context, given));
  DROVER_TRY(const auto lock, image::ImageLock::take(around.disk, blobs.folder(),
                                                     image::ImageLock::Kind::exclusive));
  DROVER_TRY(const auto before, all_images(context));
  DROVER_CHECK_OK(prune(context, given, before));
  DROVER_TRY(const auto images, all_images(context));
  std::set<std::string> keep;
  for (const cluster::Image& one : images)
    keep.merge([&] {
      const auto names = cluster::blobs_of(one);
      return std::set<std::string>(names.begin(), names.end());
    }());
  DROVER_TRY(const auto unused, blobs.collect(keep, true));
  DROVER_TRY(const auto all, blobs.list());
  if (!unused.empty() && unused.size() == all.size() && !dry && !given.has("force")) {
    return fail(Code::conflict,
                fmt::format("no image of this cluster names any of the {} files in {}: it may be "
                            "another cluster's folder",
                            all.size(), blobs.folder()),
                "drover image gc --dry-run lists them; --force removes them");
  }
  if (!dry) DROVER_CHECK_OK(blobs.collect(keep, false));
  uint64_t bytes = 0;
  json::array removed;
  for (const image::Blob& blob : unused) {
    bytes += blob.size;
    removed.push_back(json::object{{"blob", blob.sha256}, {"size", blob.size}});
  }
  if (!context.for_people()) {
    static const ListView view{{{"BLOB", "blob"}, {"SIZE", "size", Show::bytes}}, "", "blob"};
    return context.print_list(std::move(removed), view);
  }
  context.print(fmt::format("{} files {}removed, {}\n", unused.size(), dry ? "would be " : "",
                            size_text(bytes)));
  return 0;
}

std::vector<Parameter> import_parameters() {
  return {
      {"image", Kind::required, "Its name; one that exists gets a new version"},
      {"source", Kind::optional,
       "A root file system: a folder (/ is this host), a tar archive, a squashfs or an OCI layout; "
       "without one the image is lean"},
      {"kernel", Kind::option, "The kernel's file; needed for a lean image, else found"},
      {"modules", Kind::option, "Its folder of modules [/lib/modules/VERSION]"},
      {"kernel-version", Kind::option, "Of several kernels in the source; else the newest"},
      {"tag", Kind::option, "Of several images in an OCI layout"},
      {"module", Kind::repeated, "One more module for the first root"},
      {"initrd", Kind::repeated, "One more file that is loaded behind the first root"},
      {"exclude", Kind::repeated, "What stays out of the root: a wildcard, relative to it"},
      {"keep-identity", Kind::flag, "Keep machine-id, host keys of SSH and the random seed"},
      {"all-root", Kind::flag, "Everything belongs to root: for who may not read owners"},
      {"level", Kind::option, "Of the compression, 1 to 22 [5]"},
      {"description", Kind::option, "A note"},
      {"agent", Kind::option, "The program drover-compute that the image starts with"},
      {"images", Kind::option,
       "Where this host's images lie [DROVER_IMAGES, else /var/lib/drover/images]"},
      why_option(),
      {"dry-run", Kind::flag, "Say what would be taken and do nothing"},
  };
}

std::vector<Parameter> build_parameters() {
  return {
      {"recipe", Kind::required, "A file: YAML of kind drover-recipe"},
      {"image", Kind::optional, "The image's name, in place of the recipe's"},
      {"module", Kind::repeated, "One more module for the first root"},
      {"exclude", Kind::repeated, "What stays out of the root: a wildcard, relative to it"},
      {"level", Kind::option, "Of the compression, 1 to 22 [5]"},
      {"agent", Kind::option, "The program drover-compute that the image starts with"},
      {"images", Kind::option,
       "Where this host's images lie [DROVER_IMAGES, else /var/lib/drover/images]"},
      why_option(),
      {"dry-run", Kind::flag, "Say what would be run and do nothing"},
  };
}

}  // namespace

std::vector<Command> image_file_commands() {
  const Parameter folder{"images", Kind::option,
                         "Where this host's images lie [DROVER_IMAGES, else "
                         "/var/lib/drover/images]"};
  return {
      {"image",
       "import",
       "Make an image, or a new version of one, on a manager",
       import_parameters(),
       {"drover image import rocky9 /srv/chroots/rocky9",
        "drover image import golden / --exclude 'home/*' --why 'new golden node'",
        "drover image import lean --kernel /boot/vmlinuz-6.1.0-18-amd64"},
       import},
      {"image",
       "build",
       "Build an image from a recipe, with mmdebstrap or dnf, on a manager",
       build_parameters(),
       {"drover image build rocky9.yaml", "drover image build debian.yaml debian-test --dry-run"},
       build},
      {"image",
       "verify",
       "Read the files of images on this host and compare them with their digests",
       {{"image", Kind::optional, "One image; else all of them"}, folder},
       {"drover image verify", "drover image verify rocky9"},
       verify},
      {"image",
       "gc",
       "Remove files that no version of any image names from this host",
       {{"keep", Kind::option, "Forget all but so many earlier versions of each image first"},
        folder,
        {"force", Kind::flag, "Even when no image names any file there"},
        {"dry-run", Kind::flag, "Say what would be removed and do nothing"}},
       {"drover image gc --dry-run", "drover image gc --keep 2"},
       gc},
  };
}

}  // namespace drover::cli
