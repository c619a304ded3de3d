// Reads of SMD's /Inventory/Hardware and /Inventory/HardwareByFRU: what sits where, as the last
// looks through BMCs and the nodes' agents found it.
#include "api/smd/hardware.hpp"

#include "api/smd/hardware_filter.hpp"
#include "api/smd/hardware_forms.hpp"
#include "api/smd/hardware_items.hpp"
#include "api/smd/manners.hpp"
#include "api/smd/member_writer.hpp"
#include "api/smd/routes.hpp"
#include "api/smd/words.hpp"

#include <array>
#include <memory>
#include <set>

#include <fmt/format.h>

namespace drover::api::smd {
namespace {

using cluster::KnownHardwareMap;
using cluster::XnameType;

constexpr std::string_view kNested = "NestNodesOnly";
constexpr std::string_view kFlat = "FullyFlat";

bool is_in_node(XnameType type) {
  switch (type) {
    case XnameType::processor:
    case XnameType::node_accel:
    case XnameType::node_accel_riser:
    case XnameType::memory:
    case XnameType::drive:
    case XnameType::node_hsn_nic:
      return true;
    default:
      return false;
  }
}

/// Lists of items by the names of their types.
class Lists {
 public:
  void add(std::string_view name, std::string_view text) {
    std::string& list = list_of(name);
    if (!list.empty()) list += ',';
    list += text;
  }
  /// As further members of an object; its lists are then empty.
  void append_to(std::string& out) {
    for (auto& [name, list] : lists_) {
      if (list.empty()) continue;
      fmt::format_to(std::back_inserter(out), R"(,"{}":[{}])", name, list);
      list.clear();
    }
  }

 private:
  std::string& list_of(std::string_view name) {
    for (auto& [known, list] : lists_) {
      if (known == name) return list;
    }
    return lists_.emplace_back(name, std::string()).second;
  }
  std::vector<std::pair<std::string_view, std::string>> lists_;
};

/// An answer to a query in the making: a node's parts come right behind it.
class QueryAnswer {
 public:
  explicit QueryAnswer(bool nested) : nested_(nested) {}
  void add(const HardwareItem& item) {
    std::string text;
    append_json(text, item);
    const std::string_view list = hardware_words(item.type)->list;
    if (nested_ && is_in_node(item.type) && !node_.empty() && cluster::lies_in(item.id, node_)) {
      return parts_.add(list, text);
    }
    if (!nested_ || item.type != XnameType::node) return lists_.add(list, text);
    end_node();
    node_ = item.id;
    node_text_ = std::move(text);
  }
  std::string finish(std::string_view xname, std::string_view format) {
    end_node();
    std::string out;
    MemberWriter(out).text("XName", xname).text("Format", format);
    lists_.append_to(out);
    return out + "}";
  }

 private:
  void end_node() {
    if (node_.empty()) return;
    node_text_.pop_back();
    parts_.append_to(node_text_);
    lists_.add(hardware_words(XnameType::node)->list, node_text_ + "}");
    node_.clear();
  }
  bool nested_;
  std::string node_;  ///< the node whose parts may follow; empty: none
  std::string node_text_;
  Lists parts_;
  Lists lists_;
};

void list(Services& services, const RequestPtr& request, const KnownHardwareMap& said) {
  DROVER_OR_FAIL(request, const Query query, query_of(*request));
  DROVER_OR_FAIL(request, const HardwareFilter filter, HardwareFilter::of(query, services.model));
  std::string out = "[";
  filter.walk(services.model, said, [&](const HardwareItem& item) {
    if (out.size() > 1) out += ',';
    append_json(out, item);
  });
  request->json(200, out + "]");
}

void show(Services& services, const RequestPtr& request, const KnownHardwareMap& said) {
  const auto xname = cluster::parse_xname(request->path("xname"));
  std::string out;
  TakeItem take = [&](const HardwareItem& item) {
    if (out.empty() && item.id == xname->text) append_json(out, item);
  };
  if (xname) walk_hardware(services.model, said, xname->text, take);
  if (out.empty()) return request->fail(missing("no such xname."));
  request->json(200, std::move(out));
}

void query(Services& services, const RequestPtr& request, const KnownHardwareMap& said) {
  DROVER_OR_FAIL(request, const Query asked, query_of(*request));
  const auto xname = cluster::parse_xname(request->path("xname"));
  if (!xname) return request->fail(bad("Invalid xname").value());
  DROVER_OR_FAIL(request, HardwareFilter filter, HardwareFilter::of(asked, services.model));
  if (const Status fits = filter.narrow(*xname, services.model); !fits) {
    return request->fail(fits.error());
  }
  std::string_view format = kNested;
  if (const auto found = asked.find("format"); found != asked.end()) {
    constexpr std::array kFormats{kNested, kFlat};
    const auto word = word_of(kFormats, found->second.front());
    if (!word) return request->fail(bad("Invalid format").value());
    format = *word;
  }
  QueryAnswer answer(format == kNested);
  filter.walk(services.model, said, [&](const HardwareItem& item) { answer.add(item); });
  request->json(200, answer.finish(request->path("xname"), format));
}

void list_frus(Services& services, const RequestPtr& request, const KnownHardwareMap& said) {
  DROVER_OR_FAIL(request, const Query query, query_of(*request));
  DROVER_OR_FAIL(request, const HardwareFilter filter, HardwareFilter::of(query, services.model));
  std::string out = "[";
  std::set<std::string> seen;
  filter.walk(services.model, said, [&](const HardwareItem& item) {
    if (!seen.insert(fru_id_of(item)).second) return;
    if (out.size() > 1) out += ',';
    append_fru_json(out, item);
  });
  request->json(200, out + "]");
}

void show_fru(Services& services, const RequestPtr& request, const KnownHardwareMap& said) {
  const std::string& wanted = request->path("fruid");
  std::string out;
  TakeItem take = [&](const HardwareItem& item) {
    if (out.empty() && fru_id_of(item) == wanted) append_fru_json(out, item);
  };
  walk_hardware(services.model, said, "", take);
  if (out.empty()) return request->fail(missing("no such FRU ID."));
  request->json(200, std::move(out));
}

using Read = void (*)(Services&, const RequestPtr&, const KnownHardwareMap&);

/// What clients said is not in the model: it is read for each request, and there is little of it.
Handler reader(Services& services, Read read) {
  return [&services, read](const RequestPtr& request) {
    with_known_hardware(services, request,
                        [&services, request, read](const KnownHardwareMap& said) {
                          read(services, request, said);
                        });
  };
}

std::vector<QueryParameter> filters(bool by_place) {
  std::vector<QueryParameter> out{
      {.name = "type", .doc = "Only these types.", .example = "Node"},
      {.name = "manufacturer", .doc = "Only by these makers; behind ! all others."},
      {.name = "partnumber", .doc = "Only with these part numbers."},
      {.name = "serialnumber", .doc = "Only with these serial numbers."},
      {.name = "fruid", .doc = "Only these pieces."}};
  if (!by_place) return out;
  out.push_back({.name = "id", .doc = "Only these places."});
  out.push_back({.name = "children", .doc = "true: and what is in them."});
  out.push_back({.name = "parents", .doc = "true: and what they are in."});
  out.push_back({.name = "partition", .doc = "Only nodes of these partitions."});
  return out;
}

}  // namespace

void with_known_hardware(Services& services, const RequestPtr& request,
                         Callback<void(const KnownHardwareMap&)> then) {
  auto said = std::make_shared<KnownHardwareMap>();
  services.store.read(
      [said](store::Transaction& tx) -> Status {
        DROVER_TRY(*said, cluster::known_hardware(tx));
        return {};
      },
      [said, request, then = std::move(then)](const Status& read) mutable {
        if (!read) return request->fail(read.error());
        then(*said);
      });
}

void add_hardware(Router& router, Services& services) {
  add_hardware_history(router, services);  // "History" is no xname: it goes first
  add_hardware_changes(router, services);
  Route all = smd_route("GET", "/hsm/v2/Inventory/Hardware", "SMD: what hardware sits where.",
                        reader(services, &list));
  all.query = filters(true);
  all.gives = array_of<HardwareForm>();
  all.errors = {Code::invalid_argument};
  router.add(std::move(all));
  Route one = smd_route("GET", "/hsm/v2/Inventory/Hardware/{xname}", "SMD: what sits in one place.",
                        reader(services, &show));
  one.gives = body_of<HardwareForm>();
  one.errors = {Code::not_found};
  router.add(std::move(one));
  Route below = smd_route("GET", "/hsm/v2/Inventory/Hardware/Query/{xname}",
                          "SMD: what sits in a place and in what is part of it, by type.",
                          reader(services, &query));
  below.query = filters(true);
  below.query.push_back({.name = "format",
                         .doc = "NestNodesOnly: what is in a node stands in it; FullyFlat: not.",
                         .example = "FullyFlat"});
  below.gives = body_of<HardwareQueryForm>();
  below.errors = {Code::invalid_argument};
  router.add(std::move(below));
  Route frus =
      smd_route("GET", "/hsm/v2/Inventory/HardwareByFRU",
                "SMD: the pieces of hardware that are in place.", reader(services, &list_frus));
  frus.query = filters(false);
  frus.gives = array_of<FruForm>();
  frus.errors = {Code::invalid_argument};
  router.add(std::move(frus));
  Route fru = smd_route("GET", "/hsm/v2/Inventory/HardwareByFRU/{fruid}",
                        "SMD: one piece of hardware.", reader(services, &show_fru));
  fru.gives = body_of<FruForm>();
  fru.errors = {Code::not_found};
  router.add(std::move(fru));
}

}  // namespace drover::api::smd
