// How SMD's groups look, and the rules of their names.
#include "api/smd/groups.hpp"
#include "api/smd/words.hpp"
#include "base/text.hpp"
#include "cluster/field_rules.hpp"
#include "cluster/xname_map.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

constexpr auto kMay = Presence::patch;

void append_text(std::string& out, std::string_view key, std::string_view value) {
  out += fmt::format(",\"{}\":", key);
  append_quoted(out, value);
}

}  // namespace

void MemberIds::describe(Visitor& v) {
  v.field("ids", ids, "Xnames.");
}
void MemberId::describe(Visitor& v) {
  v.field("id", id, "Xname.");
}
void GroupForm::describe(Visitor& v) {
  v.field("label", label, "Its name.");
  v.field("description", description, "Free text.", kMay);
  v.field("tags", tags, "Words to find it by.", kMay);
  v.field("exclusiveGroup", exclusive, "A component is in one group at most that says the same.",
          kMay);
  v.field("members", members, "Its members.", kMay);
}
void PartitionForm::describe(Visitor& v) {
  v.field("name", name, "Its name.");
  v.field("description", description, "Free text.", kMay);
  v.field("tags", tags, "Words to find it by.", kMay);
  v.field("members", members, "Its members; each in this partition alone.", kMay);
}
void GroupChange::describe(Visitor& v) {
  v.field("label", label, "Its name, which cannot be changed.", kMay);
  v.field("name", name, "Its name, which cannot be changed.", kMay);
  v.field("description", description, "Free text.", kMay);
  v.field("tags", tags, "Words to find it by.", kMay);
  v.field("exclusiveGroup", exclusive, "Not changed: it is given when the group is made.", kMay);
  v.field("members", members, "Not changed here.", kMay);
}
void MembershipForm::describe(Visitor& v) {
  v.field("id", id, "Xname.");
  v.field("groupLabels", groups, "The groups that it is in.");
  v.field("partitionName", partition, "The partition that it is in; empty: none.");
}

bool is_partition(std::string_view group) {
  return group.starts_with(kPartitionPrefix);
}

Result<std::string> tag_of(std::string_view what, std::string_view text) {
  std::string out = lower(text);
  constexpr std::string_view kKnown = "abcdefghijklmnopqrstuvwxyz0123456789-:._";
  constexpr size_t kMost = 255;
  const bool fits =
      !out.empty() && out.size() <= kMost && out.find_first_not_of(kKnown) == std::string::npos;
  if (fits) return out;
  return bad(fmt::format("couldn't validate {} '{}': expected letters, digits and -:._", what,
                         printable(text.substr(0, kMost))));
}

Result<std::string> label_of(std::string_view what, std::string_view text) {
  DROVER_TRY(std::string out, tag_of(what, text));
  if (const Status named = cluster::check_set_name(what, out); !named) {
    return tl::unexpected<Error>(named.error());
  }
  return out;
}

std::vector<std::string> tags_of(const cluster::Group& group) {
  std::vector<std::string> out;
  const auto found = group.attributes.find(kTagsAttribute);
  if (found == group.attributes.end()) return out;
  std::string_view rest = found->second;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(','), rest.size());
    out.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out;
}

std::string members_json(const cluster::Model& model, const std::vector<std::string>& nodes,
                         const std::vector<std::string>* within) {
  std::string out = R"({"ids":[)";
  for (const std::string& name : nodes) {
    if (within != nullptr && !std::ranges::binary_search(*within, name, NaturalLess())) continue;
    const cluster::NodeEntry* entry = model.find(name);
    if (entry == nullptr) continue;
    if (out.back() != '[') out += ',';
    append_quoted(out, cluster::xname_of(entry->node()));
  }
  return out + "]}";
}

std::string group_json(const cluster::Model& model, const cluster::Group& group,
                       const std::vector<std::string>* within) {
  const bool partition = is_partition(group.name);
  std::string out = partition ? R"({"name":)" : R"({"label":)";
  append_quoted(out, partition ? std::string_view(group.name).substr(kPartitionPrefix.size())
                               : std::string_view(group.name));
  append_text(out, "description", group.description);
  const auto tags = tags_of(group);
  if (!tags.empty()) {
    out += R"(,"tags":[)";
    for (const std::string& tag : tags) {
      if (out.back() != '[') out += ',';
      append_quoted(out, tag);
    }
    out += ']';
  }
  const auto exclusive = group.attributes.find(kExclusiveAttribute);
  if (exclusive != group.attributes.end()) append_text(out, "exclusiveGroup", exclusive->second);
  const auto names = cluster::ModelNames(model).members(group.name);
  out += R"(,"members":)";
  out += members_json(model, names ? *names : std::vector<std::string>(), within);
  return out + "}";
}

}  // namespace drover::api::smd
