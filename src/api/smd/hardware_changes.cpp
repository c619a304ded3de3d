// POST and DELETE of SMD's /Inventory/Hardware: what clients say of places that nobody looks at.
// What a BMC or an agent found follows from them alone.
#include "api/smd/hardware.hpp"
#include "api/smd/hardware_forms.hpp"
#include "api/smd/hardware_items.hpp"
#include "api/smd/manners.hpp"
#include "api/smd/routes.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"

#include <set>

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

using cluster::KnownHardware;

constexpr std::string_view kAll = "/hsm/v2/Inventory/Hardware";
constexpr std::string_view kOne = "/hsm/v2/Inventory/Hardware/{xname}";
/// Of one place with its piece, as JSON; the largest that SMD itself makes have some 2 KiB.
constexpr size_t kMostEntry = size_t{64} << 10;
constexpr size_t kMostText = 255;

std::string text_of(const Members& from, std::string_view name) {
  const json::value* value = from.find(name);
  if (value == nullptr || !value->is_string()) return {};
  const std::string_view text(value->get_string());
  return printable(text.substr(0, kMostText));
}

/// One entry; the words are SMD's.
Result<KnownHardware> read_entry(const json::value& entry) {
  const Members from(entry);
  KnownHardware out;
  const auto xname = cluster::parse_xname(text_of(from, "ID"));
  if (!xname) return bad("ID is empty or not a valid xname");
  const HardwareWords* words = hardware_words(xname->type);
  if (words == nullptr) return bad("Invalid HMS type");
  const json::value* fru = from.find("PopulatedFRU");
  if (fru == nullptr || !fru->is_object()) return bad("PopulatedFRU must be populated");
  const json::value* location = from.find(fmt::format("{}LocationInfo", words->stem));
  if (location == nullptr || !location->is_object()) return bad("Component location info is empty");
  const std::string info_name = fmt::format("{}FRUInfo", words->stem);
  const json::value* info = Members(*fru).find(info_name);
  if (info == nullptr || !info->is_object()) return bad("FRU info is empty");
  out.xname = xname->text;
  const Members facts(*info);
  out.manufacturer = text_of(facts, "Manufacturer");
  out.part_number = text_of(facts, "PartNumber");
  out.serial = text_of(facts, "SerialNumber");
  out.fru_id = fru_id_of(xname->type, out.xname, out.manufacturer, out.part_number, out.serial);
  out.location.text = to_text(*location);
  out.fru.text =
      to_text(json::object{{"FRUID", out.fru_id},
                           {"Type", enum_name(xname->type)},
                           {"Subtype", text_of(Members(*fru), "Subtype")},
                           {"HWInventoryByFRUType", fmt::format("HWInvByFRU{}", words->stem)},
                           {info_name, *info}});
  if (out.location.text.size() + out.fru.text.size() > kMostEntry) {
    return bad(fmt::format("{}: more than {} bytes", out.xname, kMostEntry));
  }
  return out;
}

/// The first of these places of which somebody else says what sits there; empty: none.
std::string found_elsewhere(const cluster::Model& model, const std::set<std::string>& places) {
  static const cluster::KnownHardwareMap kNothing;
  std::string out;
  TakeItem take = [&](const HardwareItem& item) {
    if (out.empty() && places.contains(item.id)) out = item.id;
  };
  walk_hardware(model, kNothing, places.size() == 1 ? *places.begin() : "", take);
  return out;
}

Error follows(std::string_view xname) {
  return {
      Code::conflict,
      fmt::format("{} was found by a BMC or by the node itself, which say what sits there", xname),
      {},
      {}};
}

void post(Services& services, const RequestPtr& request) {
  const auto body = body_of_request(services, request);
  if (!body) return;
  const json::value* list = Members(*body).find("Hardware");
  if (list != nullptr && !list->is_array()) {
    return refuse_malformed(services, request, "Hardware: expected a list");
  }
  if (list == nullptr || list->get_array().empty()) {
    return request->fail(bad("Missing Hardware").value());
  }
  std::vector<KnownHardware> entries;
  std::set<std::string> places;
  for (const json::value& each : list->get_array()) {
    DROVER_OR_FAIL(request, KnownHardware entry, read_entry(each));
    places.insert(entry.xname);
    entries.push_back(std::move(entry));
  }
  if (const std::string taken = found_elsewhere(services.model, places); !taken.empty()) {
    return request->fail(follows(taken));
  }
  if (const Status may = authorize(request, {}, true); !may) return request->fail(may.error());
  mutate(services, request,
         [entries = std::move(entries)](store::Transaction& tx) -> Result<Reply> {
           for (const KnownHardware& entry : entries) {
             DROVER_CHECK_OK(tx.put(cluster::kKnownHardwareKind, entry.xname, encode(entry)));
           }
           return Reply{200, done_text(fmt::format("Created {} entries", entries.size())), ""};
         });
}

void remove_said(Services& services, const RequestPtr& request, std::vector<std::string> xnames) {
  if (const Status may = authorize(request, {}, true); !may) return request->fail(may.error());
  mutate(services, request, [xnames = std::move(xnames)](store::Transaction& tx) -> Result<Reply> {
    for (const std::string& xname : xnames) {
      DROVER_CHECK_OK(tx.erase(cluster::kKnownHardwareKind, xname));
    }
    return Reply{200, deleted_text(xnames.size()), ""};
  });
}

void remove(Services& services, const RequestPtr& request, const cluster::KnownHardwareMap& said) {
  const auto xname = cluster::parse_xname(request->path("xname"));
  if (xname && said.contains(xname->text)) return remove_said(services, request, {xname->text});
  const bool found = xname && !found_elsewhere(services.model, {xname->text}).empty();
  request->fail(found ? follows(xname->text) : missing("no such xname."));
}

void remove_all(Services& services, const RequestPtr& request,
                const cluster::KnownHardwareMap& said) {
  std::vector<std::string> xnames;
  for (const auto& [xname, known] : said) xnames.push_back(xname);
  if (xnames.empty()) return request->fail(missing("no entries to delete"));
  remove_said(services, request, std::move(xnames));
}

}  // namespace

void add_hardware_changes(Router& router, Services& services) {
  Route said = smd_route("POST", kAll, "SMD: say what hardware sits where nobody looks.",
                         [&services](const RequestPtr& r) { post(services, r); });
  said.takes = body_of<HardwarePost>();
  said.gives = body_of<Outcome>();
  said.errors = {Code::conflict};
  said.body_limit = kListLimit;
  router.add(std::move(said));
  Route gone = smd_route(
      "DELETE", kOne, "SMD: forget what was said of a place.", [&services](const RequestPtr& r) {
        with_known_hardware(services, r,
                            [&services, r](const auto& said) { remove(services, r, said); });
      });
  gone.gives = body_of<Outcome>();
  gone.errors = {Code::not_found, Code::conflict};
  router.add(std::move(gone));
  Route none = smd_route(
      "DELETE", kAll, "SMD: forget what was said of all places.", [&services](const RequestPtr& r) {
        with_known_hardware(services, r,
                            [&services, r](const auto& said) { remove_all(services, r, said); });
      });
  none.gives = body_of<Outcome>();
  none.errors = {Code::not_found};
  router.add(std::move(none));
}

}  // namespace drover::api::smd
