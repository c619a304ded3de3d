#include "daemons/startup.hpp"

#include "os/boot_id.hpp"
#include "tree/message.hpp"

#include <charconv>

namespace drover::daemons {

Result<uint64_t> count_start(Disk& disk, const std::string& state) {
  const std::string path = state + "/starts";
  uint64_t starts = 0;
  if (const auto text = disk.read_all(path, 32); text) {
    std::from_chars(text->data(), text->data() + text->size(), starts);
  }
  ++starts;
  DROVER_CHECK_OK(disk.write_atomic(path, std::to_string(starts) + "\n", 0644));
  return starts;
}

Result<tree::Introduction> introduce(Seams& seams, const std::string& state,
                                     const std::string& cluster, tree::Role role,
                                     const std::string& name) {
  tree::Introduction self;
  self.cluster = cluster;
  self.role = role;
  self.name = name;
  self.incarnation = static_cast<uint64_t>(to_unix_ms(seams.executor.wall()));
  DROVER_TRY(self.starts, count_start(seams.disk, state));
  self.boot_id = os::read_boot_id().value_or("");
  self.protocol_min = tree::kProtocolMin;
  self.protocol_max = tree::kProtocolMax;
  self.features = tree::kFeatures;
  self.version = DROVER_VERSION;
  return self;
}

}  // namespace drover::daemons
