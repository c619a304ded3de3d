#include "api/smd/hardware_filter.hpp"

#include "api/smd/component_filter.hpp"
#include "api/smd/groups.hpp"
#include "api/smd/words.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

Result<std::optional<bool>> truth_of(const Query& query, const char* key) {
  const auto found = query.find(key);
  if (found == query.end()) return std::nullopt;
  const auto truth = as_truth(found->second.front());
  if (!truth) return bad(fmt::format("Invalid boolean for {}", key));
  return *truth == "true";
}

}  // namespace

Result<std::string> partition_name(std::string_view text) {
  auto name = tag_of("partition", text);
  if (!name) return bad("Invalid partition");
  return name;
}

Result<HardwareFilter> HardwareFilter::of(const Query& query, const cluster::Model& model) {
  HardwareFilter out;
  DROVER_CHECK_OK(out.ids_.take(query, "id", as_xname, "Invalid xname"));
  DROVER_CHECK_OK(out.types_.take(query, "type", as_type, "Invalid HMS type"));
  DROVER_CHECK_OK(out.makers_.take(query, "manufacturer", as_lower));
  DROVER_CHECK_OK(out.parts_.take(query, "partnumber", as_lower));
  DROVER_CHECK_OK(out.serials_.take(query, "serialnumber", as_lower));
  DROVER_CHECK_OK(out.frus_.take(query, "fruid", as_any));
  DROVER_TRY(out.children_, truth_of(query, "children"));
  DROVER_TRY(out.parents_, truth_of(query, "parents"));
  if (const auto found = query.find("partition"); found != query.end()) {
    for (const std::string& name : found->second) {
      DROVER_CHECK_OK(out.take_partition(name, model));
    }
  }
  return out;
}

Status HardwareFilter::take_partition(const std::string& text, const cluster::Model& model) {
  DROVER_TRY(const std::string name, partition_name(text));
  partitioned_ = true;
  const auto members =
      cluster::ModelNames(model).members(fmt::format("{}{}", kPartitionPrefix, name));
  if (members) in_partition_.insert(members->begin(), members->end());
  return {};
}

Status HardwareFilter::narrow(const cluster::Xname& place, const cluster::Model& model) {
  if (place.type == cluster::XnameType::partition) return take_partition(place.text, model);
  place_ = place.text;
  if (!children_ && !parents_.value_or(false)) children_ = true;
  return {};
}

bool HardwareFilter::fits_place(const std::string& id) const {
  const auto near = [&](const std::string& wanted) {
    return id == wanted || (children_.value_or(false) && cluster::lies_in(id, wanted)) ||
           (parents_.value_or(false) && cluster::lies_in(wanted, id));
  };
  const bool everywhere = place_.empty() || place_ == "s0" || place_ == "all";
  if (!everywhere && !near(place_)) return false;
  bool positive = false;
  bool found = false;
  for (const auto& word : ids_.words()) {
    if (word.negated && word.text == id) return false;
    positive = positive || !word.negated;
    found = found || (!word.negated && near(word.text));
  }
  return !positive || found;
}

bool HardwareFilter::accepts(const HardwareItem& item) const {
  if (!types_.fits(enum_name(item.type)) || !fits_place(item.id)) return false;
  if (partitioned_ && !in_partition_.contains(item.node)) return false;
  if (!makers_.empty() && !makers_.fits(lower(manufacturer_of(item)))) return false;
  if (!parts_.empty() && !parts_.fits(lower(part_number_of(item)))) return false;
  if (!serials_.empty() && !serials_.fits(lower(serial_of(item)))) return false;
  return frus_.empty() || frus_.fits(fru_id_of(item));
}

void HardwareFilter::walk(const cluster::Model& model, const cluster::KnownHardwareMap& said,
                          TakeItem take) const {
  TakeItem offer = [&](const HardwareItem& item) {
    if (accepts(item)) take(item);
  };
  walk_hardware(model, said, place_, offer);
}

}  // namespace drover::api::smd
