#include "boot/image/layer.hpp"

#include "os/command.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace drover::boot::image {
namespace {

namespace fs = std::filesystem;

/// image-spec, layer.md: "Whiteouts".
constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";
/// Of aufs itself (".wh..wh.plnk"): neither a file nor a whiteout.
constexpr std::string_view kInternal = ".wh..wh.";

tl::unexpected<Error> refuse(std::string_view path, std::string_view why) {
  return tl::unexpected(
      Error{Code::denied, fmt::format("the layer's entry '{}' {}", path, why), {}, {}});
}

/// What tar's quoting style "escape" has made of a name.
std::string unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out.push_back(text[i]);
      continue;
    }
    const char c = text[++i];
    constexpr std::string_view kNames = "abfnrtv";
    constexpr std::string_view kBytes = "\a\b\f\n\r\t\v";
    if (const size_t at = kNames.find(c); at != std::string_view::npos) {
      out.push_back(kBytes[at]);
    } else if (c >= '0' && c <= '3' && i + 2 < text.size()) {
      out.push_back(
          static_cast<char>((c - '0') << 6 | (text[i + 1] - '0') << 3 | (text[i + 2] - '0')));
      i += 2;
    } else {
      out.push_back(c);
    }
  }
  return out;
}

/// A name in its plain form; empty for the root itself. Nothing for one that leads out.
std::optional<std::string> plain(std::string_view escaped) {
  const std::string text = unescaped(escaped);
  std::string out;
  size_t at = 0;
  while (at <= text.size()) {
    const size_t end = std::min(text.find('/', at), text.size());
    const std::string_view part = std::string_view(text).substr(at, end - at);
    if (part == "..") return std::nullopt;
    if (!part.empty() && part != ".") {
      if (!out.empty()) out.push_back('/');
      out += part;
    }
    at = end + 1;
  }
  return out;
}

/// "-rw-r--r-- 0/0  5 2026-11-22 08:00:00.5 name": what stands behind five fields.
std::string_view name_of(std::string_view line) {
  for (int field = 0; field < 5; ++field) {
    const size_t end = line.find(' ');
    if (end == std::string_view::npos) return {};
    line.remove_prefix(end);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  }
  return line;
}

std::string_view last_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view parent_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

Result<std::vector<LayerEntry>> read_line(std::string_view line) {
  std::string_view name = name_of(line);
  if (name.empty()) return fail(Code::corrupt, fmt::format("tar said '{}' of the layer", line));
  const char kind = line.front();
  std::string_view target;
  if (kind == 'l' || kind == 'h') {
    const std::string_view between = kind == 'l' ? " -> " : " link to ";
    const size_t at = name.find(between);
    const size_t behind = at == std::string_view::npos ? at : at + between.size();
    if (at == std::string_view::npos || name.find(between, behind) != std::string_view::npos) {
      return refuse(name, "is a link whose name is not clear");
    }
    target = name.substr(behind);
    name = name.substr(0, at);
  }
  LayerEntry entry;
  const auto path = plain(name);
  if (!path) return refuse(name, "leads out of the image");
  entry.path = *path;
  entry.folder = kind == 'd';
  if (kind == 'h') {
    const auto link = plain(target);
    if (!link || link->empty()) return refuse(name, "is a link that leads out of the image");
    entry.link = *link;
  }
  if (entry.path.empty()) return std::vector<LayerEntry>{};
  return std::vector<LayerEntry>{std::move(entry)};
}

TreeHas what_is_at(const std::string& tree, const std::string& path) {
  std::error_code error;
  switch (fs::symlink_status(fs::path(tree) / path, error).type()) {
    case fs::file_type::none:
    case fs::file_type::not_found:
      return TreeHas::nothing;
    case fs::file_type::symlink:
      return TreeHas::link;
    case fs::file_type::directory:
      return TreeHas::folder;
    default:
      return TreeHas::file;
  }
}

Status run_plan(const std::string& tree, const LayerPlan& plan) {
  std::error_code error;
  const auto remove = [&](const fs::path& path) -> Status {
    fs::remove_all(path, error);
    if (!error) return {};
    return fail(Code::io, fmt::format("removing {}: {}", path.string(), error.message()));
  };
  for (const std::string& path : plan.remove) DROVER_CHECK_OK(remove(fs::path(tree) / path));
  for (const std::string& folder : plan.empty) {
    const fs::path path = fs::path(tree) / folder;
    if (!fs::is_directory(fs::symlink_status(path, error))) continue;
    for (const auto& entry : fs::directory_iterator(path, error)) {
      DROVER_CHECK_OK(remove(entry.path()));
    }
  }
  return {};
}

}  // namespace

Result<std::vector<LayerEntry>> read_layer_list(std::string_view listing) {
  std::vector<LayerEntry> out;
  while (!listing.empty()) {
    const size_t end = std::min(listing.find('\n'), listing.size());
    const std::string_view line = listing.substr(0, end);
    listing.remove_prefix(std::min(end + 1, listing.size()));
    if (line.empty()) continue;
    DROVER_TRY(auto entries, read_line(line));
    for (LayerEntry& entry : entries) out.push_back(std::move(entry));
  }
  return out;
}

Result<LayerPlan> plan_layer(const std::vector<LayerEntry>& entries,
                             const std::function<TreeHas(const std::string&)>& tree) {
  LayerPlan out;
  std::set<std::string_view> made;  // what this layer has put in the place of a link, so far
  std::set<std::string, std::less<>> known;
  const auto reaches_through = [&](std::string_view path) -> std::string {
    for (size_t at = path.find('/'); at != std::string_view::npos; at = path.find('/', at + 1)) {
      const std::string_view prefix = path.substr(0, at);
      if (made.contains(prefix) || known.contains(prefix)) continue;
      if (tree(std::string(prefix)) == TreeHas::link) return std::string(prefix);
      known.emplace(prefix);
    }
    return {};
  };
  for (const LayerEntry& entry : entries) {
    for (const std::string& path : {entry.path, entry.link}) {
      const std::string link = reaches_through(path);
      if (!link.empty()) {
        return refuse(path, fmt::format("reaches through '{}', a link of a layer below", link));
      }
    }
    const std::string_view name = last_of(entry.path);
    if (name == kOpaque) {
      out.empty.emplace_back(parent_of(entry.path));
    } else if (name.starts_with(kInternal)) {
      continue;
    } else if (name.starts_with(kWhiteout)) {
      const std::string_view hidden = name.substr(kWhiteout.size());
      if (hidden.empty() || hidden == "." || hidden == "..") {
        return refuse(entry.path, "is no whiteout");
      }
      const std::string_view folder = parent_of(entry.path);
      out.remove.push_back(folder.empty() ? std::string(hidden)
                                          : fmt::format("{}/{}", folder, hidden));
    } else {
      const TreeHas there = tree(entry.path);
      const bool changes = entry.folder ? there == TreeHas::link : there == TreeHas::folder;
      if (changes) out.remove.push_back(entry.path);
      if (entry.folder) made.insert(entry.path);
    }
  }
  return out;
}

Status unpack_layer(const std::string& archive, const std::string& tree, bool all_root) {
  os::CommandLine list;
  list.program = "tar";
  list.arguments = {"--list",      "--verbose",       "--quoting-style=escape",
                    "--full-time", "--numeric-owner", "--file",
                    archive};
  list.environment = {"LC_ALL=C", "TZ=UTC"};
  std::string listing;
  list.on_output = [&](std::string_view piece) { listing += piece; };
  DROVER_TRY([[maybe_unused]] const auto listed, os::run_command(std::move(list)));
  DROVER_TRY(const auto entries, read_layer_list(listing));
  DROVER_TRY(const LayerPlan plan,
             plan_layer(entries, [&](const std::string& path) { return what_is_at(tree, path); }));
  DROVER_CHECK_OK(run_plan(tree, plan));
  os::CommandLine unpack;
  unpack.program = "tar";
  unpack.arguments = {"--extract",
                      "--file",
                      archive,
                      "--directory",
                      tree,
                      "--numeric-owner",
                      "--preserve-permissions",
                      "--delay-directory-restore",
                      "--exclude=.wh.*",
                      all_root ? "--no-same-owner" : "--xattrs-include=security.capability"};
  DROVER_TRY([[maybe_unused]] const auto unpacked, os::run_command(std::move(unpack)));
  return {};
}

}  // namespace drover::boot::image
