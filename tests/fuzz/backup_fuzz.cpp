// What `drover restore` reads: any file is refused or read whole, with nothing that leads out of
// the folder. The right digest is put under every second input, so that the fuzzer sees behind it.
#include "auth/backup_file.hpp"
#include "fuzz.hpp"
#include "net/sha256.hpp"
#include "sim/sim_disk.hpp"

#include <string>

namespace {

void check(const std::string& bytes) {
  drover::sim::SimDisk disk;
  if (!disk.write_atomic("/backup", bytes, 0600)) return;
  const auto file = disk.open("/backup", false, 0);
  drover::fuzz::require(file.has_value(), "the file opens");
  const auto contents = drover::auth::read_backup(**file);
  if (!contents) return;
  for (const drover::auth::BackupEntry& entry : contents->files) {
    const std::string& name = entry.file;
    drover::fuzz::require(!name.starts_with('/') && name.find("..") != 0, "names stay inside");
    drover::fuzz::require(
        entry.offset <= bytes.size() && entry.bytes <= bytes.size() - entry.offset,
        "files lie within the backup");
  }
}

}  // namespace

DROVER_FUZZ_TARGET(input) {
  std::string bytes(input);
  check(bytes);
  drover::net::Sha256 digest;
  digest.add(bytes);
  check(bytes + "{\"end_sha256\":\"" + digest.finish() + "\"}\n");
}
