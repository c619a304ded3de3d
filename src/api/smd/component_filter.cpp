#include "api/smd/component_filter.hpp"

#include "api/smd/words.hpp"
#include "api/whole_number.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cluster/xname.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

constexpr std::string_view kNone = "NULL";

tl::unexpected<Error> bad_param(std::string_view name, std::string_view value) {
  constexpr size_t kShown = 80;
  return bad(fmt::format("bad query param: {} '{}' is not valid", name,
                         printable(value.substr(0, kShown))));
}
tl::unexpected<Error> no_integer() {
  return bad("bad query param: a required argument was not an integer");
}

std::optional<std::string> word_in(std::span<const std::string_view> words, std::string_view text) {
  const auto word = word_of(words, text);
  return word ? std::optional(std::string(*word)) : std::nullopt;
}
std::optional<std::string> as_flag(std::string_view text) {
  if (lower(text) == "warn") return "Warning";
  return word_in(enum_names(cluster::SmdFlag{}), text);
}
}  // namespace

class FilterReader {
 public:
  explicit FilterReader(const Query& query) : query_(query) {}

  template <auto Words>
  static std::optional<std::string> one_of(std::string_view text) {
    return word_in(Words(), text);
  }

  Status nids(ComponentFilter& out) {
    if (const auto found = query_.find("nid"); found != query_.end()) {
      for (std::string_view text : found->second) {
        const bool negated = text.starts_with('!');
        const auto number = whole_number<uint64_t>(negated ? text.substr(1) : text);
        if (!number) return no_integer();
        out.nids_.push_back({*number, negated});
      }
    }
    std::vector<uint64_t> starts;
    std::vector<uint64_t> ends;
    for (const auto& [name, into] : {std::pair{"nid_start", &starts}, {"nid_end", &ends}}) {
      const auto found = query_.find(name);
      if (found == query_.end()) continue;
      for (const std::string& text : found->second) {
        const auto number = whole_number<uint64_t>(text);
        if (!number) return no_integer();
        into->push_back(*number);
      }
    }
    for (size_t i = 0; i < std::max(starts.size(), ends.size()); ++i) {
      out.nid_ranges_.emplace_back(i < starts.size() ? starts[i] : 0,
                                   i < ends.size() ? ends[i] : UINT64_MAX);
    }
    return {};
  }

  Status view(ComponentFilter& out) {
    constexpr std::array kViews{
        std::pair{"stateonly", RowView::state_only}, std::pair{"flagonly", RowView::flag_only},
        std::pair{"roleonly", RowView::role_only}, std::pair{"nidonly", RowView::nid_only}};
    for (const auto& [name, view] : kViews) {
      const auto found = query_.find(name);
      if (found == query_.end()) continue;
      const std::string& text = found->second.front();
      const auto truth = text.empty() ? std::optional<std::string>("true") : as_truth(text);
      if (!truth) return bad_param(name, text);
      if (*truth == "true") out.view_ = view;
    }
    return {};
  }

 private:
  const Query& query_;
};

Result<ComponentFilter> ComponentFilter::of(const Query& query) {
  ComponentFilter out;
  FilterReader reader(query);
  DROVER_CHECK_OK(out.ids_.take(query, "id", as_xname));
  DROVER_CHECK_OK(out.types_.take(query, "type", as_type));
  DROVER_CHECK_OK(out.states_.take(query, "state", [](std::string_view text) {
    return word_in(enum_names(cluster::SmdState{}), text);
  }));
  DROVER_CHECK_OK(out.flags_.take(query, "flag", as_flag));
  DROVER_CHECK_OK(out.enabled_.take(query, "enabled", as_truth));
  DROVER_CHECK_OK(out.software_.take(query, "softwarestatus", as_any));
  DROVER_CHECK_OK(out.roles_.take(query, "role", FilterReader::one_of<roles>));
  DROVER_CHECK_OK(out.sub_roles_.take(query, "subrole", FilterReader::one_of<sub_roles>));
  DROVER_CHECK_OK(out.subtypes_.take(query, "subtype", as_any));
  DROVER_CHECK_OK(out.archs_.take(query, "arch", FilterReader::one_of<archs>));
  DROVER_CHECK_OK(out.classes_.take(query, "class", FilterReader::one_of<classes>));
  DROVER_CHECK_OK(out.locked_.take(query, "locked", as_truth));
  DROVER_CHECK_OK(out.reservations_.take(query, "reservation_disabled", as_truth));
  DROVER_CHECK_OK(out.groups_.take(query, "group", as_any));
  DROVER_CHECK_OK(out.partitions_.take(query, "partition", as_any));
  DROVER_CHECK_OK(reader.nids(out));
  DROVER_CHECK_OK(reader.view(out));
  return out;
}

Result<Query> ComponentFilter::query_of_body(const json::value& body) {
  Query out;
  const auto* object = body.if_object();
  if (object == nullptr) return bad("bad query param: expected an object");
  const auto add = [&](const std::string& key, const json::value& value) -> Status {
    if (const auto* text = value.if_string()) {
      if (!text->empty()) out[key].emplace_back(*text);
    } else if (value.is_bool() || value.is_number()) {
      out[key].push_back(to_text(value));
    } else if (!value.is_null()) {
      return bad_param(key, to_text(value));
    }
    return {};
  };
  for (const auto& [name, value] : *object) {
    const std::string key = lower(name);
    if (key == "componentids" || key == "nidranges") continue;
    if (const auto* list = value.if_array()) {
      for (const json::value& each : *list) DROVER_CHECK_OK(add(key, each));
    } else {
      DROVER_CHECK_OK(add(key, value));
    }
  }
  return out;
}

void ComponentFilter::look_at(const cluster::Model& model) {
  const auto members = [&](const std::string& name) {
    const auto found = cluster::ModelNames(model).members(name);
    Members out;
    if (found) out.names.insert(found->begin(), found->end());
    return out;
  };
  for (const Alternatives::Word& word : groups_.words()) {
    const bool as_written = model.groups().contains(word.text);
    in_groups_.push_back(members(as_written ? word.text : lower(word.text)));
    in_groups_.back().negated = word.negated;
  }
  for (const Alternatives::Word& word : partitions_.words()) {
    if (word.text == kNone) {
      in_none_ = true;
      for (const auto& [name, group] : model.groups()) {
        if (!name.starts_with(kPartitionPrefix)) continue;
        const auto* names = model.members(name);
        partitioned_.insert(names->begin(), names->end());
      }
      continue;
    }
    in_partitions_.push_back(members(fmt::format("{}{}", kPartitionPrefix, lower(word.text))));
    in_partitions_.back().negated = word.negated;
  }
}

bool ComponentFilter::fits_nid(uint64_t nid) const {
  bool wanted = true;
  bool found = false;
  for (const NidWord& word : nids_) {
    if (word.negated && word.nid == nid) return false;
    if (word.negated) continue;
    wanted = found = found || word.nid == nid;
  }
  if (nid_ranges_.empty() || (found && wanted)) return wanted;
  const bool positive = std::ranges::any_of(nids_, [](const NidWord& w) { return !w.negated; });
  const bool inside = nid != 0 && std::ranges::any_of(nid_ranges_, [&](const auto& range) {
                        return nid >= range.first && nid <= range.second;
                      });
  return inside || (positive && found);
}

bool ComponentFilter::fits_one_of(const std::vector<Members>& all, std::string_view name,
                                  bool or_in_none) const {
  bool positive = or_in_none;
  bool found = or_in_none && !partitioned_.contains(name);
  for (const Members& members : all) {
    const bool in = members.names.contains(name);
    if (members.negated && in) return false;
    if (members.negated) continue;
    positive = true;
    found = found || in;
  }
  return !positive || found;
}

bool ComponentFilter::fits_groups(const ComponentRow& row) const {
  std::string_view name;
  if (row.node != nullptr) name = row.node->node().name;
  return fits_one_of(in_groups_, name, false) && fits_one_of(in_partitions_, name, in_none_);
}

bool ComponentFilter::accepts(const ComponentRow& row) const {
  const auto truth = [](bool value) { return value ? "true" : "false"; };
  return ids_.fits(row.id) && types_.fits(enum_name(row.type)) && states_.fits(row.state) &&
         flags_.fits(row.flag) && enabled_.fits(truth(row.enabled)) &&
         software_.fits(row.software_status) && roles_.fits(row.role) &&
         sub_roles_.fits(row.sub_role) && subtypes_.fits(row.subtype) && archs_.fits(row.arch) &&
         classes_.fits(row.hw_class) && locked_.fits(truth(row.locked)) &&
         reservations_.fits(truth(row.no_reservations)) && fits_nid(row.nid) && fits_groups(row);
}

Result<std::pair<uint64_t, uint64_t>> nid_range(std::string_view text) {
  const size_t dash = text.find('-');
  const auto first = whole_number<uint64_t>(text.substr(0, dash));
  const auto last =
      dash == std::string_view::npos ? first : whole_number<uint64_t>(text.substr(dash + 1));
  if (!first || !last) return no_integer();
  return std::pair{*first, *last};
}

}  // namespace drover::api::smd
