// Between flat fields and the structs of the model, whose own rules check and canonicalise them.
#pragma once

#include "cluster/content/cloud_init.hpp"
#include "cluster/content/node_steps.hpp"
#include "cluster/content/overlay.hpp"
#include "cluster/declare/document.hpp"
#include "cluster/declare/fields.hpp"
#include "cluster/group.hpp"
#include "cluster/network.hpp"
#include "cluster/node.hpp"
#include "cluster/profile.hpp"

#include <string>
#include <vector>

namespace drover::cluster {

/// Makes the object canonical as its struct's normalise() does. What breaks a rule comes back, one
/// problem for each part that is wrong, at its place in the document's entry.
std::vector<Mistake> make_canonical(const ObjectName& object, FieldSet& set, const Entry& entry);

/// "spec.interfaces[1].mac" of an error as the place in the document: the n-th interface of the
/// object is where the entry has the one of its name.
std::string problem_pointer(std::string_view field, const FieldSet& set, const Entry& entry);

/// The fields as structs; `set` is canonical.
Result<Group> to_group(const std::string& name, const FieldSet& set);
Result<Profile> to_profile(const std::string& name, const FieldSet& set);
Result<Network> to_network(const std::string& name, const FieldSet& set);
Result<CloudInit> to_cloud_init(const std::string& owner, const FieldSet& set);
Result<StepList> to_steps(const std::string& owner, const FieldSet& set);
Result<Overlay> to_overlay(const std::string& owner, const FieldSet& set);
/// Puts role and spec into a node and leaves the rest of it alone.
Status put_into(Node& node, const FieldSet& set);
/// The text of a setting.
std::string to_setting(const FieldSet& set);

/// What is in force, from the JSON bodies of the store.
FieldSet fields_of_node(const json::value& body);
FieldSet fields_of_object(Section section, const json::value& body);

}  // namespace drover::cluster
