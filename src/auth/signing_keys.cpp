#include "auth/signing_keys.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

namespace drover::auth {
namespace {

constexpr size_t kIdLength = 16;
constexpr size_t kLongestIndex = size_t{64} << 10;
constexpr std::string_view kRestore =
    "restore the folder from a back-up, or remove it: then every bearer token ends";

std::string id_of(const KeyPair& key) {
  return key.public_key().sha256().substr(0, kIdLength);
}
std::string key_path(const std::string& dir, std::string_view id) {
  return fmt::format("{}/{}.key", dir, id);
}
std::string index_path(const std::string& dir) {
  return dir + "/index";
}

struct IndexLine {
  std::string id;
  WallTime made{};
};

/// "KID UNIX-MS" a line, newest first.
Result<std::vector<IndexLine>> parse_index(const std::string& path, std::string_view text) {
  std::vector<IndexLine> out;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    int64_t ms = 0;
    const std::string_view number = line.substr(std::min(kIdLength + 1, line.size()));
    const auto [at, error] = std::from_chars(number.data(), number.data() + number.size(), ms);
    const bool good =
        line.size() > kIdLength && line[kIdLength] == ' ' &&
        line.substr(0, kIdLength).find_first_not_of("0123456789abcdef") == std::string_view::npos &&
        error == std::errc{} && at == number.data() + number.size();
    if (!good) {
      return fail(Code::corrupt, fmt::format("{} holds a line that is not its own", path),
                  std::string(kRestore));
    }
    out.push_back({std::string(line.substr(0, kIdLength)), from_unix_ms(ms)});
  }
  if (out.empty()) return fail(Code::corrupt, path + " is empty", std::string(kRestore));
  return out;
}

}  // namespace

SigningKeys::SigningKeys(std::string dir, std::vector<Entry> keys)
    : dir_(std::move(dir)), keys_(std::move(keys)) {
  std::vector<VerificationKey> checking;
  checking.reserve(keys_.size());
  for (const Entry& entry : keys_) checking.emplace_back(entry.id, entry.key.public_key());
  checking_ = KeySet(std::move(checking));
}

Result<SigningKeys::Entry> SigningKeys::make_key(Disk& disk, const std::string& dir, WallTime now) {
  DROVER_TRY(KeyPair key, KeyPair::make());
  Entry entry{id_of(key), now, std::move(key)};
  DROVER_CHECK_OK(entry.key.save(disk, key_path(dir, entry.id)));
  return entry;
}

Status SigningKeys::write_index(Disk& disk) const {
  std::string text;
  for (const Entry& entry : keys_) {
    text += fmt::format("{} {}\n", entry.id, to_unix_ms(entry.made));
  }
  return disk.write_atomic(index_path(dir_), text, 0600);
}

Result<SigningKeys> SigningKeys::open_or_create(Disk& disk, const std::string& dir, WallTime now) {
  DROVER_CHECK_OK(disk.make_dirs(dir, 0700));
  DROVER_TRY(const bool there, disk.exists(index_path(dir)));
  if (!there) {
    DROVER_TRY(Entry first, make_key(disk, dir, now));
    std::vector<Entry> keys;
    keys.push_back(std::move(first));
    SigningKeys made(dir, std::move(keys));
    DROVER_CHECK_OK(made.write_index(disk));
    // The folder itself must survive a power cut too, or the tokens of today end with it.
    const size_t slash = dir.rfind('/');
    if (slash != std::string::npos && slash > 0) {
      DROVER_CHECK_OK(disk.sync_dir(dir.substr(0, slash)));
    }
    return made;
  }
  DROVER_TRY(const std::string text, disk.read_all(index_path(dir), kLongestIndex));
  DROVER_TRY(const auto lines, parse_index(index_path(dir), text));
  std::vector<Entry> keys;
  for (const IndexLine& line : lines) {
    auto key = KeyPair::load(disk, key_path(dir, line.id));
    if (!key || id_of(*key) != line.id) {
      return fail(Code::corrupt,
                  fmt::format("{} is not the signing key that {} names{}", key_path(dir, line.id),
                              index_path(dir), key ? "" : ": " + key.error().text()),
                  std::string(kRestore));
    }
    keys.push_back({line.id, line.made, *std::move(key)});
  }
  return SigningKeys(dir, std::move(keys));
}

Result<std::string> SigningKeys::sign(std::string_view payload) const {
  return sign_jws(keys_.front().key, current(), payload);
}

Result<std::string> SigningKeys::jwks() const {
  std::string out = R"({"keys":[)";
  for (size_t i = 0; i < keys_.size(); ++i) {
    DROVER_TRY(const std::string key, to_jwk(keys_[i].key.public_key(), keys_[i].id));
    if (i > 0) out.push_back(',');
    out += key;
  }
  return out + "]}";
}

Result<SigningKeys> SigningKeys::rotated(Disk& disk, WallTime now, bool forget_old) const {
  DROVER_TRY(Entry fresh, make_key(disk, dir_, now));
  std::vector<Entry> keys;
  keys.push_back(std::move(fresh));
  std::vector<std::string> dropped;
  for (size_t i = 0; i < keys_.size(); ++i) {
    // A key was in use until the one before it was made.
    const WallTime replaced = i == 0 ? now : keys_[i - 1].made;
    if (forget_old || now - replaced > kKept) {
      dropped.push_back(keys_[i].id);
    } else {
      keys.push_back(keys_[i]);
    }
  }
  SigningKeys out(dir_, std::move(keys));
  DROVER_CHECK_OK(out.write_index(disk));
  // What is left of a crash here is a file that nothing reads.
  for (const std::string& id : dropped) (void)disk.remove(key_path(dir_, id));
  return out;
}

}  // namespace drover::auth
