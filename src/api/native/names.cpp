// GET /names: names that begin with a prefix, for completion on the command line.
#include "api/list_writer.hpp"
#include "api/native/native.hpp"
#include "base/describe.hpp"
#include "cluster/attribute_catalogue.hpp"
#include "cluster/settings.hpp"
#include "telemetry/metrics.hpp"

#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace drover::api {
namespace {

/// More than a person reads, little enough to be sent and shown at once.
constexpr uint64_t kMostNames = 1000;

enum class NameKind : uint8_t { node, group, profile, network, attribute, metric, setting, image };
constexpr std::array<std::string_view, 8> kKindNames{"node",      "group",  "profile", "network",
                                                     "attribute", "metric", "setting", "image"};
std::span<const std::string_view> enum_names(NameKind) {
  return kKindNames;
}

struct KnownName {
  static constexpr std::string_view kTypeName = "KnownName";
  NameKind kind = NameKind::node;
  std::string name;
  std::string help;
  void describe(Visitor& v) {
    v.field("kind", kind, "What it is the name of.");
    v.field("name", name, "The name.");
    v.field("help", help,
            "What it stands for, in a few words; empty when there is nothing to say.");
  }
};

/// Gathers names up to a limit.
class Gatherer {
 public:
  Gatherer(std::string_view prefix, uint64_t limit) : prefix_(prefix), left_(limit) {}
  [[nodiscard]] bool full() const { return left_ == 0; }
  void offer(NameKind kind, std::string_view name, std::string_view help = {}) {
    if (full() || !name.starts_with(prefix_)) return;
    --left_;
    list_.add(KnownName{kind, std::string(name), std::string(help)});
  }
  std::string finish() { return list_.finish(); }

 private:
  std::string_view prefix_;
  uint64_t left_;
  ListWriter list_;
};

void offer_nodes(const Services& services, Gatherer& to) {
  for (const auto& [name, entry] : services.model.nodes()) {
    if (to.full()) return;
    to.offer(NameKind::node, name);
    for (const std::string& alias : entry.node().spec.aliases) {
      to.offer(NameKind::node, alias, "also called " + name);
    }
  }
}

void offer_groups(const Services& services, Gatherer& to) {
  to.offer(NameKind::group, "all", "every node");
  for (const std::string_view role : enum_names(cluster::NodeRole{})) {
    to.offer(NameKind::group, role, "every node of this role");
  }
  for (const auto& [name, group] : services.model.groups()) {
    to.offer(NameKind::group, name, group.value.description);
  }
}

void offer_profiles(const Services& services, Gatherer& to) {
  for (const auto& [name, profile] : services.model.profiles()) {
    to.offer(NameKind::profile, name, profile.value.description);
  }
}

void offer_networks(const Services& services, Gatherer& to) {
  for (const auto& [name, network] : services.model.networks()) {
    const auto& value = network.value;
    to.offer(NameKind::network, name, value.description.empty() ? value.prefix : value.description);
  }
}

void offer_images(const Services& services, Gatherer& to) {
  for (const auto& [name, image] : services.model.images()) {
    to.offer(NameKind::image, name, image.value.description);
    for (const auto& [tag, digest] : image.value.tags) {
      to.offer(NameKind::image, fmt::format("{}:{}", name, tag), digest.substr(0, 12));
    }
  }
}

void offer_attributes(const Services& /*services*/, Gatherer& to) {
  for (const auto& row : cluster::attribute_catalogue()) {
    to.offer(NameKind::attribute, row.name, row.help);
  }
}

void offer_metrics(const Services& /*services*/, Gatherer& to) {
  for (const auto& metric : telemetry::metrics()) {
    to.offer(NameKind::metric, metric.name, metric.help);
  }
}

void offer_settings(const Services& /*services*/, Gatherer& to) {
  for (const auto& row : cluster::setting_catalogue()) {
    to.offer(NameKind::setting, row.option.key, row.option.help);
  }
}

struct Source {
  NameKind kind;
  void (*offer)(const Services& services, Gatherer& to);
};
constexpr std::array kSources{
    Source{NameKind::node, &offer_nodes},           Source{NameKind::group, &offer_groups},
    Source{NameKind::profile, &offer_profiles},     Source{NameKind::network, &offer_networks},
    Source{NameKind::attribute, &offer_attributes}, Source{NameKind::metric, &offer_metrics},
    Source{NameKind::setting, &offer_settings},     Source{NameKind::image, &offer_images}};

/// "node,group" as kinds; all of them when it is empty.
Result<std::vector<NameKind>> kinds_of(std::string_view text) {
  std::vector<NameKind> out;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const auto kind = enum_from_name<NameKind>(text.substr(0, comma));
    if (!kind) {
      return fail(Code::invalid_argument,
                  fmt::format("query parameter kind: expected some of {}, got \"{}\"",
                              fmt::join(kKindNames, ", "), text.substr(0, comma)));
    }
    out.push_back(*kind);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  if (out.empty()) {
    for (const Source& source : kSources) out.push_back(source.kind);
  }
  return out;
}

void list_names(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const uint64_t limit,
                 request->query_number("limit", kMostNames, 1, kMostNames));
  DROVER_OR_FAIL(request, const auto kinds, kinds_of(request->query("kind").value_or("")));
  Gatherer gatherer(request->query("prefix").value_or(""), limit);
  for (const Source& source : kSources) {
    if (std::find(kinds.begin(), kinds.end(), source.kind) == kinds.end()) continue;
    source.offer(services, gatherer);
  }
  request->json(200, gatherer.finish());
}

}  // namespace

void add_names(Router& router, Services& services) {
  router.add({.method = "GET",
              .path = "/api/v1/names",
              .privilege = auth::Privilege::view,
              .summary = "List names that begin with a prefix, for completion.",
              .query = {{"kind",
                         "Some of node, group, profile, network, attribute, metric, setting, with "
                         "commas; absent: "
                         "all."},
                        {"prefix", "What the names begin with; absent: nothing."},
                        {"limit", "Most names.", true, 1, kMostNames}},
              .gives = list_of<KnownName>(),
              .sortable = false,
              .handler = [&services](const RequestPtr& r) { list_names(services, r); }});
}

}  // namespace drover::api
