// PCS's /power-status: what nodes' BMCs say of their power. What is older than kFresh is asked
// anew, so that an answer is never older than PCS's own, which asks every BMC twice a minute.
#include "api/pcs/forms.hpp"
#include "api/pcs/pcs.hpp"
#include "api/pcs/words.hpp"
#include "api/power_sight.hpp"
#include "api/smd/manners.hpp"
#include "api/smd/words.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cluster/xname_map.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace drover::api::pcs {
namespace {

constexpr Duration kFresh = std::chrono::seconds(15);
/// Then what is known is told, well before the request's own end.
constexpr Duration kPatience = std::chrono::seconds(20);
constexpr size_t kMostXnames = 20'000;
constexpr size_t kShownName = 64;

/// What is asked for, with nothing in what is not narrowed.
struct Asked {
  std::vector<std::string> xnames;  ///< canonical
  std::string power;                ///< on, off, undefined
  std::string management;           ///< available, unavailable
};

template <size_t N>
Result<std::string> one_of(const std::string& given, std::string_view what,
                           const std::array<std::string_view, N>& words) {
  const std::string word = smd::lower(given);
  if (word.empty() || std::ranges::find(words, word) != words.end()) return word;
  return smd::bad(fmt::format("invalid {} type {}", what,
                              printable(std::string_view(given).substr(0, kShownName))));
}

Result<Asked> checked(const std::vector<std::string>& xnames, const std::string& power,
                      const std::string& management) {
  constexpr std::array<std::string_view, 3> kPower{"on", "off", "undefined"};
  constexpr std::array<std::string_view, 2> kManagement{"available", "unavailable"};
  Asked out;
  DROVER_TRY(out.power, one_of(power, "PowerStateFilter", kPower));
  DROVER_TRY(out.management, one_of(management, "ManagementStateFilter", kManagement));
  if (xnames.size() > kMostXnames) return smd::bad(fmt::format("at most {} xnames", kMostXnames));
  std::string wrong;
  for (const std::string& text : xnames) {
    const auto xname = cluster::parse_xname(text);
    if (xname) {
      out.xnames.push_back(xname->text);
    } else if (wrong.size() < 8 * kShownName) {
      wrong += " " + printable(std::string_view(text).substr(0, kShownName));
    }
  }
  if (!wrong.empty()) return smd::bad(fmt::format("invalid xnames detected:{}", wrong));
  return out;
}

Result<Asked> in_query(const Request& request) {
  DROVER_TRY(const smd::Query query, smd::query_of(request));
  const auto first = [&](const char* name) {
    const auto found = query.find(name);
    return found == query.end() ? std::string() : found->second.front();
  };
  const auto xnames = query.find("xname");
  return checked(xnames == query.end() ? std::vector<std::string>() : xnames->second,
                 first("powerstatefilter"), first("managementstatefilter"));
}

Result<Asked> in_body(const Request& request) {
  auto body = parse_json(request.http().body);
  if (!body) return smd::bad(fmt::format("the body is no JSON: {}", body.error().message));
  if (!body->is_object()) return smd::bad("the body: expected an object");
  smd::Members from(*body);
  const auto xnames = from.texts("xname");
  const auto power = from.text("powerStateFilter");
  const auto management = from.text("managementStateFilter");
  if (!from.wrong().empty()) return smd::bad(from.wrong());
  return checked(xnames.value_or(std::vector<std::string>()), power.value_or(""),
                 management.value_or(""));
}

/// What is known of one node, or why nothing is.
struct Known {
  std::string_view power = "undefined";
  std::string_view management = "unavailable";
  std::string error;
  std::vector<std::string_view> transitions;
  WallTime updated{};
};

Known known_of(const PowerSight* sight, const cluster::Node& node) {
  Known out;
  const PowerSight::Seen* seen = sight == nullptr ? nullptr : sight->find(node.name);
  if (seen == nullptr) {
    out.error = "Its BMC has not been asked.";
    return out;
  }
  out.updated = seen->time;
  if (seen->error) {
    out.error = seen->error->message;
    return out;
  }
  out.power = power_word(seen->state);
  out.management = "available";
  out.transitions = transitions_by(seen->resets);
  return out;
}

json::object entry(const std::string& xname, const Known& known) {
  return {{"xname", xname},
          {"powerState", known.power},
          {"managementState", known.management},
          {"error", known.error},
          {"supportedPowerTransitions",
           json::array(known.transitions.begin(), known.transitions.end())},
          {"lastUpdated", known.updated == WallTime{} ? "" : to_rfc3339(known.updated)}};
}

void answer(const Services& services, const PowerSight* sight, const RequestPtr& request,
            const Asked& asked) {
  json::array status;
  const auto add = [&](const std::string& xname, const Known& known) {
    const bool fits = (asked.power.empty() || asked.power == known.power) &&
                      (asked.management.empty() || asked.management == known.management);
    if (fits) status.emplace_back(entry(xname, known));
  };
  if (asked.xnames.empty()) {
    for (const auto& [name, node] : services.model.nodes()) {
      add(cluster::xname_of(node.node()), known_of(sight, node.node()));
    }
  }
  cluster::XnameIndex index(services.model);
  for (const std::string& xname : asked.xnames) {
    const cluster::NodeEntry* node = index.find(xname);
    if (node != nullptr) {
      add(xname, known_of(sight, node->node()));
    } else {
      // Told whatever the filters say: who asked for it should know.
      Known missing;
      missing.error = "Component not found in component map.";
      status.emplace_back(entry(xname, missing));
    }
  }
  request->json(200, json::serialize(json::object{{"status", std::move(status)}}));
}

void give(Services& services, PowerSight* sight, const RequestPtr& request, Result<Asked> asked) {
  if (!asked) return request->fail(asked.error());
  (void)request->authorize_nodes({}, auth::NodeUse::run);  // it changes none
  std::vector<std::string> nodes;
  if (asked->xnames.empty()) {
    for (const auto& [name, node] : services.model.nodes()) {
      if (node.node().spec.bmc) nodes.push_back(name);
    }
  }
  cluster::XnameIndex index(services.model);
  for (const std::string& xname : asked->xnames) {
    const cluster::NodeEntry* node = index.find(xname);
    if (node != nullptr) nodes.push_back(node->node().name);
  }
  if (sight == nullptr || nodes.empty()) return answer(services, sight, request, *asked);
  sight->look(nodes, kFresh, kPatience, [&services, sight, request, asked = *std::move(asked)] {
    answer(services, sight, request, asked);
  });
}

}  // namespace

void add_power_status(Router& router, Services& services, const Paths& paths,
                      PowerSight* const& sight) {
  router.add({.method = "GET",
              .path = paths.power_status,
              .privilege = auth::Privilege::view,
              .summary = "PCS: what the BMCs of nodes say of their power.",
              .query = {{.name = "xname", .doc = "Only these; may be repeated."},
                        {.name = "powerStateFilter", .doc = "Only on, off or undefined."},
                        {.name = "managementStateFilter", .doc = "Only available or unavailable."}},
              .gives = body_of<PowerStatusList>(),
              .errors = {Code::invalid_argument},
              .handler = [&services,
                          &sight](const RequestPtr& r) { give(services, sight, r, in_query(*r)); },
              .dialect = Dialect::smd});
  router.add({.method = "POST",
              .path = paths.power_status,
              .privilege = auth::Privilege::view,
              .summary = "PCS: the same for long lists of nodes.",
              .takes = body_of<PowerStatusRequest>(),
              .gives = body_of<PowerStatusList>(),
              .on_nodes = true,
              .body_limit = smd::kListLimit,
              .handler = [&services,
                          &sight](const RequestPtr& r) { give(services, sight, r, in_body(*r)); },
              .dialect = Dialect::smd});
}

}  // namespace drover::api::pcs
