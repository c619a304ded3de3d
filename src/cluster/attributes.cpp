#include "cluster/attributes.hpp"

#include "base/text.hpp"
#include "cluster/attribute_catalogue.hpp"
#include "cluster/field_rules.hpp"
#include "cluster/formula.hpp"
#include "cluster/names.hpp"
#include "cluster/net_address.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace drover::cluster {
namespace {

constexpr std::array<std::string_view, 3> kSourceNames{"node", "profile", "group"};

/// Attributes that formulas may refer to one behind the other.
constexpr size_t kMaxReferences = 32;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The runs of digits in a name, without leading zeros: "rack2n013" gives 2 and 13.
std::vector<std::string> numbers_in(std::string_view name) {
  std::vector<std::string> out;
  for (size_t i = 0; i < name.size();) {
    if (!is_digit(name[i])) {
      ++i;
      continue;
    }
    while (i + 1 < name.size() && name[i] == '0' && is_digit(name[i + 1])) ++i;
    const size_t start = i;
    while (i < name.size() && is_digit(name[i])) ++i;
    out.emplace_back(name.substr(start, i - start));
  }
  return out;
}

Result<std::string> number_of(const std::string& node, size_t index) {
  const auto numbers = numbers_in(node);
  if (index == 0 && !numbers.empty()) return numbers.back();
  if (index > 0 && index <= numbers.size()) return numbers[index - 1];
  return fail(Code::invalid_argument,
              index <= 1 ? fmt::format("the name '{}' has no number", node)
                         : fmt::format("the name '{}' has no {}th number", node, index));
}

}  // namespace

bool stronger_group(const Group& a, const Group& b) {
  if (a.priority != b.priority) return a.priority > b.priority;
  return natural_compare(a.name, b.name) < 0;
}

std::span<const std::string_view> enum_names(AttributeSource) {
  return kSourceNames;
}

void AttributeSetting::describe(Visitor& v) {
  v.field("source", source, "What kind of thing sets it.");
  v.field("name", name, "Which node, profile or group.");
  v.field("through", through, "Of a profile: whose profile it is; empty: everybody's.");
  v.field("raw", raw, "The value as it was written, formulas and all.");
}

std::string origin_text(const AttributeSetting& setting) {
  if (setting.source == AttributeSource::node) return "node";
  std::string out = fmt::format("{} {}", enum_name(setting.source), setting.name);
  if (!setting.through.empty()) out += fmt::format(" of {}", setting.through);
  return out;
}

void EffectiveAttribute::describe(Visitor& v) {
  v.field("name", name, "Name of the attribute.");
  v.field("value", value, "Its value with formulas evaluated; empty when that failed.");
  v.field("problem", problem, "Why there is no value, or which rule it breaks; empty: it is good.");
  v.field("set_by", set_by, "Where the value comes from.");
  v.field("overrides", overrides, "Weaker settings of it, strongest first.");
}

NodeAttributes::NodeAttributes(const Node& node, const Definitions& definitions) : node_(node) {
  layers_.push_back({AttributeSource::node, node.name, {}, {}, &node.spec.attributes});
  for (const std::string& name : node.spec.profiles) add_profile(name, "node", "", definitions);
  for (const Group* group : definitions.groups_of(node)) {
    layers_.push_back({AttributeSource::group, group->name, {}, {}, &group->attributes});
    for (const std::string& name : group->profiles) {
      add_profile(name, "group", group->name, definitions);
    }
  }
  add_profile(kDefaultProfile, "", "", definitions);
}

void NodeAttributes::add_profile(std::string_view name, std::string_view through_kind,
                                 std::string_view through_name, const Definitions& definitions) {
  if (std::ranges::find(seen_, name) != seen_.end()) return;
  const Profile* profile = definitions.profile(name);
  if (profile == nullptr) return;
  seen_.push_back(profile->name);
  layers_.push_back(
      {AttributeSource::profile, profile->name, through_kind, through_name, &profile->attributes});
  for (const std::string& inherited : profile->inherits) {
    add_profile(inherited, "profile", profile->name, definitions);
  }
}

const NodeAttributes::Layer* NodeAttributes::find(const std::string& name) const {
  const auto it = std::ranges::find_if(
      layers_, [&](const Layer& layer) { return layer.attributes->contains(name); });
  return it == layers_.end() ? nullptr : &*it;
}

const std::string* NodeAttributes::raw(const std::string& name) const {
  const Layer* layer = find(name);
  return layer == nullptr ? nullptr : &layer->attributes->find(name)->second;
}

AttributeSetting NodeAttributes::setting(const Layer& layer, const std::string& raw) const {
  std::string through(layer.through_kind);
  if (!layer.through_name.empty()) through += fmt::format(" {}", layer.through_name);
  return {layer.source, std::string(layer.name), std::move(through), raw};
}

std::vector<AttributeSetting> NodeAttributes::sources() const {
  std::vector<AttributeSetting> out;
  out.reserve(layers_.size() + 2);
  // Groups that are always there hold no attributes, but steps, files and cloud-init can be theirs:
  // stronger than what everybody has by the profile `default`, weaker than all else.
  const auto built_in = std::ranges::find_if(layers_, [](const Layer& layer) {
    return layer.name == kDefaultProfile && layer.through_kind.empty();
  });
  for (auto layer = layers_.begin(); layer != built_in; ++layer) out.push_back(setting(*layer, {}));
  out.push_back({AttributeSource::group, std::string(enum_name(node_.role)), {}, {}});
  out.push_back({AttributeSource::group, "all", {}, {}});
  for (auto layer = built_in; layer != layers_.end(); ++layer) out.push_back(setting(*layer, {}));
  return out;
}

Result<std::optional<std::string>> NodeAttributes::value(const std::string& name) {
  const Layer* layer = find(name);
  if (layer == nullptr) return std::nullopt;
  const std::string& written = layer->attributes->find(name)->second;
  if (!has_formula(written) || is_verbatim_attribute(name)) return written;
  const auto known = memo_.find(name);
  if (known != memo_.end()) {
    if (!known->second) return tl::unexpected<Error>(known->second.error());
    return *known->second;
  }
  if (std::ranges::find(evaluating_, name) != evaluating_.end()) {
    return fail(Code::invalid_argument, fmt::format("formulas go round in a circle: {} -> {}",
                                                    fmt::join(evaluating_, " -> "), name));
  }
  if (evaluating_.size() >= kMaxReferences) {
    return fail(Code::invalid_argument,
                fmt::format("more than {} formulas refer to one another: {}", kMaxReferences,
                            fmt::join(evaluating_, " -> ")));
  }
  evaluating_.push_back(name);
  const std::string place = fmt::format("{}: attribute {} of {} {}", node_.name, name,
                                        enum_name(layer->source), layer->name);
  auto result = evaluate(written, place);
  evaluating_.pop_back();
  memo_.insert_or_assign(name, result);
  if (!result) return tl::unexpected<Error>(std::move(result).error());
  return *std::move(result);
}

Result<std::string> NodeAttributes::evaluate(const std::string& text, const std::string& place) {
  FormulaVariable lookup = [this](const std::string& name) { return variable(name); };
  auto result = evaluate_formula(text, lookup);
  if (result) return result;
  // The innermost place says where the mistake is; those around it only passed it on.
  if (!result.error().context.empty()) return result;
  return fail_in(place, std::move(result).error());
}

Result<std::string> NodeAttributes::variable(const std::string& name) {
  if (name == "name") return node_.name;
  if (name == "nid") {
    if (node_.spec.nid != 0) return std::to_string(node_.spec.nid);
    return fail(Code::invalid_argument, "the node has no nid");
  }
  if (const auto index = number_variable(name)) return number_of(node_.name, *index);
  DROVER_TRY(auto found, value(name));
  if (found) return *std::move(found);
  return fail(Code::invalid_argument,
              fmt::format("'{}' is neither name, nid, number nor an attribute that is set", name));
}

Result<std::string> NodeAttributes::expand(std::string_view field, const std::string& text) {
  if (!has_formula(text)) return text;
  return evaluate(text, std::string(field));
}

std::vector<EffectiveAttribute> NodeAttributes::all() {
  std::map<std::string, EffectiveAttribute> by_name;
  for (const Layer& layer : layers_) {
    for (const auto& [name, written] : *layer.attributes) {
      const auto [it, is_new] = by_name.try_emplace(name);
      if (is_new) {
        it->second.name = name;
        it->second.set_by = setting(layer, written);
      } else {
        it->second.overrides.push_back(setting(layer, written));
      }
    }
  }
  std::vector<EffectiveAttribute> out;
  out.reserve(by_name.size());
  for (auto& [name, attribute] : by_name) {
    const auto effective = value(name);
    if (!effective) {
      attribute.problem = effective.error().text();
    } else {
      attribute.value = effective->value_or("");
      const Status good = check_resolved_value(name, name, attribute.value);
      if (!good) attribute.problem = good.error().message;
    }
    out.push_back(std::move(attribute));
  }
  return out;
}

namespace {

Status evaluate_mac(NodeAttributes& attributes, const std::string& field, std::string& mac) {
  if (mac.empty()) return {};
  DROVER_TRY(const std::string text, attributes.expand(field, mac));
  auto canonical = canonical_mac(text);
  if (!canonical) return bad_field(field, text, "expected the octets of one interface's address");
  mac = std::move(*canonical);
  return {};
}

}  // namespace

Result<Interface> evaluate_interface(NodeAttributes& attributes, const Interface& interface,
                                     size_t index) {
  Interface out = interface;
  const std::string place = fmt::format("spec.interfaces[{}]", index);
  DROVER_CHECK_OK(evaluate_mac(attributes, place + ".mac", out.mac));
  for (size_t i = 0; i < out.addresses.size(); ++i) {
    const std::string field = fmt::format("{}.addresses[{}]", place, i);
    DROVER_TRY(const std::string text, attributes.expand(field, out.addresses[i]));
    auto canonical = canonical_address(text);
    if (!canonical) {
      return bad_field(field, text, "expected an IP address with or without /prefix");
    }
    out.addresses[i] = std::move(*canonical);
  }
  return out;
}

Result<Bmc> evaluate_bmc(NodeAttributes& attributes, const Bmc& bmc) {
  Bmc out = bmc;
  DROVER_CHECK_OK(evaluate_mac(attributes, "spec.bmc.mac", out.mac));
  DROVER_TRY(std::string text, attributes.expand("spec.bmc.address", bmc.address));
  auto canonical = canonical_address(text);
  const bool is_address = canonical && canonical->find('/') == std::string::npos;
  if (!is_address && !text.empty() && !check_node_name(text)) {
    return bad_field("spec.bmc.address", text, "expected a host name or an IP address");
  }
  out.address = is_address ? std::move(*canonical) : std::move(text);
  return out;
}

}  // namespace drover::cluster
