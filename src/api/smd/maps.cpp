// SMD's /Defaults/NodeMaps (what nodes get that come without a number) and /sysinfo/powermaps (what
// feeds what).
#include "api/smd/maps.hpp"

#include "api/smd/manners.hpp"
#include "api/smd/smd.hpp"
#include "api/smd/words.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cluster/bmc/hardware_book.hpp"
#include "cluster/node_spec.hpp"
#include "cluster/xname.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

using cluster::NodeMap;
using cluster::PowerMap;
using cluster::XnameType;

constexpr auto kMay = Presence::patch;
constexpr size_t kMostInfo = 4096;

// --- how they look ---

void append_json(std::string& out, const NodeMap& map) {
  out += R"({"ID":)";
  append_quoted(out, map.xname);
  out += fmt::format(R"(,"NID":{})", map.nid);
  for (const auto& [key, value] : {std::pair{"Role", &map.role}, {"SubRole", &map.sub_role}}) {
    if (value->empty()) continue;
    out += fmt::format(R"(,"{}":)", key);
    append_quoted(out, *value);
  }
  if (!map.info.empty()) out += R"(,"NodeInfo":)" + map.info;
  out += '}';
}
void append_json(std::string& out, const PowerMap& map) {
  out += R"({"id":)";
  append_quoted(out, map.xname);
  out += R"(,"poweredBy":[)";
  for (const std::string& source : map.powered_by) {
    if (out.back() != '[') out += ',';
    append_quoted(out, source);
  }
  out += "]}";
}

// --- how they are read ---

Status read_one(const json::value& body, std::string_view at, NodeMap& out,
                std::string& malformed) {
  Members from(body);
  const auto xname = cluster::parse_xname(at.empty() ? from.text("ID").value_or("") : at);
  const auto nid = from.number("NID");
  const auto role = from.text("Role").value_or("");
  const auto sub_role = from.text("SubRole").value_or("");
  malformed = from.wrong();
  if (!malformed.empty()) return {};
  if (!xname || xname->type != XnameType::node) return bad("invalid xname ID: expected a node's");
  if (!nid || *nid < 1 || static_cast<uint64_t>(*nid) > cluster::kMaxNid) {
    return bad("Missing or invalid NID");
  }
  out.xname = xname->text;
  out.nid = static_cast<uint64_t>(*nid);
  const auto word = word_of(roles(), role);
  const auto sub_word = word_of(sub_roles(), sub_role);
  if (!role.empty() && !word) return bad("Invalid Role");
  if (!sub_role.empty() && !sub_word) return bad("Invalid SubRole");
  out.role = word.value_or("");
  out.sub_role = sub_word.value_or("");
  if (const json::value* info = from.find("NodeInfo")) out.info = to_text(*info);
  if (out.info.size() > kMostInfo) return bad("NodeInfo: expected at most 4096 bytes");
  return {};
}
Status read_one(const json::value& body, std::string_view at, PowerMap& out,
                std::string& malformed) {
  Members from(body);
  const auto xname = cluster::parse_xname(at.empty() ? from.text("id").value_or("") : at);
  const auto sources = from.texts("poweredBy");
  malformed = from.wrong();
  if (!malformed.empty()) return {};
  if (!xname) return bad("invalid xname ID");
  out.xname = xname->text;
  if (!sources || sources->empty()) return bad("Missing poweredBy");
  for (const std::string& source : *sources) {
    const auto feed = cluster::parse_xname(source);
    if (!feed) return bad("invalid xname ID in poweredBy");
    out.powered_by.push_back(feed->text);
  }
  return {};
}

/// Two nodes must not get one number.
Status check_together(store::Transaction& tx, const NodeMap& map) {
  DROVER_TRY(const auto objects, tx.list({.kind = std::string(cluster::kNodeMapKind)}));
  for (const store::Object& object : objects) {
    DROVER_TRY(const auto other, decode_text<NodeMap>(object.body, Unknown::ignore));
    if (other.nid != map.nid || other.xname == map.xname) continue;
    return fail(Code::conflict,
                fmt::format("operation would conflict with an existing node map: {} "
                            "has NID {}",
                            other.xname, map.nid));
  }
  return {};
}
Status check_together(store::Transaction&, const PowerMap&) {
  return {};
}

template <typename T>
struct Kind;
template <>
struct Kind<NodeMap> {
  static constexpr std::string_view kStored = cluster::kNodeMapKind;
  static const auto& all(const Services& s) { return s.model.hardware().node_maps(); }
};
template <>
struct Kind<PowerMap> {
  static constexpr std::string_view kStored = cluster::kPowerMapKind;
  static const auto& all(const Services& s) { return s.model.hardware().power_maps(); }
};

template <typename T>
void list(Services& services, const RequestPtr& request, std::string_view before,
          std::string_view after) {
  std::string out(before);
  for (const auto& [name, map] : Kind<T>::all(services)) {
    if (out.back() != '[') out += ',';
    append_json(out, map);
  }
  request->json(200, out + std::string(after));
}

template <typename T>
void show(Services& services, const RequestPtr& request) {
  const auto xname = cluster::parse_xname(request->path("xname"));
  const auto& all = Kind<T>::all(services);
  const auto found = xname ? all.find(xname->text) : all.end();
  if (found == all.end()) return request->fail(missing("no such xname."));
  std::string out;
  append_json(out, found->second);
  request->json(200, std::move(out));
}

template <typename T>
void write(Services& services, const RequestPtr& request, std::vector<T> maps) {
  if (const Status may = authorize(request, {}, true); !may) return request->fail(may.error());
  mutate(services, request, [maps = std::move(maps)](store::Transaction& tx) -> Result<Reply> {
    for (const T& map : maps) {
      DROVER_CHECK_OK(tx.put(Kind<T>::kStored, map.xname, encode(map)));
    }
    for (const T& map : maps) DROVER_CHECK_OK(check_together(tx, map));
    return Reply{200,
                 done_text(fmt::format("Created or modified {} {}", maps.size(),
                                       maps.size() == 1 ? "entry" : "entries")),
                 ""};
  });
}

/// A list of them: bare, or under `member`.
template <typename T>
void post(Services& services, const RequestPtr& request, std::string_view member) {
  const auto body = parse_json(request->http().body);
  if (!body) return refuse_malformed(services, request, body.error().text());
  const json::value* list = member.empty() ? &*body : Members(*body).find(member);
  const auto* array = list == nullptr ? nullptr : list->if_array();
  if (array == nullptr || array->empty()) {
    return request->fail({Code::invalid_argument, "Missing entries", {}, {}});
  }
  std::vector<T> maps;
  for (const json::value& each : *array) {
    std::string malformed;
    T map;
    const Status read = read_one(each, "", map, malformed);
    if (!malformed.empty()) return refuse_malformed(services, request, malformed);
    if (!read) return request->fail(read.error());
    maps.push_back(std::move(map));
  }
  write(services, request, std::move(maps));
}

template <typename T>
void put(Services& services, const RequestPtr& request) {
  const auto body = body_of_request(services, request);
  if (!body) return;
  std::string malformed;
  T map;
  const Status read = read_one(*body, request->path("xname"), map, malformed);
  if (!malformed.empty()) return refuse_malformed(services, request, malformed);
  if (!read) return request->fail(read.error());
  write(services, request, std::vector<T>{std::move(map)});
}

template <typename T>
void remove(Services& services, const RequestPtr& request, bool all) {
  std::vector<std::string> names;
  const auto xname = cluster::parse_xname(request->path("xname"));
  for (const auto& [name, map] : Kind<T>::all(services)) {
    if (all || (xname && xname->text == name)) names.push_back(name);
  }
  if (names.empty()) {
    return request->fail(missing(all ? "no entries to delete" : "no such xname."));
  }
  if (const Status may = authorize(request, {}, true); !may) return request->fail(may.error());
  mutate(services, request, [names](store::Transaction& tx) -> Result<Reply> {
    for (const std::string& name : names) DROVER_CHECK_OK(tx.erase(Kind<T>::kStored, name));
    return Reply{200, deleted_text(names.size()), ""};
  });
}

struct Words {
  std::string_view all, one, what_list, what_post, what_none, what_show, what_put, what_gone;
};

template <typename T>
void add_kind(Router& router, Services& services, const Words& words, std::string_view member,
              const BodyType& list_body, const BodyType& one_body) {
  const auto route = [&](std::string_view method, std::string_view path, std::string_view summary,
                         Handler handler) {
    Route out;
    out.method = method;
    out.path = path;
    out.summary = summary;
    out.privilege = method == "GET" ? auth::Privilege::view : auth::Privilege::operate;
    out.on_nodes = method != "GET";
    out.dialect = Dialect::smd;
    out.handler = std::move(handler);
    out.gives = body_of<Outcome>();
    return out;
  };
  const std::string_view before = member.empty() ? "[" : R"({"NodeMaps":[)";
  const std::string_view after = member.empty() ? "]" : "]}";
  Route all = route(
      "GET", words.all, words.what_list,
      [&services, before, after](const RequestPtr& r) { list<T>(services, r, before, after); });
  all.gives = list_body;
  router.add(std::move(all));
  Route made = route("POST", words.all, words.what_post,
                     [&services, member](const RequestPtr& r) { post<T>(services, r, member); });
  made.takes = list_body;
  made.body_limit = kListLimit;
  Route item = route("GET", words.one, words.what_show,
                     [&services](const RequestPtr& r) { show<T>(services, r); });
  item.gives = one_body;
  item.errors = {Code::not_found};
  router.add(std::move(item));
  Route set = route("PUT", words.one, words.what_put,
                    [&services](const RequestPtr& r) { put<T>(services, r); });
  set.takes = one_body;
  if (!member.empty()) made.errors = set.errors = {Code::conflict};
  router.add(std::move(made));
  router.add(std::move(set));
  for (const bool every : {false, true}) {
    Route gone =
        route("DELETE", every ? words.all : words.one, every ? words.what_none : words.what_gone,
              [&services, every](const RequestPtr& r) { remove<T>(services, r, every); });
    gone.errors = {Code::not_found};
    router.add(std::move(gone));
  }
}

}  // namespace

void NodeMapForm::describe(Visitor& v) {
  v.field("ID", id, "Xname of the place.");
  v.field("NID", nid, "The number that a node there gets.");
  v.field("Role", role, "The role that it gets.", kMay);
  v.field("SubRole", sub_role, "The finer role that it gets.", kMay);
  v.field("NodeInfo", info, "Anything, kept as it is.", kMay);
}
void NodeMapArray::describe(Visitor& v) {
  v.field("NodeMaps", maps, "The maps.");
}
void PowerMapForm::describe(Visitor& v) {
  v.field("id", id, "Xname of what is fed.");
  v.field("poweredBy", powered_by, "Xnames of what feeds it.");
}
void add_maps(Router& router, Services& services) {
  add_kind<NodeMap>(
      router, services,
      {"/hsm/v2/Defaults/NodeMaps", "/hsm/v2/Defaults/NodeMaps/{xname}", "SMD: list node maps.",
       "SMD: make or change node maps: numbers and roles of nodes that come without.",
       "SMD: remove all node maps.", "SMD: one node map.", "SMD: make or change a node map.",
       "SMD: remove a node map."},
      "NodeMaps", body_of<NodeMapArray>(), body_of<NodeMapForm>());
  add_kind<PowerMap>(
      router, services,
      {"/hsm/v2/sysinfo/powermaps", "/hsm/v2/sysinfo/powermaps/{xname}", "SMD: list power maps.",
       "SMD: make or change power maps: what feeds what.", "SMD: remove all power maps.",
       "SMD: one power map.", "SMD: make or change a power map.", "SMD: remove a power map."},
      "", array_of<PowerMapForm>(), body_of<PowerMapForm>());
}

}  // namespace drover::api::smd
