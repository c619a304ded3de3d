#include "cluster/hardware/known_hardware.hpp"

namespace drover::cluster {

void KnownHardware::describe(Visitor& v) {
  v.field("xname", xname, "The place.");
  v.field("fru_id", fru_id, "What tells the piece from all others.");
  v.field("manufacturer", manufacturer, "Who made it.", Presence::optional);
  v.field("part_number", part_number, "Its part number.", Presence::optional);
  v.field("serial", serial, "Its serial number.", Presence::optional);
  v.field("location", location, "What belongs to the place.");
  v.field("fru", fru, "What belongs to the piece.");
}

Result<KnownHardwareMap> known_hardware(store::Transaction& tx) {
  DROVER_TRY(const auto objects, tx.list({.kind = std::string(kKnownHardwareKind)}));
  KnownHardwareMap out;
  for (const store::Object& object : objects) {
    DROVER_TRY(out[object.key], decode_text<KnownHardware>(object.body, Unknown::ignore));
  }
  return out;
}

}  // namespace drover::cluster
