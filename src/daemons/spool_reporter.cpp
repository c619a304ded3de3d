// The spool of one daemon in its heartbeats.
#include "daemons/spool_reporter.hpp"

#include "proto/link.pb.h"

#include <chrono>

namespace drover::daemons {
namespace {

/// Longer than a failover and a reconnect take: until then records are on their way.
constexpr Duration kStuckAfter = std::chrono::seconds(5);

/// How often it is told that all is well again. Who hears it may die before it has passed it on;
/// when nothing gets through for longer than this, the daemon is lost and what it told forgotten.
constexpr int kClearBeats = 100;

}  // namespace

std::string SpoolReporter::tell(const tree::RecordOutbox::Stats& stats) {
  const bool stuck = stats.records > 0 && stats.oldest >= kStuckAfter;
  if (!stuck && clear_beats_ == 0) return {};
  clear_beats_ = stuck ? kClearBeats : clear_beats_ - 1;
  proto::SpoolState message;
  message.set_told(true);
  if (stuck) {
    message.set_records(stats.records);
    message.set_bytes(stats.spool_bytes);
    message.set_oldest_age_ms(static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(stats.oldest).count()));
  }
  return message.SerializeAsString();
}

Result<ToldSpool> read_spool(std::string_view bytes) {
  // No record waits longer than a year: a larger number is a lie that would not fit a Duration.
  constexpr uint64_t kLongestMs = uint64_t{366} * 24 * 3600 * 1000;
  proto::SpoolState message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !message.told() ||
      message.oldest_age_ms() > kLongestMs) {
    return fail(Code::corrupt, "a spool state that cannot be read");
  }
  return ToldSpool{message.records(), message.bytes(),
                   std::chrono::milliseconds(message.oldest_age_ms())};
}

}  // namespace drover::daemons
