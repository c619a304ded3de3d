// What an image is built of, as a site writes it down: distribution, packages, files, commands. One
// YAML document of kind drover-recipe.
#pragma once

#include "base/describe.hpp"
#include "base/result.hpp"
#include "os/command.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace drover::boot::image {

/// What makes the root.
enum class Builder : uint8_t {
  mmdebstrap,  ///< Debian, Ubuntu and what descends from them
  dnf,         ///< Fedora, RHEL, Rocky, AlmaLinux ..
};
std::span<const std::string_view> enum_names(Builder);

/// A file that is put into the root, after the packages and before the commands.
struct RecipeFile {
  static constexpr std::string_view kTypeName = "RecipeFile";
  std::string path;     ///< in the image, absolute
  std::string content;  ///< of it; or
  std::string source;   ///< a file of this host, relative to the recipe
  std::string mode = "0644";
  bool operator==(const RecipeFile&) const = default;
  void describe(Visitor& v);
};

struct Recipe {
  static constexpr std::string_view kTypeName = "Recipe";
  std::string kind = "drover-recipe";
  std::string name;  ///< of the image, where the command line names none
  std::string description;
  Builder builder = Builder::mmdebstrap;
  std::string suite;                 ///< mmdebstrap: bookworm, jammy ..; dnf: the release's number
  std::vector<std::string> mirrors;  ///< URLs, or lines of sources.list; empty: the tool's own
  /// dnf: URLs of the keys that the mirrors' packages are signed with. "none" alone: packages are
  /// taken without. Empty: signatures are checked against keys of the builder's own, if at all.
  std::vector<std::string> keys;
  std::vector<std::string> components;  ///< mmdebstrap: main, contrib ..
  std::string variant;                  ///< mmdebstrap: minbase, apt, standard ..
  std::string arch;                     ///< as the distribution calls it; empty: this host's
  std::string kernel;                   ///< the kernel's package; "none": without one
  std::vector<std::string> packages;
  std::vector<RecipeFile> files;
  std::vector<std::string> commands;  ///< each by a shell in the root, in order; a failure ends all
  std::vector<std::string> excludes;  ///< wildcards of what stays out of the packed root
  bool operator==(const Recipe&) const = default;
  void describe(Visitor& v);
};

/// Reads and checks a recipe. Errors name field and rule. `origin`: its file, for them.
Result<Recipe> parse_recipe(std::string_view text, const std::string& origin);

/// Where a build puts things.
struct BuildPlace {
  std::string root;        ///< the tree, which must not exist
  std::string recipe_dir;  ///< of the recipe's file: what `source` is relative to
  std::string scratch;     ///< a folder of this build alone, for what it hands to the tools
};

/// Where a file with a source is read from.
std::string source_path(const RecipeFile& file, const BuildPlace& place);

/// The program that makes the root, with all its arguments. What the recipe gives as content of a
/// file must lie in scratch/file-N already, N counting its files from 0.
os::CommandLine build_command(const Recipe& recipe, const BuildPlace& place);

}  // namespace drover::boot::image
