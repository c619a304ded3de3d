#include "api/bss/entries.hpp"

#include "api/smd/groups.hpp"
#include "api/smd/manners.hpp"
#include "api/smd/words.hpp"
#include "base/text.hpp"
#include "boot/site/given.hpp"
#include "cluster/definition_writer.hpp"
#include "cluster/field_rules.hpp"
#include "cluster/mutations.hpp"
#include "cluster/net_address.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include <fmt/format.h>

namespace drover::api::bss {
namespace {

using cluster::AttributeSource;
using cluster::Group;
using cluster::Profile;
using Attributes = std::map<std::string, std::string>;

constexpr std::string_view kRolePrefix = "role.";
constexpr std::string_view kMacPrefix = "bss.mac.";
constexpr std::string_view kNidPrefix = "bss.nid.";
constexpr std::string_view kXnamePrefix = "bss.";
constexpr std::string_view kUnknownPrefix = "unknown-";
constexpr const char* kGlobal = "bss.global";
constexpr std::array<std::pair<const char*, std::string BootWords::*>, 3> kFields{
    {{"kernel", &BootWords::kernel},
     {"initrd", &BootWords::initrd},
     {"kernel_args", &BootWords::params}}};

/// What is unset in the first is taken from the second.
void fill_up(BootWords& words, const BootWords& weaker) {
  for (const auto& [name, field] : kFields) {
    if ((words.*field).empty()) words.*field = weaker.*field;
  }
}

void set_attributes(Attributes& attributes, const BootWords& words) {
  for (const auto& [name, field] : kFields) {
    if ((words.*field).empty()) {
      attributes.erase(name);
    } else {
      attributes[name] = words.*field;
    }
  }
}

std::string role_group(std::string_view role) {
  return fmt::format("{}{}", kRolePrefix, smd::lower(role));
}

/// The nodes of a role, as the State Manager's view shows it.
std::string range_of_role(std::string_view role) {
  const std::string said = fmt::format("smd_role={}", role);
  if (role == "Compute") return said + ",(@compute&smd_role=\"\")";
  if (role == "Application") return said + ",(@utility&smd_role=\"\")";
  return said;
}

/// The role that a group of ours is for; empty: none.
std::string_view role_of(std::string_view group) {
  if (!group.starts_with(kRolePrefix)) return {};
  return smd::word_of(smd::roles(), group.substr(kRolePrefix.size())).value_or("");
}

std::string colons(std::string_view bare) {
  std::string out;
  for (size_t i = 0; i < bare.size(); ++i) {
    if (i > 0 && i % 2 == 0) out += ':';
    out += bare[i];
  }
  return out;
}

/// How BSS calls a profile; nothing: not at all.
std::optional<Key> key_of_profile(std::string_view name) {
  if (name == cluster::kDefaultProfile) return Key{KeyKind::host, "Default"};
  if (name == kGlobal) return Key{KeyKind::host, "Global"};
  const auto rest = [&](std::string_view prefix) {
    return std::string(name.substr(prefix.size()));
  };
  if (name.starts_with(kUnknownPrefix)) {
    return Key{KeyKind::host, "Unknown-" + rest(kUnknownPrefix)};
  }
  if (name.starts_with(kMacPrefix)) return Key{KeyKind::mac, colons(rest(kMacPrefix))};
  if (name.starts_with(kNidPrefix)) return Key{KeyKind::nid, rest(kNidPrefix)};
  if (name.starts_with(kXnamePrefix)) return Key{KeyKind::host, rest(kXnamePrefix)};
  return std::nullopt;
}

Owner of_profile(std::string name, Key key) {
  return {AttributeSource::profile, std::move(name), std::move(key), {}};
}

const Attributes* attributes_of(const cluster::Model& model, const Owner& owner) {
  if (owner.source == AttributeSource::profile) {
    const auto found = model.profiles().find(owner.name);
    return found == model.profiles().end() ? nullptr : &found->second.value.attributes;
  }
  if (owner.source == AttributeSource::group) {
    const auto found = model.groups().find(owner.name);
    return found == model.groups().end() ? nullptr : &found->second.value.attributes;
  }
  const cluster::NodeEntry* entry = model.find(owner.name);
  return entry == nullptr ? nullptr : &entry->node().spec.attributes;
}

Result<std::optional<Profile>> read_profile(store::Transaction& tx, const std::string& name) {
  DROVER_TRY(const auto object, tx.get(cluster::kProfileKind, name));
  if (!object) return std::optional<Profile>();
  DROVER_TRY(Profile profile, decode_text<Profile>(object->body, Unknown::ignore));
  return std::optional<Profile>(std::move(profile));
}

Status write_profile(store::Transaction& tx, cluster::DefinitionWriter& writer,
                     const std::string& name, const BootWords& words) {
  DROVER_TRY(auto profile, read_profile(tx, name));
  if (!profile && !words.any()) return {};
  if (!profile) {
    profile.emplace();
    profile->name = name;
    profile->description = "Boot parameters that BSS's clients set.";
  }
  set_attributes(profile->attributes, words);
  const bool ours = name != cluster::kDefaultProfile;
  if (ours && profile->attributes.empty() && profile->inherits.empty()) {
    // Where somebody takes it, it stays as an empty one.
    if (writer.remove_profile(name)) return {};
  }
  return writer.put_profile(*std::move(profile));
}

Status write_group(store::Transaction& tx, cluster::DefinitionWriter& writer,
                   const std::string& name, const BootWords& words) {
  DROVER_TRY(const auto object, tx.get(cluster::kGroupKind, name));
  const std::string_view role = role_of(name);
  Group group;
  if (object) {
    DROVER_TRY(group, writer.group(name));
  } else {
    if (!words.any()) return {};
    if (role.empty()) return fail(Code::not_found, fmt::format("there is no group '{}'", name));
    group.name = name;
    group.description = fmt::format("Nodes of the role {}, for BSS's clients.", role);
    group.range = range_of_role(role);
    group.priority = -cluster::kMaxPriority;
  }
  set_attributes(group.attributes, words);
  if (!role.empty() && group.attributes.empty() && group.profiles.empty()) {
    if (writer.remove_group(name)) return {};
  }
  return writer.put_group(std::move(group));
}

}  // namespace

BootWords words_of(const Attributes& attributes) {
  BootWords out;
  for (const auto& [name, field] : kFields) {
    const auto found = attributes.find(name);
    if (found != attributes.end()) out.*field = found->second;
  }
  return out;
}

Owner Owners::of_node(const cluster::Node& node, Key key) const {
  return {AttributeSource::node, node.name, std::move(key), boot::profiles_meant(model_, node)};
}

Result<Owner> Owners::of_host(std::string_view text) {
  const std::string low = smd::lower(text);
  if (low == "default") {
    return of_profile(std::string(cluster::kDefaultProfile), {KeyKind::host, "Default"});
  }
  if (low == "global") return of_profile(kGlobal, {KeyKind::host, "Global"});
  if (low.starts_with(kUnknownPrefix)) {
    const std::string arch = low.substr(kUnknownPrefix.size());
    DROVER_CHECK_OK(cluster::check_set_name("hosts", boot::arch_profile(arch)));
    if (arch.empty()) return smd::bad("hosts: expected an architecture after Unknown-");
    return of_profile(boot::arch_profile(arch), {KeyKind::host, "Unknown-" + arch});
  }
  const auto xname = cluster::parse_xname(text);
  const cluster::NodeEntry* entry = xname ? xnames_.find(xname->text) : nullptr;
  if (entry == nullptr) entry = model_.find(text);
  if (entry == nullptr) entry = model_.find_alias(text);
  if (entry != nullptr) {
    return of_node(entry->node(), {KeyKind::host, cluster::xname_of(entry->node())});
  }
  if (const auto role = smd::word_of(smd::roles(), text)) {
    return Owner{
        AttributeSource::group, role_group(*role), {KeyKind::host, std::string(*role)}, {}};
  }
  for (const std::string& name : {std::string(text), low}) {
    if (!model_.groups().contains(name)) continue;
    return Owner{AttributeSource::group, name, {KeyKind::host, name}, {}};
  }
  if (xname && (xname->type == cluster::XnameType::node ||
                xname->type == cluster::XnameType::virtual_node)) {
    return of_profile(boot::xname_profile(xname->text), {KeyKind::host, xname->text});
  }
  return smd::bad(fmt::format("invalid xname, and no node, role or group: '{}'", printable(text)));
}

Result<Owner> Owners::of_mac(std::string_view text) {
  const auto mac = cluster::canonical_mac(text);
  if (!mac) return smd::bad(fmt::format("invalid MAC address: '{}'", printable(text)));
  if (!interfaces_) interfaces_ = smd::interface_rows(model_);
  const auto row = interfaces_->find(smd::interface_id(*mac));
  const cluster::NodeEntry* entry =
      row == interfaces_->end() || row->second.of_bmc ? nullptr : model_.find(row->second.node);
  if (entry != nullptr) return of_node(entry->node(), {KeyKind::mac, *mac});
  return of_profile(boot::mac_profile(*mac), {KeyKind::mac, *mac});
}

Owner Owners::of_nid(uint64_t nid) {
  const Key key{KeyKind::nid, std::to_string(nid)};
  const cluster::NodeEntry* entry = xnames_.find_nid(nid);
  if (entry != nullptr) return of_node(entry->node(), key);
  return of_profile(boot::nid_profile(nid), key);
}

Result<Owner> Owners::of(const Key& key) {
  if (key.kind == KeyKind::host) return of_host(key.text);
  if (key.kind == KeyKind::mac) return of_mac(key.text);
  uint64_t nid = 0;
  const char* const end = key.text.data() + key.text.size();
  const auto [rest, error] = std::from_chars(key.text.data(), end, nid);
  if (error != std::errc() || rest != end || nid == 0) {
    return smd::bad(fmt::format("invalid nid '{}'", printable(key.text)));
  }
  return of_nid(nid);
}

BootWords words_of(const cluster::Model& model, const Owner& owner) {
  const Attributes* own = attributes_of(model, owner);
  BootWords out = own == nullptr ? BootWords{} : words_of(*own);
  for (const std::string& profile : owner.before) {
    const auto found = model.profiles().find(profile);
    if (found != model.profiles().end()) fill_up(out, words_of(found->second.value.attributes));
  }
  return out;
}

std::vector<Entry> all_entries(const cluster::Model& model) {
  std::vector<Entry> out;
  std::set<std::string> taken;
  const bool any = std::ranges::any_of(
      model.profiles(), [](const auto& each) { return each.first.starts_with(kXnamePrefix); });
  for (const auto& [name, entry] : model.nodes()) {
    Owner owner{AttributeSource::node, name, {}, {}};
    if (any) owner.before = boot::profiles_meant(model, entry.node());
    BootWords words = words_of(model, owner);
    taken.insert(owner.before.begin(), owner.before.end());
    if (!words.any()) continue;
    out.push_back({{KeyKind::host, cluster::xname_of(entry.node())}, std::move(words)});
  }
  for (const auto& [name, group] : model.groups()) {
    BootWords words = words_of(group.value.attributes);
    if (!words.any()) continue;
    const std::string_view role = role_of(name);
    out.push_back({{KeyKind::host, role.empty() ? name : std::string(role)}, std::move(words)});
  }
  for (const auto& [name, profile] : model.profiles()) {
    auto key = key_of_profile(name);
    BootWords words = words_of(profile.value.attributes);
    if (key && words.any() && !taken.contains(name)) {
      out.push_back({*std::move(key), std::move(words)});
    }
  }
  return out;
}

std::string entries_text(const std::vector<Entry>& entries) {
  std::vector<std::pair<const BootWords*, std::array<std::vector<std::string_view>, 3>>> rows;
  std::map<std::string, size_t> known;
  for (const Entry& entry : entries) {
    const std::string same =
        fmt::format("{}\n{}\n{}", entry.words.kernel, entry.words.initrd, entry.words.params);
    const auto [at, fresh] = known.try_emplace(same, rows.size());
    if (fresh) rows.push_back({&entry.words, {}});
    rows[at->second].second.at(static_cast<size_t>(entry.key.kind)).push_back(entry.key.text);
  }
  constexpr std::array<std::string_view, 3> kLists{"hosts", "macs", "nids"};
  std::string out = "[";
  for (const auto& [words, lists] : rows) {
    if (out.size() > 1) out += ',';
    std::string members;
    for (size_t i = 0; i < lists.size(); ++i) {
      if (lists.at(i).empty()) continue;
      members += fmt::format("{}\"{}\":[", members.empty() ? "" : ",", kLists.at(i));
      for (const std::string_view text : lists.at(i)) {
        if (members.back() != '[') members += ',';
        if (i == static_cast<size_t>(KeyKind::nid)) {
          members += text;
        } else {
          smd::append_quoted(members, text);
        }
      }
      members += ']';
    }
    for (const auto& [name, value] :
         {std::pair<std::string_view, const std::string&>{"params", words->params},
          {"kernel", words->kernel},
          {"initrd", words->initrd}}) {
      if (value.empty()) continue;
      members += fmt::format(",\"{}\":", name);
      smd::append_quoted(members, value);
    }
    out += "{" + members + "}";
  }
  return out + "]";
}

Result<BootWords> read_words(store::Transaction& tx, const Owner& owner) {
  BootWords out;
  if (owner.source == AttributeSource::node) {
    DROVER_TRY(const cluster::Node node, cluster::read_node(tx, owner.name));
    out = words_of(node.spec.attributes);
  } else if (owner.source == AttributeSource::group) {
    DROVER_TRY(const auto object, tx.get(cluster::kGroupKind, owner.name));
    if (object) {
      DROVER_TRY(const Group group, decode_text<Group>(object->body, Unknown::ignore));
      out = words_of(group.attributes);
    }
  } else {
    DROVER_TRY(const auto profile, read_profile(tx, owner.name));
    if (profile) out = words_of(profile->attributes);
  }
  for (const std::string& before : owner.before) {
    DROVER_TRY(const auto profile, read_profile(tx, before));
    if (profile) fill_up(out, words_of(profile->attributes));
  }
  return out;
}

Status write_words(store::Transaction& tx, const Owner& owner, const BootWords& words) {
  cluster::DefinitionWriter writer(tx);
  for (const std::string& before : owner.before) {
    DROVER_CHECK_OK(write_profile(tx, writer, before, {}));
  }
  if (owner.source == AttributeSource::profile) {
    DROVER_CHECK_OK(write_profile(tx, writer, owner.name, words));
  } else if (owner.source == AttributeSource::group) {
    DROVER_CHECK_OK(write_group(tx, writer, owner.name, words));
  } else {
    DROVER_TRY(const cluster::Node node, cluster::read_node(tx, owner.name));
    cluster::NodeSpec spec = node.spec;
    set_attributes(spec.attributes, words);
    DROVER_CHECK_OK(writer.put_spec(owner.name, std::move(spec)));
  }
  return writer.finish();
}

Status check_boot_words(const BootWords& words) {
  DROVER_CHECK_OK(boot::check_file_url("kernel", words.kernel));
  DROVER_CHECK_OK(boot::check_file_url("initrd", words.initrd));
  return boot::check_words("params", words.params);
}

}  // namespace drover::api::bss
