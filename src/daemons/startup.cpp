#include "daemons/startup.hpp"

#include "os/boot_id.hpp"
#include "tree/message.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

namespace drover::daemons {

Result<Start> count_start(Disk& disk, const std::string& state, WallTime now) {
  const std::string path = state + "/starts";
  Start start;
  if (const auto text = disk.read_all(path, 64); text) {
    const char* end = text->data() + text->size();
    const auto [next, error] = std::from_chars(text->data(), end, start.count);
    if (error == std::errc{} && next < end) std::from_chars(next + 1, end, start.incarnation);
  }
  ++start.count;
  start.incarnation =
      std::max(static_cast<uint64_t>(std::max<int64_t>(to_unix_ms(now), 1)), start.incarnation + 1);
  DROVER_CHECK_OK(
      disk.write_atomic(path, fmt::format("{} {}\n", start.count, start.incarnation), 0644));
  return start;
}

Result<tree::Introduction> introduce(Seams& seams, const std::string& state,
                                     const std::string& cluster, tree::Role role,
                                     const std::string& name) {
  tree::Introduction self;
  self.cluster = cluster;
  self.role = role;
  self.name = name;
  DROVER_TRY(const Start start, count_start(seams.disk, state, seams.executor.wall()));
  self.incarnation = start.incarnation;
  self.starts = start.count;
  self.boot_id = os::read_boot_id().value_or("");
  self.protocol_min = tree::kProtocolMin;
  self.protocol_max = tree::kProtocolMax;
  self.features = tree::kFeatures;
  self.version = DROVER_VERSION;
  return self;
}

}  // namespace drover::daemons
