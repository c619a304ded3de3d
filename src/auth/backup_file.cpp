#include "auth/backup_file.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <optional>

#include <fmt/core.h>

namespace drover::auth {
namespace {

constexpr std::string_view kMagic = "drover-backup";
constexpr size_t kBlock = size_t{256} << 10;

struct ManifestLine {
  static constexpr std::string_view kTypeName = "BackupManifestLine";
  BackupManifest manifest;
  void describe(Visitor& v) { v.field("manifest", manifest, ""); }
};
struct EndLine {
  static constexpr std::string_view kTypeName = "BackupEndLine";
  std::string end_sha256;
  void describe(Visitor& v) { v.field("end_sha256", end_sha256, ""); }
};

tl::unexpected<Error> broken(std::string_view what) {
  return fail(Code::corrupt, fmt::format("the backup is damaged or cut off: {}", what),
              "use another copy of it");
}

/// The file's bytes in order, with the digest of those that were taken.
class Reader {
 public:
  explicit Reader(File& file) : file_(file) {}

  /// The next line without its end.
  Result<std::string> line() {
    std::string out;
    while (out.size() <= kMaxBackupLine) {
      DROVER_CHECK_OK(fill());
      if (at_ == size_) return broken("it ends in the middle");
      const std::string_view rest(block_.data() + at_, size_ - at_);
      const size_t end = rest.find('\n');
      const size_t take = std::min(end, rest.size());
      out += rest.substr(0, take);
      at_ += take;
      position_ += take;
      if (end == std::string_view::npos) continue;
      ++at_;
      ++position_;
      return out;
    }
    return broken("a line is too long");
  }
  void count(std::string_view line) {
    digest_.add(line);
    digest_.add("\n");
  }
  Status skip(uint64_t bytes) {
    while (bytes > 0) {
      DROVER_CHECK_OK(fill());
      if (at_ == size_) return broken("it ends in the middle of a file");
      const size_t take = std::min<uint64_t>(bytes, size_ - at_);
      digest_.add({block_.data() + at_, take});
      at_ += take;
      position_ += take;
      bytes -= take;
    }
    return {};
  }
  [[nodiscard]] uint64_t position() const { return position_; }
  std::string digest() { return digest_.finish(); }
  Result<bool> at_end() {
    DROVER_CHECK_OK(fill());
    return at_ == size_;
  }

 private:
  Status fill() {
    if (at_ < size_) return {};
    at_ = 0;
    size_ = 0;
    DROVER_TRY(size_, file_.read(position_, block_));
    return {};
  }

  File& file_;
  std::vector<char> block_ = std::vector<char>(kBlock);
  size_t at_ = 0;
  size_t size_ = 0;
  uint64_t position_ = 0;
  net::Sha256 digest_;
};

Status read_head(Reader& reader, BackupContents& out) {
  DROVER_TRY(const std::string magic, reader.line());
  if (!magic.starts_with(kMagic)) {
    return fail(Code::corrupt, "this is not a backup of Drover",
                "name the file that drover backup wrote");
  }
  if (magic != fmt::format("{} {}", kMagic, kBackupFormat)) {
    return fail(Code::unsupported,
                fmt::format("the backup has the format \"{}\"; this build reads {} {}",
                            printable(magic.substr(0, 40)), kMagic, kBackupFormat),
                "use the Drover version that wrote it, or a newer one");
  }
  reader.count(magic);
  DROVER_TRY(const std::string text, reader.line());
  auto manifest = decode_text<ManifestLine>(text, Unknown::ignore);
  if (!manifest) return broken("its manifest does not read");
  reader.count(text);
  out.manifest = std::move(manifest->manifest);
  return {};
}

Status read_file(Reader& reader, const std::string& line, BackupContents& out) {
  auto entry = decode_text<BackupEntry>(line, Unknown::ignore);
  if (!entry) return broken("an entry does not read");
  DROVER_CHECK_OK(check_backup_name(entry->file));
  const bool known = std::ranges::any_of(
      out.files, [&](const BackupEntry& other) { return other.file == entry->file; });
  if (known || out.files.size() >= kMaxBackupFiles)
    return broken("it names a file twice, or too many");
  reader.count(line);
  entry->offset = reader.position();
  DROVER_CHECK_OK(reader.skip(entry->bytes));
  DROVER_TRY(const std::string end, reader.line());
  if (!end.empty()) return broken("a file is longer than it says");
  reader.count(end);
  out.files.push_back(*std::move(entry));
  return {};
}

}  // namespace

void BackupManifest::describe(Visitor& v) {
  v.field("format", format, "Version of the format.");
  v.field("cluster", cluster, "Id of the cluster.");
  v.field("master", master, "Name of the master that made it.");
  v.field("version", version, "Version of Drover that made it.");
  v.field("time", time, "When it was made.");
  v.field("head", head, "Sequence of the newest change in it.");
  v.field("secrets", secrets, "How private keys are kept in it.");
}

void BackupEntry::describe(Visitor& v) {
  v.field("file", file, "Name, relative to the master's folder for state.");
  v.field("bytes", bytes, "Its length.");
}

Status check_backup_name(std::string_view name) {
  const auto plain = [](std::string_view part) {
    constexpr std::string_view kAllowed =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return !part.empty() && part.size() <= 128 && part.front() != '.' &&
           part.find_first_not_of(kAllowed) == std::string_view::npos;
  };
  const size_t slash = name.find('/');
  const bool good = slash == std::string_view::npos
                        ? plain(name)
                        : plain(name.substr(0, slash)) && plain(name.substr(slash + 1));
  if (good) return {};
  return fail(Code::corrupt, fmt::format("the backup names a file \"{}\", which Drover never does",
                                         printable(name.substr(0, 200))));
}

std::string BackupWriter::line(std::string text) {
  text.push_back('\n');
  digest_.add(text);
  return text;
}

std::string BackupWriter::start(const BackupManifest& manifest) {
  std::string out = line(fmt::format("{} {}", kMagic, kBackupFormat));
  return out + line(encode(ManifestLine{manifest}));
}

std::string BackupWriter::begin_file(const std::string& name, uint64_t bytes) {
  return line(encode(BackupEntry{name, bytes, 0}));
}

std::string_view BackupWriter::data(std::string_view bytes) {
  digest_.add(bytes);
  return bytes;
}

std::string BackupWriter::end_file() {
  return line({});
}

std::string BackupWriter::finish() {
  return encode(EndLine{digest_.finish()}) + "\n";
}

Result<BackupContents> read_backup(File& file) {
  Reader reader(file);
  BackupContents out;
  DROVER_CHECK_OK(read_head(reader, out));
  for (;;) {
    DROVER_TRY(const std::string line, reader.line());
    if (line.find("\"end_sha256\"") == std::string::npos) {
      DROVER_CHECK_OK(read_file(reader, line, out));
      continue;
    }
    const auto end = decode_text<EndLine>(line, Unknown::ignore);
    if (!end) return broken("its last line does not read");
    if (end->end_sha256 != reader.digest()) return broken("its checksum is another");
    DROVER_TRY(const bool over, reader.at_end());
    if (!over) return broken("something follows its end");
    return out;
  }
}

}  // namespace drover::auth
