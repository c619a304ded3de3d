// Effective attributes: what a node's own attributes, its profiles, its groups and the profile
// `default` give together, formulas evaluated, and where each value comes from. Pure.
#pragma once

#include "base/describe.hpp"
#include "base/result.hpp"
#include "cluster/group.hpp"
#include "cluster/node.hpp"
#include "cluster/profile.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

/// Where profiles and groups are looked up: the model in memory, or a store mutation. What it gives
/// must stay as it is while a NodeAttributes uses it.
class Definitions {
 public:
  Definitions() = default;
  Definitions(const Definitions&) = delete;
  Definitions& operator=(const Definitions&) = delete;
  virtual ~Definitions() = default;
  /// nullptr when there is none.
  [[nodiscard]] virtual const Profile* profile(std::string_view name) const = 0;
  /// The groups that a node is in, strongest first (stronger_group()).
  [[nodiscard]] virtual std::vector<const Group*> groups_of(const Node& node) const = 0;
};

/// By priority, then by name in natural order.
bool stronger_group(const Group& a, const Group& b);

enum class AttributeSource : uint8_t { node, profile, group };
std::span<const std::string_view> enum_names(AttributeSource);

/// One place that sets an attribute.
struct AttributeSetting {
  static constexpr std::string_view kTypeName = "AttributeSetting";
  AttributeSource source = AttributeSource::node;
  std::string name;     ///< of the node, profile or group
  std::string through;  ///< a profile: whose it is: "node", "group rack1" or "profile base"
  std::string raw;      ///< the value as it was written
  bool operator==(const AttributeSetting&) const = default;
  void describe(Visitor& v);
};
/// In words: "node", "group rack1", "profile gpu of group rack1".
std::string origin_text(const AttributeSetting& setting);

/// One attribute of a node with its blame.
struct EffectiveAttribute {
  static constexpr std::string_view kTypeName = "EffectiveAttribute";
  std::string name;
  std::string value;    ///< with formulas evaluated; empty when that failed
  std::string problem;  ///< why there is no value, or which rule it breaks; empty: it is good
  AttributeSetting set_by;
  std::vector<AttributeSetting> overrides;  ///< strongest first
  bool operator==(const EffectiveAttribute&) const = default;
  void describe(Visitor& v);
};

/// The attributes of one node. Strongest first: the node's own; its profiles in order, each
/// followed by what it inherits, depth first; its groups, strongest first, each followed by its
/// profiles; the profile `default`. A profile that comes again is not looked at again.
///
/// Formulas see `name`, `nid`, `number` (the last number in the name), `number1`, `number2` .. (the
/// k-th) and every effective attribute. A circle, an unknown variable and a `nid` that is not set
/// are errors (invalid_argument) that name the node and the place.
///
/// Holds references to both arguments. One thread.
class NodeAttributes {
 public:
  NodeAttributes(const Node& node, const Definitions& definitions);

  /// Nothing when nobody sets it.
  [[nodiscard]] Result<std::optional<std::string>> value(const std::string& name);
  /// The strongest setting as written; nullptr when nobody sets it.
  [[nodiscard]] const std::string* raw(const std::string& name) const;
  /// A text of the node itself, such as an address; `field` is its place for errors.
  [[nodiscard]] Result<std::string> expand(std::string_view field, const std::string& text);
  /// All of them by name.
  [[nodiscard]] std::vector<EffectiveAttribute> all();
  /// The places that it takes attributes or content from, strongest first; `raw` is empty.
  [[nodiscard]] std::vector<AttributeSetting> sources() const;

 private:
  struct Layer {
    AttributeSource source;
    std::string_view name;
    std::string_view through_kind;  ///< of a profile: "node", "group", "profile" or ""
    std::string_view through_name;
    const std::map<std::string, std::string>* attributes;
  };
  void add_profile(std::string_view name, std::string_view through_kind,
                   std::string_view through_name, const Definitions& definitions);
  [[nodiscard]] const Layer* find(const std::string& name) const;
  [[nodiscard]] AttributeSetting setting(const Layer& layer, const std::string& raw) const;
  Result<std::string> evaluate(const std::string& text, const std::string& place);
  Result<std::string> variable(const std::string& name);

  const Node& node_;
  std::vector<Layer> layers_;
  std::vector<std::string_view> seen_;   ///< profiles
  std::vector<std::string> evaluating_;  ///< attributes whose formulas are being evaluated
  std::map<std::string, Result<std::string>> memo_;  ///< values of attributes with formulas
};

/// An interface or BMC with its formulas evaluated.
Result<Interface> evaluate_interface(NodeAttributes& attributes, const Interface& interface,
                                     size_t index);
Result<Bmc> evaluate_bmc(NodeAttributes& attributes, const Bmc& bmc);

}  // namespace drover::cluster
