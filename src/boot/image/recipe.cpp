#include "boot/image/recipe.hpp"

#include "base/json_values.hpp"
#include "base/yaml_read.hpp"
#include "cluster/field_rules.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace drover::boot::image {
namespace {

constexpr std::array<std::string_view, 2> kBuilders{"mmdebstrap", "dnf"};
constexpr size_t kMostEntries = 4096;

bool is_word(std::string_view text, std::string_view more) {
  return !text.empty() && text.front() != '-' && std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           more.find(c) != std::string_view::npos;
  });
}

Status bad(const std::string& field, std::string_view value, std::string_view rule) {
  return fail(Code::invalid_argument, fmt::format("{}: '{}' {}", field, value, rule));
}

/// Packages may have a version, an architecture, a group ("@core") or a pattern.
Status check_words(const std::string& field, const std::vector<std::string>& words,
                   std::string_view more) {
  if (words.size() > kMostEntries) return bad(field, "", "has too many entries");
  for (size_t i = 0; i < words.size(); ++i) {
    if (is_word(words[i], more)) continue;
    return bad(fmt::format("{}/{}", field, i), words[i], "is no name");
  }
  return {};
}

Status check_line(const std::string& field, std::string_view text) {
  const bool good = !text.empty() && text.front() != '-' &&
                    std::ranges::all_of(text, [](char c) { return c >= ' ' && c != '\x7f'; });
  if (good) return {};
  return bad(field, text, "must be one line that does not begin with '-'");
}

Status check_file(const std::string& field, const RecipeFile& file) {
  const bool plain = file.path.size() > 1 && file.path.front() == '/' &&
                     file.path.find('\0') == std::string::npos &&
                     file.path.find('\n') == std::string::npos && !file.path.ends_with('/') &&
                     ("/" + file.path + "/").find("/../") == std::string::npos;
  if (!plain) return bad(field + "/path", file.path, "must be the absolute path of a file");
  if (!file.content.empty() && !file.source.empty()) {
    return bad(field, file.path, "has content and a source; one of them is to be left out");
  }
  const bool octal = file.mode.size() >= 3 && file.mode.size() <= 5 &&
                     file.mode.find_first_not_of("01234567") == std::string::npos;
  if (!octal) return bad(field + "/mode", file.mode, "must be octal, such as 0644");
  return {};
}

Status check(const Recipe& recipe) {
  if (recipe.kind != "drover-recipe") return bad("kind", recipe.kind, "must be drover-recipe");
  if (!recipe.name.empty()) DROVER_CHECK_OK(cluster::check_set_name("name", recipe.name));
  if (!is_word(recipe.suite, "._-")) return bad("suite", recipe.suite, "is no release");
  for (const auto& [field, text] :
       {std::pair("variant", &recipe.variant), std::pair("arch", &recipe.arch),
        std::pair("kernel", &recipe.kernel)}) {
    if (!text->empty() && !is_word(*text, "._+-")) return bad(field, *text, "is no name");
  }
  DROVER_CHECK_OK(check_words("packages", recipe.packages, "._+-:=~@/?!*^ ()'\""));
  DROVER_CHECK_OK(check_words("components", recipe.components, "._-"));
  for (size_t i = 0; i < recipe.packages.size(); ++i) {
    // mmdebstrap takes one list with commas or blanks between.
    if (recipe.packages[i].find_first_of(", ") == std::string::npos) continue;
    return bad(fmt::format("packages/{}", i), recipe.packages[i], "is more than one name");
  }
  for (size_t i = 0; i < recipe.mirrors.size(); ++i) {
    DROVER_CHECK_OK(check_line(fmt::format("mirrors/{}", i), recipe.mirrors[i]));
  }
  for (size_t i = 0; i < recipe.files.size(); ++i) {
    DROVER_CHECK_OK(check_file(fmt::format("files/{}", i), recipe.files[i]));
  }
  for (size_t i = 0; i < recipe.commands.size(); ++i) {
    if (!recipe.commands[i].empty() && recipe.commands[i].find('\0') == std::string::npos) continue;
    return bad(fmt::format("commands/{}", i), recipe.commands[i], "is empty");
  }
  DROVER_CHECK_OK(check_words("keys", recipe.keys, "._-:/%~+@"));
  if (!recipe.keys.empty() && (recipe.builder != Builder::dnf || recipe.mirrors.empty())) {
    return fail(
        Code::invalid_argument, "keys: are those of dnf's mirrors, of which there are none",
        "with mmdebstrap, write a mirror as 'deb [signed-by=/path/KEY.asc] URL SUITE main'");
  }
  if (recipe.builder == Builder::dnf && !(recipe.variant.empty() && recipe.components.empty())) {
    return fail(Code::invalid_argument, "variant and components are mmdebstrap's, not dnf's");
  }
  return {};
}

/// In single quotes for sh(1).
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out.push_back(c);
    }
  }
  return out + "'";
}

/// One shell text that puts a recipe's files into the root "$1" and runs its commands there.
std::string customise(const Recipe& recipe, const BuildPlace& place) {
  // Not every root has chroot(8) in its path, and the root's own programs are where they are there.
  std::string out = "set -e\nPATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin; export PATH\n";
  for (size_t i = 0; i < recipe.files.size(); ++i) {
    const RecipeFile& file = recipe.files[i];
    std::string from = fmt::format("{}/file-{}", place.scratch, i);
    if (!file.source.empty()) from = source_path(file, place);
    // Within the root, so that no link in it leads elsewhere.
    out += fmt::format(
        "chroot \"$1\" sh -c 'mkdir -p \"$(dirname \"$1\")\" && cat >\"$1\" && chmod \"$2\" "
        "\"$1\"' "
        "sh {} {} <{}\n",
        quoted(file.path), file.mode, quoted(from));
  }
  for (const std::string& command : recipe.commands) {
    out += fmt::format("chroot \"$1\" sh -ec {} </dev/null\n", quoted(command));
  }
  return out;
}

std::vector<std::string> packages_of(const Recipe& recipe) {
  std::vector<std::string> out = recipe.packages;
  if (recipe.kernel != "none") out.push_back(recipe.kernel);
  return out;
}

os::CommandLine debian_command(const Recipe& recipe, const BuildPlace& place) {
  os::CommandLine out;
  out.program = "mmdebstrap";
  out.arguments = {"--format=directory", "--mode=root"};
  const auto add = [&](std::string_view flag, const std::string& value) {
    if (!value.empty()) out.arguments.push_back(fmt::format("--{}={}", flag, value));
  };
  add("variant", recipe.variant.empty() ? "minbase" : recipe.variant);
  add("architectures", recipe.arch);
  add("components", fmt::format("{}", fmt::join(recipe.components, ",")));
  add("include", fmt::format("{}", fmt::join(packages_of(recipe), ",")));
  if (!recipe.files.empty() || !recipe.commands.empty()) {
    out.arguments.push_back("--customize-hook=" + customise(recipe, place));
  }
  out.arguments.push_back(recipe.suite);
  out.arguments.push_back(place.root);
  for (const std::string& mirror : recipe.mirrors) out.arguments.push_back(mirror);
  out.environment = {"DEBIAN_FRONTEND=noninteractive"};
  return out;
}

/// None of this host's devices itself: what a package does to /dev is undone with the mounts.
constexpr std::string_view kDnfMounts = R"(set -e
root=$1; shift
mkdir -p "$root/proc" "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=0755 devices "$root/dev"
for node in null zero full random urandom tty; do
  : >"$root/dev/$node"
  mount --bind "/dev/$node" "$root/dev/$node"
done
ln -s /proc/self/fd "$root/dev/fd"
)";

os::CommandLine dnf_command(const Recipe& recipe, const BuildPlace& place) {
  os::CommandLine out;
  // The files and commands follow the installation, so a shell runs both. Scriptlets and commands
  // find /proc and a few devices, in mounts that end with this shell.
  const std::string script = std::string(kDnfMounts) + "dnf \"$@\" </dev/null\nset -- \"$root\"\n" +
                             customise(recipe, place);
  out.program = "unshare";
  out.arguments = {"--mount",
                   "sh",
                   "-c",
                   script,
                   "sh",
                   place.root,
                   "--assumeyes",
                   "--installroot=" + place.root,
                   "--releasever=" + recipe.suite,
                   "--setopt=install_weak_deps=False"};
  if (!recipe.arch.empty()) out.arguments.push_back("--forcearch=" + recipe.arch);
  if (!recipe.mirrors.empty()) out.arguments.emplace_back("--disablerepo=*");
  for (size_t i = 0; i < recipe.mirrors.size(); ++i) {
    out.arguments.push_back(fmt::format("--repofrompath=recipe{},{}", i, recipe.mirrors[i]));
    if (recipe.keys.empty()) continue;
    const bool none = recipe.keys.front() == "none";
    out.arguments.push_back(fmt::format("--setopt=recipe{}.gpgcheck={}", i, none ? 0 : 1));
    if (none) continue;
    out.arguments.push_back(
        fmt::format("--setopt=recipe{}.gpgkey={}", i, fmt::join(recipe.keys, " ")));
  }
  out.arguments.emplace_back("install");
  std::ranges::copy(packages_of(recipe), std::back_inserter(out.arguments));
  return out;
}

}  // namespace

std::span<const std::string_view> enum_names(Builder) {
  return kBuilders;
}

void RecipeFile::describe(Visitor& v) {
  v.field("path", path, "Where it is put in the image.");
  v.field("content", content, "What is in it; or say a source.", Presence::optional);
  v.field("source", source, "A file of this host that it is copied from.", Presence::optional);
  v.field("mode", mode, "Its permissions, octal.", Presence::optional);
}

void Recipe::describe(Visitor& v) {
  v.field("kind", kind, "drover-recipe.");
  v.field("name", name, "The image's name, unless the command names it.", Presence::optional);
  v.field("description", description, "A note, for people.", Presence::optional);
  v.field("builder", builder, "What makes the root.", Presence::optional);
  v.field("suite", suite, "The distribution's release: bookworm, jammy, 40.");
  v.field("mirrors", mirrors, "Where packages come from; else what the builder knows.",
          Presence::optional);
  v.field("keys", keys, "URLs of the keys of the mirrors' packages; none: they have none (dnf).",
          Presence::optional);
  v.field("components", components, "Parts of the distribution, such as main (mmdebstrap).",
          Presence::optional);
  v.field("variant", variant, "What is there without being named: minbase, standard (mmdebstrap).",
          Presence::optional);
  v.field("arch", arch, "As the distribution calls it; else this host's.", Presence::optional);
  v.field("kernel", kernel, "The kernel's package; none for an image that is given one.",
          Presence::optional);
  v.field("packages", packages, "What is installed.", Presence::optional);
  v.field("files", files, "Files that are put in, before the commands.", Presence::optional);
  v.field("commands", commands, "Run by a shell in the root, one after the other.",
          Presence::optional);
  v.field("excludes", excludes, "Wildcards of what stays out.", Presence::optional);
}

Result<Recipe> parse_recipe(std::string_view text, const std::string& origin) {
  // As written: a release 12.10 and a mode 0755 are no numbers.
  auto value = parse_yaml(text, YamlScalars::text);
  if (!value) return fail_in(origin, std::move(value).error());
  auto recipe = decode<Recipe>(*value, Unknown::refuse);
  if (!recipe) return fail_in(origin, std::move(recipe).error());
  if (recipe->kernel.empty()) {
    return fail(Code::invalid_argument, origin + ": kernel: is missing",
                "name the kernel's package, such as linux-image-amd64, or none");
  }
  if (const Status good = check(*recipe); !good) return fail_in(origin, good.error());
  return std::move(*recipe);
}

std::string source_path(const RecipeFile& file, const BuildPlace& place) {
  return file.source.starts_with('/') ? file.source : place.recipe_dir + "/" + file.source;
}

os::CommandLine build_command(const Recipe& recipe, const BuildPlace& place) {
  return recipe.builder == Builder::dnf ? dnf_command(recipe, place)
                                        : debian_command(recipe, place);
}

}  // namespace drover::boot::image
