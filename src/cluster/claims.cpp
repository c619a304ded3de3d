#include "cluster/claims.hpp"

#include "cluster/definition_writer.hpp"
#include "cluster/field_rules.hpp"
#include "cluster/net_address.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace drover::cluster {
namespace {

struct ClaimRecord {
  static constexpr std::string_view kTypeName = "ClaimRecord";
  std::string node;
  void describe(Visitor& v) { v.field("node", node, "Who holds it."); }
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

}  // namespace

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
  if (!bmc.mac.empty()) out.try_emplace(fmt::format("mac/{}", bmc.mac), "spec.bmc.mac");
  if (!canonical_address(bmc.address)) return out;
  const auto [it, is_new] = out.try_emplace(fmt::format("ip/{}", bmc.address), "spec.bmc.address");
  if (is_new) return out;
  return bad_field("spec.bmc.address", bmc.address,
                   fmt::format("{} of the same node has it", it->second));
}

Result<ClaimBook::Held> ClaimBook::held_by(const std::string& node) {
  DROVER_TRY(const auto object, tx_.get(kClaimsOfKind, node));
  if (!object) return Held();
  DROVER_TRY(const ClaimList list, decode_text<ClaimList>(object->body, Unknown::ignore));
  return Held(list.claims.begin(), list.claims.end());
}

Result<std::string> ClaimBook::holder(const std::string& claim) {
  DROVER_TRY(const auto object, tx_.get(kClaimKind, claim));
  if (!object) return std::string();
  DROVER_TRY(ClaimRecord record, decode_text<ClaimRecord>(object->body, Unknown::ignore));
  DROVER_TRY(const auto held, held_by(record.node));
  return held.contains(claim) ? std::move(record.node) : std::string();
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
    const std::string value = claim.substr(claim.find('/') + 1);
    std::string other;
    std::string_view as;
    // What it holds already nobody else can have been given; but a node may have come by the name.
    if (!held.contains(claim)) {
      DROVER_TRY(other, holder(claim));
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
    DROVER_TRY(const std::string now, holder(claim));
    if (now == node) DROVER_CHECK_OK(tx_.erase_quiet(kClaimKind, claim));
  }
  if (keep.empty() && !held.empty()) DROVER_CHECK_OK(tx_.erase_quiet(kClaimsOfKind, node));
  return {};
}

Status ClaimBook::hold(const std::string& node, const Claims& claims, const Held& held) {
  ClaimList list;
  bool changed = held.size() != claims.size();
  for (const auto& [claim, field] : claims) {
    list.claims.push_back(claim);
    if (held.contains(claim)) continue;
    changed = true;
    DROVER_CHECK_OK(tx_.put_quiet(kClaimKind, claim, encode(ClaimRecord{node})));
  }
  if (!changed || claims.empty()) return {};
  return tx_.put_quiet(kClaimsOfKind, node, encode(list));
}

}  // namespace drover::cluster
