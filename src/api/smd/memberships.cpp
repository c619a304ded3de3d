// SMD's /memberships: which groups and partition each node is in. Reads only.
#include "api/smd/component_rows.hpp"
#include "api/smd/groups.hpp"
#include "api/smd/smd.hpp"

#include <map>

namespace drover::api::smd {
namespace {

/// Groups and partition of every node, worked out once for a list.
class Memberships {
 public:
  explicit Memberships(const cluster::Model& model) {
    for (const auto& [name, group] : model.groups()) {
      for (const std::string& node : *model.members(name)) {
        if (is_partition(name)) {
          of_[node].partition = std::string_view(name).substr(kPartitionPrefix.size());
        } else {
          of_[node].groups.push_back(name);
        }
      }
    }
  }

  void append(std::string& out, const ComponentRow& row) const {
    out += R"({"id":)";
    append_quoted(out, row.id);
    out += R"(,"groupLabels":[)";
    std::string_view partition;
    if (row.node != nullptr) {
      // The group of its role is always there, and what cloud-init says of it counts.
      append_quoted(out, enum_name(row.node->node().role));
      const auto found = of_.find(row.node->node().name);
      if (found != of_.end()) {
        for (const std::string_view group : found->second.groups) {
          out += ',';
          append_quoted(out, group);
        }
        partition = found->second.partition;
      }
    }
    out += R"(],"partitionName":)";
    append_quoted(out, partition);
    out += '}';
  }

 private:
  struct Of {
    std::vector<std::string_view> groups;
    std::string_view partition;
  };
  std::map<std::string, Of, std::less<>> of_;
};

void list(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const Query query, query_of(*request));
  DROVER_OR_FAIL(request, ComponentFilter filter, ComponentFilter::of(query));
  filter.look_at(services.model);
  const Memberships memberships(services.model);
  std::string out = "[";
  for (const ComponentRow& row : ComponentRows(services.model).all()) {
    if (!filter.accepts(row)) continue;
    if (out.size() > 1) out += ',';
    memberships.append(out, row);
  }
  request->json(200, out + "]");
}

/// One: asked by cloud-init's server for every node, so it looks at this node alone.
void show(Services& services, const RequestPtr& request) {
  const auto xname = cluster::parse_xname(request->path("xname"));
  std::optional<ComponentRow> row;
  if (xname) row = ComponentRows(services.model).find(xname->text);
  if (!row) return request->fail(missing("no such xname."));
  std::string out = R"({"id":)";
  append_quoted(out, row->id);
  out += R"(,"groupLabels":[)";
  std::string partition;
  if (row->node != nullptr) {
    append_quoted(out, enum_name(row->node->node().role));
    const cluster::ModelDefinitions definitions(services.model);
    for (const cluster::Group* group : definitions.groups_of(row->node->node())) {
      if (is_partition(group->name)) {
        partition = group->name.substr(kPartitionPrefix.size());
        continue;
      }
      out += ',';
      append_quoted(out, group->name);
    }
  }
  out += R"(],"partitionName":)";
  append_quoted(out, partition);
  request->json(200, out + "}");
}

}  // namespace

void add_memberships(Router& router, Services& services) {
  router.add({.method = "GET",
              .path = "/hsm/v2/memberships",
              .privilege = auth::Privilege::view,
              .summary = "SMD: the groups and partition of each component; takes the filters of "
                         "components.",
              .query = {{.name = "id", .doc = "Only these xnames."},
                        {.name = "type", .doc = "Only these types."}},
              .gives = array_of<MembershipForm>(),
              .errors = {Code::invalid_argument},
              .handler = [&services](const RequestPtr& r) { list(services, r); },
              .dialect = Dialect::smd});
  router.add({.method = "GET",
              .path = "/hsm/v2/memberships/{xname}",
              .privilege = auth::Privilege::view,
              .summary = "SMD: the groups and partition of one component.",
              .gives = body_of<MembershipForm>(),
              .errors = {Code::not_found},
              .handler = [&services](const RequestPtr& r) { show(services, r); },
              .dialect = Dialect::smd});
}

}  // namespace drover::api::smd
