// The manifest has a hash of content, mode and owner: whoever edits a placed file on the node keeps
// the edit until the definition changes.
#include "daemons/nodeup/file_keeper.hpp"

#include "auth/keys.hpp"
#include "base/base64.hpp"
#include "cluster/node_spec.hpp"
#include "os/placed_file.hpp"

#include <set>

#include <fmt/format.h>

namespace drover::daemons {
namespace {

constexpr size_t kLargest = size_t{1} << 20;

struct ManifestFile {
  static constexpr std::string_view kTypeName = "OverlayManifest";
  std::map<std::string, std::string> files;
  void describe(Visitor& v) { v.field("files", files, "Hashes by path."); }
};

std::string hash_of(const cluster::OrderedFile& each) {
  return auth::sha256_hex(fmt::format("{}\n{}\n{}\n{}\n{}", each.file.mode, each.file.user,
                                      each.file.group, enum_name(each.file.encoding),
                                      each.file.content));
}

Status place(const cluster::OrderedFile& each, const std::string& root) {
  os::PlacedFile file;
  file.path = each.path;
  file.content = each.file.content;
  if (each.file.encoding == cluster::FileEncoding::base64url) {
    DROVER_TRY(file.content, from_base64url(each.file.content));
  }
  DROVER_TRY(file.mode, cluster::mode_bits(each.file.mode));
  file.user = each.file.user;
  file.group = each.file.group;
  return os::place_file(file, root);
}

}  // namespace

Result<FileKeeper::Manifest> FileKeeper::load() {
  DROVER_TRY(const bool there, disk_.exists(path_));
  if (!there) return Manifest();
  DROVER_TRY(const std::string text, disk_.read_all(path_, kLargest));
  DROVER_TRY(ManifestFile held, decode_text<ManifestFile>(text, Unknown::ignore));
  return std::move(held.files);
}

Status FileKeeper::save(const Manifest& manifest) {
  return disk_.write_atomic(path_, encode(ManifestFile{manifest}), 0600);
}

Result<cluster::FilesResult> FileKeeper::apply(const std::vector<cluster::OrderedFile>& files) {
  cluster::FilesResult out;
  DROVER_TRY(Manifest manifest, load());
  std::set<std::string> wanted;
  std::vector<const cluster::OrderedFile*> fresh;
  for (const cluster::OrderedFile& each : files) {
    wanted.insert(each.path);
    const auto held = manifest.find(each.path);
    const bool same =
        held != manifest.end() && held->second == hash_of(each) && os::is_placed(each.path, root_);
    same ? static_cast<void>(++out.unchanged) : fresh.push_back(&each);
  }
  std::vector<std::string> gone;
  for (const auto& [path, hash] : manifest) {
    if (!wanted.contains(path)) gone.push_back(path);
  }
  if (fresh.empty() && gone.empty()) return out;
  for (const auto* each : fresh) manifest[each->path].clear();
  DROVER_CHECK_OK(save(manifest));
  for (const auto* each : fresh) {
    if (const Status placed = place(*each, root_); !placed) {
      out.problems.push_back(fmt::format("{}: {}", each->path, placed.error().text()));
      continue;
    }
    manifest[each->path] = hash_of(*each);
    out.placed.push_back(each->path);
  }
  for (const std::string& path : gone) {
    if (const Status removed = os::remove_placed(path, root_); !removed) {
      out.problems.push_back(fmt::format("{}: {}", path, removed.error().text()));
      continue;
    }
    manifest.erase(path);
    out.removed.push_back(path);
  }
  DROVER_CHECK_OK(save(manifest));
  return out;
}

}  // namespace drover::daemons
