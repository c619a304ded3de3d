#include "api/node_authority.hpp"

#include "base/noderange.hpp"
#include "base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::api {
namespace {

constexpr size_t kMostExpanded = 64;
constexpr size_t kMostShown = 400;

/// The model's names, where a name that nobody has stands for itself: a limit may speak of nodes
/// that are to be made.
class LimitNames final : public NodeNames {
 public:
  explicit LimitNames(const cluster::Model& model) : names_(model) {}
  [[nodiscard]] std::vector<std::string> all() const override { return names_.all(); }
  [[nodiscard]] bool is_node(std::string_view name) const override {
    return names_.is_node(name) || (!names_.node_of_alias(name) && !names_.members(name));
  }
  [[nodiscard]] std::optional<std::string> node_of_alias(std::string_view alias) const override {
    return names_.node_of_alias(alias);
  }
  [[nodiscard]] std::optional<std::vector<std::string>> members(
      std::string_view group) const override {
    return names_.members(group);
  }
  [[nodiscard]] bool has_attribute(std::string_view attribute) const override {
    return names_.has_attribute(attribute);
  }
  [[nodiscard]] std::optional<std::string> attribute(std::string_view node,
                                                     std::string_view attribute) const override {
    return names_.is_node(node) ? names_.attribute(node, attribute) : std::nullopt;
  }
  [[nodiscard]] bool is_list(std::string_view attribute) const override {
    return names_.is_list(attribute);
  }

 private:
  cluster::ModelNames names_;
};

std::string shown(const std::vector<std::string>& names) {
  std::string out = printable(fold_names(names));
  if (out.size() > kMostShown) out = out.substr(0, kMostShown) + "..";
  return out;
}

auth::NodePermission permission_of(const cluster::Node& node) {
  const cluster::NodeSpec& spec = node.spec;
  // A mode that cannot be read (from a newer version, say) allows nothing.
  return {spec.owner, spec.group, cluster::mode_bits(spec.mode).value_or(uint16_t{0})};
}

}  // namespace

Result<const std::vector<std::string>*> NodeAuthority::expand(const std::string& limit) {
  const auto known = expanded_.find(limit);
  if (known != expanded_.end() && known->second.first == model_.generation()) {
    return &known->second.second;
  }
  auto names = evaluate(limit, LimitNames(model_));
  if (!names) {
    return fail(Code::denied,
                fmt::format("the limit '{}' of this grant or credential cannot be evaluated: {}",
                            printable(limit), names.error().text()),
                "an administrator mends it: drover grant list, drover credential list");
  }
  std::ranges::sort(*names);
  if (expanded_.size() >= kMostExpanded) expanded_.clear();
  auto& place = expanded_[limit];
  place = {model_.generation(), std::move(*names)};
  return &place.second;
}

Status NodeAuthority::check_limit(const auth::Principal& principal, const std::string& limit,
                                  std::span<const std::string> names) {
  DROVER_TRY(const std::vector<std::string>* const inside, expand(limit));
  std::vector<std::string> outside;
  for (const std::string& name : names) {
    if (!std::ranges::binary_search(*inside, name)) outside.push_back(name);
  }
  if (outside.empty()) return {};
  return fail(Code::denied,
              fmt::format("{} is limited to {} and may not change {}", printable(principal.text()),
                          printable(limit), shown(outside)),
              "leave these nodes out, or ask for a wider grant");
}

Status NodeAuthority::check_permissions(const auth::Principal& principal,
                                        std::span<const std::string> names, auth::NodeUse use) {
  std::vector<std::string> groups = principal.groups;
  if (groups_of_ && principal.kind == auth::PrincipalKind::local_user &&
      !principal.account().empty()) {
    groups = groups_of_(principal.user, principal.gid);
  }
  std::vector<std::string> outside;
  for (const std::string& name : names) {
    const cluster::NodeEntry* entry = model_.find(name);
    const bool allowed =
        entry != nullptr && auth::may_use(principal, groups, permission_of(entry->node()), use);
    if (!allowed) outside.push_back(name);
  }
  if (outside.empty()) return {};
  return fail(
      Code::denied,
      fmt::format("{} may not {} {}: their owner, group and mode do not allow it",
                  printable(principal.text()),
                  use == auth::NodeUse::change ? "change" : "run anything on", shown(outside)),
      "ask the nodes' owner or an operator");
}

Status NodeAuthority::check(const auth::Principal& principal, const auth::Standing& standing,
                            std::span<const std::string> names, auth::NodeUse use) {
  for (const std::string& limit : standing.limits) {
    DROVER_CHECK_OK(check_limit(principal, limit, names));
  }
  if (standing.access >= auth::Access::operator_) return {};
  if (standing.access == auth::Access::user) return check_permissions(principal, names, use);
  return fail(Code::denied, fmt::format("{} may change no node: the role here is {}",
                                        printable(principal.text()), auth::name(standing.access)));
}

}  // namespace drover::api
