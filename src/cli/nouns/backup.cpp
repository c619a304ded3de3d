// drover backup and drover restore: all that a master keeps, to one file and back.
#include "auth/backup_file.hpp"
#include "auth/restore_note.hpp"
#include "auth/sealed_file.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"
#include "os/boot_id.hpp"
#include "os/user_name.hpp"

#include <algorithm>
#include <optional>

#include <fmt/core.h>
#include <unistd.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

constexpr Duration kSilence = std::chrono::seconds(60);
constexpr size_t kBlock = size_t{256} << 10;

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash == 0 ? 1 : slash);
}

/// Receives the stream into a file that only its owner may read.
class Receiver {
 public:
  Receiver(Client& client, File& file) : client_(client), file_(file) {}

  Status run(Duration timeout) {
    net::HttpStreamEvents events;
    events.on_head = [this](const net::HttpResponse& head) { response_ = head; };
    events.on_chunk = [this](std::string_view chunk) { take(chunk); };
    events.on_end = [this](Status end) { finish(std::move(end)); };
    call_ = client_.stream("/api/v1/backup", timeout, kSilence, std::move(events));
    client_.loop().run();
    call_.reset();
    if (response_.status >= 400) return tl::unexpected<Error>(problem_error(response_));
    return outcome_;
  }

 private:
  void take(std::string_view chunk) {
    constexpr size_t kMaxProblem = size_t{1} << 20;
    if (response_.status >= 400) {
      if (response_.body.size() < kMaxProblem) response_.body += chunk;
      return;
    }
    if (Status written = file_.write(written_, chunk); !written) return finish(std::move(written));
    written_ += chunk.size();
  }
  void finish(Status outcome) {
    if (outcome_) outcome_ = std::move(outcome);
    client_.loop().stop();
  }

  Client& client_;
  File& file_;
  uint64_t written_ = 0;
  net::HttpResponse response_;
  Status outcome_;
  std::unique_ptr<net::HttpCall> call_;
};

json::object summary_of(const std::string& path, const auth::BackupContents& contents) {
  uint64_t bytes = 0;
  json::array files;
  for (const auth::BackupEntry& entry : contents.files) {
    bytes += entry.bytes;
    files.emplace_back(entry.file);
  }
  return {{"file", path},
          {"cluster", contents.manifest.cluster},
          {"master", contents.manifest.master},
          {"version", contents.manifest.version},
          {"time", to_rfc3339(contents.manifest.time)},
          {"newest_change", contents.manifest.head},
          {"bytes", bytes},
          {"files", std::move(files)}};
}

/// What the file that --passphrase-file names holds ("-": standard input), its last line's end
/// aside; empty without one.
Result<std::string> passphrase_of(Context& context, const Given& given) {
  if (!given.has("passphrase-file")) return std::string();
  constexpr size_t kLongest = size_t{64} << 10;
  const std::string& path = given.text("passphrase-file");
  Surroundings& surroundings = context.surroundings();
  auto text = path == "-" ? surroundings.input() : surroundings.disk.read_all(path, kLongest);
  if (!text) return fail_in("reading the passphrase in " + printable(path), text.error());
  while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
  if (!text->empty()) return text;
  return fail(Code::invalid_argument, printable(path) + " holds no passphrase");
}

Result<auth::BackupContents> fetch(Context& context, Client& client, const std::string& path,
                                   const std::string& passphrase) {
  Disk& disk = context.surroundings().disk;
  DROVER_CHECK_OK(disk.remove(path));
  DROVER_TRY(std::unique_ptr<File> file, disk.open(path, true, 0600));
  if (!passphrase.empty()) {
    DROVER_TRY(
        file, auth::SealedFile::create(std::move(file), passphrase, context.surroundings().random));
  }
  DROVER_CHECK_OK(Receiver(client, *file).run(context.timeout(std::chrono::minutes(10))));
  DROVER_CHECK_OK(file->sync());
  return auth::read_backup(*file);
}

Result<int> backup(Context& context, const Given& given) {
  const std::string& path = given.text("file");
  Disk& disk = context.surroundings().disk;
  DROVER_TRY(const bool there, disk.exists(path));
  if (there && !given.has("force")) {
    return fail(Code::conflict, printable(path) + " exists", "name another file, or add --force");
  }
  DROVER_TRY(const std::string passphrase, passphrase_of(context, given));
  DROVER_TRY(Client* const client, context.client());
  // Finds the daemon that is alive, and says in the usual words when there is none.
  DROVER_CHECK_OK(client->get("/api/v1/version", context.timeout()));
  const std::string partial = path + ".partial";
  auto contents = fetch(context, *client, partial, passphrase);
  if (!contents) {
    (void)disk.remove(partial);
    return fail_in("backing up to " + printable(path), std::move(contents).error());
  }
  DROVER_CHECK_OK(disk.rename(partial, path));
  DROVER_CHECK_OK(disk.sync_dir(folder_of(path)));
  context.warn(passphrase.empty()
                   ? "the backup holds the cluster's private keys as they are (mode 0600): keep it "
                     "as safe as the master's own disk, or encrypt it with --passphrase-file"
                   : "nothing but the passphrase opens this backup: keep it, and not beside it");
  return context.print_document(summary_of(path, *contents));
}

// --- restore ----------------------------------------------------------------------------------

/// What all may read; the rest is for the master alone.
uint32_t mode_of(std::string_view file) {
  const bool open =
      file == "cluster" || file == "starts" || file == "ca/ca.pem" || file == "ca/ca.sha256";
  return open ? 0644 : 0600;
}

Status copy_file(File& from, const auth::BackupEntry& entry, File& to) {
  std::string block;
  for (uint64_t done = 0; done < entry.bytes;) {
    block.resize(std::min<uint64_t>(kBlock, entry.bytes - done));
    DROVER_TRY(const size_t got, from.read(entry.offset + done, block));
    if (got == 0) return fail(Code::corrupt, "the backup became shorter while it was read");
    DROVER_CHECK_OK(to.write(done, std::string_view(block).substr(0, got)));
    done += got;
  }
  return to.sync();
}

/// A master that runs holds the database's lock.
Status check_stopped(Disk& disk, const std::string& dir) {
  DROVER_TRY(const bool there, disk.exists(dir + "/drover.db"));
  if (!there) return {};
  DROVER_TRY(const auto database, disk.open(dir + "/drover.db", false, 0600));
  if (database->lock()) return {};
  return fail(Code::conflict, "a master runs on " + printable(dir),
              "stop it first: systemctl stop drover-master");
}

/// What was there is moved aside, never removed. Gives where it is; empty: there was nothing.
Result<std::string> make_room(Context& context, const std::string& dir, bool force) {
  Disk& disk = context.surroundings().disk;
  DROVER_TRY(const bool there, disk.exists(dir));
  if (!there) return std::string();
  DROVER_TRY(const auto names, disk.list(dir));
  std::vector<std::string> old;
  for (const std::string& name : names) {
    if (!name.starts_with("replaced-")) old.push_back(name);
  }
  if (old.empty()) return std::string();
  DROVER_CHECK_OK(check_stopped(disk, dir));
  if (!force) {
    return fail(Code::conflict,
                fmt::format("{} is not empty: it has {}", printable(dir), printable(old.front())),
                "name an empty folder, or add --force to move aside what is there");
  }
  std::string time = to_rfc3339(context.now());
  std::ranges::replace(time, ':', '-');
  const std::string aside = fmt::format("{}/replaced-{}", dir, time);
  DROVER_CHECK_OK(disk.make_dirs(aside, 0700));
  for (const std::string& name : old) {
    DROVER_CHECK_OK(disk.rename(dir + "/" + name, aside + "/" + name));
  }
  DROVER_CHECK_OK(disk.sync_dir(aside));
  DROVER_CHECK_OK(disk.sync_dir(dir));
  return aside;
}

Status extract(Disk& disk, File& from, const auth::BackupContents& contents,
               const std::string& dir) {
  DROVER_CHECK_OK(disk.make_dirs(dir, 0700));
  for (const auth::BackupEntry& entry : contents.files) {
    const std::string path = dir + "/" + entry.file;
    DROVER_CHECK_OK(disk.make_dirs(folder_of(path), 0700));
    DROVER_TRY(const auto to, disk.open(path, true, mode_of(entry.file)));
    DROVER_CHECK_OK(copy_file(from, entry, *to));
    DROVER_CHECK_OK(disk.sync_dir(folder_of(path)));
  }
  return disk.sync_dir(dir);
}

/// As it stands, or what is in it where it is encrypted.
Result<std::unique_ptr<File>> open_backup(Context& context, const Given& given,
                                          const std::string& path) {
  DROVER_TRY(std::unique_ptr<File> file, context.surroundings().disk.open(path, false, 0600));
  DROVER_TRY(const bool sealed, auth::is_sealed(*file));
  if (!sealed) return file;
  DROVER_TRY(const std::string passphrase, passphrase_of(context, given));
  if (passphrase.empty()) {
    return fail(Code::invalid_argument, "it is encrypted",
                "name the file with its passphrase: --passphrase-file FILE");
  }
  DROVER_TRY(file, auth::SealedFile::open(std::move(file), passphrase));
  return file;
}

/// For the master that will start on it: its change log says who restored what.
auth::RestoreNote note_of(Context& context, const std::string& path,
                          const auth::BackupManifest& manifest) {
  constexpr size_t kIdBytes = 8;
  auth::RestoreNote note;
  note.id = context.surroundings().random.hex(kIdBytes);
  note.restored = context.now();
  note.by = os::user_name(getuid());
  note.host = os::host_name();
  note.file = path;
  note.backup = manifest.time;
  note.master = manifest.master;
  note.version = manifest.version;
  note.head = manifest.head;
  return note;
}

Result<int> restore(Context& context, const Given& given) {
  const std::string& path = given.text("file");
  std::string dir = given.has("dir") ? given.text("dir") : "/var/lib/drover/master";
  while (dir.size() > 1 && dir.ends_with('/')) dir.pop_back();
  Disk& disk = context.surroundings().disk;
  auto file = open_backup(context, given, path);
  if (!file) return fail_in("reading " + printable(path), std::move(file).error());
  auto contents = auth::read_backup(**file);
  if (!contents) return fail_in("reading " + printable(path), std::move(contents).error());
  const bool whole = std::ranges::any_of(
      contents->files, [](const auth::BackupEntry& entry) { return entry.file == "drover.db"; });
  if (!whole) return fail(Code::corrupt, "there is no database in the backup");
  if (given.has("check")) return context.print_document(summary_of(path, *contents));
  DROVER_TRY(const std::string aside, make_room(context, dir, given.has("force")));
  DROVER_CHECK_OK(extract(disk, **file, *contents, dir));
  DROVER_CHECK_OK(auth::write_restore_note(disk, dir, note_of(context, path, contents->manifest)));
  json::object summary = summary_of(path, *contents);
  summary["dir"] = dir;
  if (!aside.empty()) summary["replaced"] = aside;
  const std::string& name = contents->manifest.master;
  context.warn(
      fmt::format("next: give {} to the user that runs the master (chown -R), start drover-master "
                  "--state {} --name {} on the "
                  "addresses it had, and see drover health; the other daemons come back by "
                  "themselves. Never run the old "
                  "master again beside it.",
                  printable(dir), printable(dir), printable(name)));
  return context.print_document(summary);
}

}  // namespace

std::vector<Command> backup_commands() {
  return {{"backup",
           "",
           "Write all that the master keeps to one file, while it runs",
           {{"file", Kind::required,
             "Where to; it will hold private keys and be readable by you alone"},
            {"passphrase-file", Kind::option,
             "Encrypt it with what this file holds, 12 bytes or more; -: standard input"},
            {"force", Kind::flag, "Replace the file if it exists"}},
           {"drover backup /safe/drover-$(date +%F).backup",
            "drover backup --passphrase-file /root/backup.pass /safe/drover.backup"},
           backup},
          {"restore",
           "",
           "Lay out a backup as a master's folder, on a machine where no master runs",
           {{"file", Kind::required, "What drover backup wrote"},
            {"dir", Kind::option, "The master's folder for state [/var/lib/drover/master]"},
            {"passphrase-file", Kind::option, "What it was encrypted with; -: standard input"},
            {"force", Kind::flag, "Move aside what is in the folder"},
            {"check", Kind::flag, "Only check the file and show what is in it"}},
           {"drover restore /safe/drover.backup --dir /var/lib/drover/master",
            "drover restore /safe/drover.backup --check"},
           restore}};
}

}  // namespace drover::cli
