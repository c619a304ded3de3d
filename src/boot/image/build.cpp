#include "boot/image/build.hpp"

#include "os/command.hpp"

#include <fmt/format.h>
#include <unistd.h>

namespace drover::boot::image {
namespace {

/// The folder of a build, which goes away with it.
class Workshop {
 public:
  explicit Workshop(std::string path) : path_(std::move(path)) {}
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;
  ~Workshop() {
    // A builder that was killed may have left this host's /dev or /sys mounted in there.
    (void)os::run_command({"rm", {"-rf", "--one-file-system", "--", path_}});
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Error with_way_to_install(Error error, Builder builder) {
  error.next = builder == Builder::dnf
                   ? "install dnf (apt install dnf, on Debian), or build the root elsewhere and "
                     "import it as a folder or tar"
                   : "install mmdebstrap (apt install mmdebstrap; dnf install mmdebstrap)";
  return error;
}

/// The steps that mmdebstrap and dnf tell, out of what they write: "I: installing packages...".
class Steps {
 public:
  explicit Steps(ImportEvents& events) : events_(events) {}
  void hear(std::string_view piece) {
    for (const char c : piece) {
      if (c != '\n' && c != '\r') {
        if (line_.size() < kLongest) line_.push_back(c);
        continue;
      }
      tell();
      line_.clear();
    }
  }

 private:
  static constexpr size_t kLongest = 200;
  void tell() {
    std::string_view said = line_;
    if (said.starts_with("I: ")) said.remove_prefix(3);
    while (said.ends_with('.')) said.remove_suffix(1);
    if (!said.empty() && events_.step) events_.step(said);
  }
  ImportEvents& events_;
  std::string line_;
};

Status write_files(Disk& disk, const Recipe& recipe, const BuildPlace& place) {
  for (size_t i = 0; i < recipe.files.size(); ++i) {
    const RecipeFile& file = recipe.files[i];
    if (!file.source.empty()) {
      const std::string path = source_path(file, place);
      DROVER_TRY(const bool there, disk.exists(path));
      if (!there)
        return fail(Code::not_found, fmt::format("the recipe's file {} is not there", path));
      continue;
    }
    const std::string path = fmt::format("{}/file-{}", place.scratch, i);
    DROVER_TRY(const auto out, disk.open(path, true, 0600));
    DROVER_CHECK_OK(out->write(0, file.content));
  }
  return {};
}

}  // namespace

Result<Imported> build_image(Disk& disk, BlobStore& blobs, const Recipe& recipe,
                             const std::string& recipe_dir, ImportRequest request,
                             ImportEvents& events, WallTime now) {
  if (::geteuid() != 0) {
    return fail(Code::denied, "only root can build a root file system with its owners",
                "run it as root");
  }
  DROVER_TRY(const std::string folder, blobs.scratch_path());
  const Workshop workshop(folder);
  const BuildPlace place{folder + "/root", recipe_dir, folder};
  DROVER_CHECK_OK(disk.make_dirs(folder, 0755));
  DROVER_CHECK_OK(write_files(disk, recipe, place));
  const std::string tool(enum_name(recipe.builder));
  if (!os::has_program(tool)) {
    const Error missing{
        Code::not_found, fmt::format("the program {} is not installed", tool), {}, {}};
    return tl::unexpected(with_way_to_install(missing, recipe.builder));
  }
  os::CommandLine command = build_command(recipe, place);
  Steps steps(events);
  command.on_output = [&](std::string_view piece) { steps.hear(piece); };
  command.on_error = [&](std::string_view piece) { steps.hear(piece); };
  if (events.step) events.step("starting " + tool);
  auto built = os::run_command(std::move(command));
  if (!built) {
    return fail_in("building the root", std::move(built).error());
  }
  request.source = place.root;
  request.excludes.insert(request.excludes.end(), recipe.excludes.begin(), recipe.excludes.end());
  DROVER_TRY(Imported out, import_image(disk, blobs, request, events, now));
  out.version.source = fmt::format("recipe {} of {}", recipe.name, recipe.suite);
  return out;
}

}  // namespace drover::boot::image
