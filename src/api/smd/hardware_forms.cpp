#include "api/smd/hardware_forms.hpp"

#include "api/smd/hardware_items.hpp"

#include <map>
#include <set>

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

constexpr auto kMay = Presence::patch;

/// The names of members that differ by type stay for ever: visitors keep views of them.
const std::vector<std::string>& names(std::string_view tail) {
  static std::map<std::string, std::vector<std::string>, std::less<>> all;
  auto& known = all[std::string(tail)];
  if (!known.empty()) return known;
  std::set<std::string_view> seen;
  for (const HardwareWords& words : hardware_words()) {
    if (seen.insert(words.stem).second) known.push_back(fmt::format("{}{}", words.stem, tail));
  }
  return known;
}

}  // namespace

void FruForm::describe(Visitor& v) {
  v.field("FRUID", id, "What tells it from all others.", Presence::optional);
  v.field("Type", type, "What it is.", Presence::optional);
  v.field("Subtype", subtype, "A finer type.", Presence::optional);
  v.field("HWInventoryByFRUType", kind, "Which member it has.", Presence::optional);
  for (const std::string& name : names("FRUInfo")) {
    std::optional<RawJson> none;
    v.field(name, none, "What is known of one of this type.", kMay);
  }
}

void HardwareForm::describe(Visitor& v) {
  v.field("ID", id, "Xname of the place.");
  v.field("Type", type, "What sits there.", Presence::optional);
  v.field("Ordinal", ordinal, "Its number among its like.", Presence::optional);
  v.field("Status", status, "Populated.", Presence::optional);
  v.field("HWInventoryByLocationType", kind, "Which member it has.", Presence::optional);
  for (const std::string& name : names("LocationInfo")) {
    std::optional<RawJson> none;
    v.field(name, none, "What belongs to the place of one of this type.", kMay);
  }
  v.field("PopulatedFRU", fru, "The piece that sits there.", kMay);
  for (const char* name :
       {"Processors", "NodeAccels", "NodeAccelRisers", "Memory", "Drives", "NodeHsnNics"}) {
    std::optional<std::vector<RawJson>> none;
    v.field(name, none, "Of a node, in queries: what is in it.", kMay);
  }
}

void HardwarePost::describe(Visitor& v) {
  v.field("Hardware", hardware, "The places.");
}

void HardwareQueryForm::describe(Visitor& v) {
  v.field("XName", xname, "The place that was asked for.");
  v.field("Format", format, "NestNodesOnly or FullyFlat.");
  std::set<std::string_view> seen;
  for (const HardwareWords& words : hardware_words()) {
    if (!seen.insert(words.list).second) continue;
    std::optional<std::vector<HardwareForm>> none;
    v.field(words.list, none, "What was found of this type.", kMay);
  }
}

void HardwareEventForm::describe(Visitor& v) {
  v.field("ID", id, "Xname of the place.");
  v.field("FRUID", fru, "The piece.");
  v.field("Timestamp", time, "When it was found so.");
  v.field("EventType", kind, "Detected by the first look, Added or Removed.");
}

void HardwareHistoryForm::describe(Visitor& v) {
  v.field("ID", id, "The place or piece.");
  v.field("History", events, "What happened, the oldest first.");
}

void HardwareHistories::describe(Visitor& v) {
  v.field("Components", components, "Places or pieces.");
}

}  // namespace drover::api::smd
