#include "cluster/claims.hpp"

#include "cluster/definition_writer.hpp"
#include "cluster/field_rules.hpp"
#include "cluster/formula.hpp"
#include "cluster/net_address.hpp"
#include "cluster/unknown_machine.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

struct ClaimRecord {
  static constexpr std::string_view kTypeName = "ClaimRecord";
  std::string node;
  std::vector<std::string> also;
  void describe(Visitor& v) {
    v.field("node", node, "Who holds it.");
    v.field("also", also, "Who shares it.", Presence::optional);
  }
};

struct ClaimList {
  static constexpr std::string_view kTypeName = "ClaimList";
  std::vector<std::string> claims;
  void describe(Visitor& v) { v.field("claims", claims, "What the node holds."); }
};

Status add_addresses(const Interface& interface, size_t index, Claims& out) {
  for (size_t i = 0; i < interface.addresses.size(); ++i) {
    const std::string_view address = without_prefix(interface.addresses[i]);
    const std::string field = fmt::format("spec.interfaces[{}].addresses[{}]", index, i);
    const auto [it, is_new] = out.try_emplace(fmt::format("ip/{}", address), field);
    if (!is_new) {
      return bad_field(field, address, fmt::format("{} of the same node has it", it->second));
    }
  }
  return {};
}

/// A BMC may be that of several nodes, as in a chassis, when all that is said of it is the same.
std::string shared_claim(std::string_view what, const Bmc& bmc) {
  return fmt::format("{} bmc {} {} {} {}", what, enum_name(bmc.protocol), bmc.address, bmc.mac,
                     bmc.user);
}

Status add_bmc(const Bmc& bmc, Claims& out) {
  const std::string mac = "mac/" + bmc.mac;
  if (!bmc.mac.empty() && !out.contains(mac)) out[shared_claim(mac, bmc)] = "spec.bmc.mac";
  if (!canonical_address(bmc.address)) return {};
  const std::string address = "ip/" + bmc.address;
  if (const auto own = out.find(address); own != out.end()) {
    return bad_field("spec.bmc.address", bmc.address,
                     fmt::format("{} of the same node has it", own->second));
  }
  out[shared_claim(address, bmc)] = "spec.bmc.address";
  return {};
}

/// How the node has it that stands in the way.
std::string_view standing_of(std::string_view claim, std::string_view wanted) {
  const bool bmc = what_of(claim) != claim;
  if (!bmc) return "";
  if (claim == wanted) return " for its BMC, with as many others as may share one";
  return what_of(wanted) == wanted ? " for its BMC"
                                   : " for its BMC, of which address, protocol, MAC or user differ";
}

}  // namespace

std::string_view what_of(std::string_view claim) {
  return claim.substr(0, claim.find(' '));
}
bool may_share(std::string_view claim, std::string_view other) {
  return claim == other && claim.find(' ') != std::string_view::npos;
}

Result<Claims> claims_of(const Node& node, const Definitions& definitions) {
  const NodeSpec& spec = node.spec;
  Claims out;
  for (size_t i = 0; i < spec.aliases.size(); ++i) {
    out[fmt::format("alias/{}", spec.aliases[i])] = fmt::format("spec.aliases[{}]", i);
  }
  if (spec.nid != 0) out[fmt::format("nid/{}", spec.nid)] = "spec.nid";
  if (spec.interfaces.empty() && !spec.bmc) return out;
  NodeAttributes attributes(node, definitions);
  for (size_t i = 0; i < spec.interfaces.size(); ++i) {
    DROVER_TRY(const Interface interface, evaluate_interface(attributes, spec.interfaces[i], i));
    // Interfaces of one node may share a MAC, as a bond and its members do.
    if (!interface.mac.empty()) {
      out.try_emplace(fmt::format("mac/{}", interface.mac),
                      fmt::format("spec.interfaces[{}].mac", i));
    }
    DROVER_CHECK_OK(add_addresses(interface, i, out));
  }
  if (!spec.bmc) return out;
  DROVER_TRY(const Bmc bmc, evaluate_bmc(attributes, *spec.bmc));
  DROVER_CHECK_OK(add_bmc(bmc, out));
  return out;
}

bool same_claims(const NodeSpec& before, const NodeSpec& after) {
  if (before.aliases != after.aliases || before.nid != after.nid || before.bmc != after.bmc ||
      before.interfaces != after.interfaces) {
    return false;
  }
  if (after.bmc && (has_formula(after.bmc->address) || has_formula(after.bmc->mac))) return false;
  return std::ranges::none_of(after.interfaces, [](const Interface& interface) {
    return has_formula(interface.mac) || std::ranges::any_of(interface.addresses, has_formula);
  });
}

Result<ClaimBook::Held> ClaimBook::held_by(const std::string& node) {
  DROVER_TRY(const auto object, tx_.get(kClaimsOfKind, node));
  if (!object) return Held();
  DROVER_TRY(const ClaimList list, decode_text<ClaimList>(object->body, Unknown::ignore));
  return Held(list.claims.begin(), list.claims.end());
}

Result<std::vector<ClaimBook::Holder>> ClaimBook::holders(std::string_view what) {
  std::vector<Holder> out;
  DROVER_TRY(const auto object, tx_.get(kClaimKind, what));
  if (!object) return out;
  DROVER_TRY(ClaimRecord record, decode_text<ClaimRecord>(object->body, Unknown::ignore));
  record.also.insert(record.also.begin(), record.node);
  for (std::string& node : record.also) {
    DROVER_TRY(const auto held, held_by(node));
    const auto claim = held.lower_bound(what);
    if (claim == held.end() || what_of(*claim) != what) continue;
    out.push_back({std::move(node), *claim});
  }
  return out;
}

Result<std::string> ClaimBook::holder(const std::string& claim) {
  DROVER_TRY(const auto all, holders(what_of(claim)));
  return all.empty() ? std::string() : all.front().node;
}

Result<bool> ClaimBook::holds(const std::string& node, const Claims& claims) {
  DROVER_TRY(const Held held, held_by(node));
  return std::ranges::equal(held, claims, {}, {}, &Claims::value_type::first);
}

Status ClaimBook::take(const std::string& node, const Claims& claims) {
  DROVER_TRY(const Held held, held_by(node));
  DROVER_CHECK_OK(check(node, claims, held));
  DROVER_CHECK_OK(release(node, claims, held));
  return hold(node, claims, held);
}

Status ClaimBook::check(const std::string& node, const Claims& claims) {
  DROVER_TRY(const Held held, held_by(node));
  return check(node, claims, held);
}
Status ClaimBook::release(const std::string& node, const Claims& keep) {
  DROVER_TRY(const Held held, held_by(node));
  return release(node, keep, held);
}
Status ClaimBook::hold(const std::string& node, const Claims& claims) {
  DROVER_TRY(const Held held, held_by(node));
  return hold(node, claims, held);
}

Status ClaimBook::check(const std::string& node, const Claims& claims, const Held& held) {
  for (const auto& [claim, field] : claims) {
    const std::string_view what = what_of(claim);
    const std::string value(what.substr(what.find('/') + 1));
    std::string other;
    std::string_view as;
    size_t sharers = 0;
    // What it holds already nobody else can have been given; but a node may have come by the name.
    if (!held.contains(claim)) {
      DROVER_TRY(const auto all, holders(what));
      for (const Holder& holder : all) {
        if (holder.node == node) continue;
        if (may_share(claim, holder.claim) && ++sharers < kMostOnOneBmc) continue;
        other = holder.node;
        as = standing_of(holder.claim, claim);
        break;
      }
    }
    if (claim.starts_with("alias/")) {
      DROVER_TRY(const auto named, tx_.get(kNodeKind, value));
      if (named) {
        other = value;
        as = " as its name";
      }
    }
    if (other.empty() || other == node) continue;
    return fail(Code::conflict,
                fmt::format("{}: '{}' is taken: node '{}' has it{}", field, value, other, as),
                fmt::format("drover node show {}", other));
  }
  return {};
}

Status ClaimBook::check_name(const std::string& name) {
  DROVER_TRY(const std::string other, holder(fmt::format("alias/{}", name)));
  if (other.empty()) return {};
  return fail(Code::conflict,
              fmt::format("name: '{}' is taken: node '{}' has it as an alias", name, other),
              fmt::format("drover node show {}", other));
}

Status ClaimBook::release(const std::string& node, const Claims& keep, const Held& held) {
  for (const std::string& claim : held) {
    if (keep.contains(claim)) continue;
    DROVER_TRY(auto now, holders(what_of(claim)));
    const auto gone = std::erase_if(now, [&](const Holder& each) { return each.node == node; });
    if (gone > 0) DROVER_CHECK_OK(note(what_of(claim), now));
  }
  if (keep.empty() && !held.empty()) DROVER_CHECK_OK(tx_.erase_quiet(kClaimsOfKind, node));
  return {};
}

Status ClaimBook::note(std::string_view what, const std::vector<Holder>& holders) {
  if (holders.empty()) {
    DROVER_CHECK_OK(tx_.erase_quiet(kClaimKind, what));
    return {};
  }
  ClaimRecord record{holders.front().node, {}};
  for (size_t i = 1; i < holders.size(); ++i) record.also.push_back(holders[i].node);
  return tx_.put_quiet(kClaimKind, what, encode(record));
}

Status ClaimBook::hold(const std::string& node, const Claims& claims, const Held& held) {
  ClaimList list;
  bool changed = held.size() != claims.size();
  for (const auto& [claim, field] : claims) {
    list.claims.push_back(claim);
    if (held.contains(claim)) continue;
    changed = true;
    std::vector<Holder> all;
    if (what_of(claim) != claim) {
      DROVER_TRY(all, holders(what_of(claim)));
      std::erase_if(all, [&](const Holder& each) { return !may_share(claim, each.claim); });
    }
    all.push_back({node, claim});
    DROVER_CHECK_OK(note(what_of(claim), all));
    // A machine that somebody has named in any way is unknown no more.
    constexpr std::string_view kMac = "mac/";
    if (!claim.starts_with(kMac)) continue;
    DROVER_TRY([[maybe_unused]] const bool was,
               tx_.erase(kUnknownKind, std::string_view(claim).substr(kMac.size())));
  }
  if (!changed || claims.empty()) return {};
  return tx_.put_quiet(kClaimsOfKind, node, encode(list));
}

}  // namespace drover::cluster
