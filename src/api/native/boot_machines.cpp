// /boot/unknown: machines that no node is known by, and who they are said to be.
#include "api/list_writer.hpp"
#include "api/native/boot.hpp"
#include "api/native/changing.hpp"
#include "base/noderange.hpp"
#include "cluster/definition_writer.hpp"
#include "cluster/net_address.hpp"
#include "cluster/unknown_machine.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

namespace drover::api {
namespace {

/// Body of POST /boot/unknown/{mac}/approve.
struct ApproveRequest {
  static constexpr std::string_view kTypeName = "MachineApproval";
  std::string node;
  std::string interface;
  bool replace = false;
  std::string why;
  void describe(Visitor& v) {
    v.field("node", node, "Who it is; made when there is no such node.");
    v.field("interface", interface,
            "Interface of the node that takes the MAC; empty: the first without one, else a new "
            "eth0.",
            Presence::optional);
    v.field("replace", replace, "Whether the interface may have another MAC: it is exchanged.",
            Presence::optional);
    v.field("why", why, "Reason, kept in the history.", Presence::optional);
  }
};

/// Body of POST /boot/unknown/number.
struct NumberRequest {
  static constexpr std::string_view kTypeName = "MachineNumbering";
  std::string nodes;
  cluster::NumberBy by = cluster::NumberBy::arrival;
  std::string network;
  std::string why;
  void describe(Visitor& v) {
    v.field("nodes", nodes, "The names to give, a noderange of names that need not be nodes yet.");
    v.field("by", by,
            "arrival: in the order in which they were first seen; port: the last number of the "
            "switch port is the place among the names.",
            Presence::optional);
    v.field("network", network, "Only machines on this network; empty: all.", Presence::optional);
    v.field("why", why, "Reason, kept in the history.", Presence::optional);
  }
};

/// Who a machine is now, or why it is nobody.
struct NumberedMachine {
  static constexpr std::string_view kTypeName = "NumberedMachine";
  std::string mac;
  std::string node;
  std::string problem;
  void describe(Visitor& v) {
    v.field("mac", mac, "The machine.");
    v.field("node", node, "The node that it is now; empty: none.");
    v.field("problem", problem, "Why it got no name; empty: it did.");
  }
};

/// Body of PUT /boot/unknown/{mac}.
struct IgnoreRequest {
  static constexpr std::string_view kTypeName = "MachineIgnored";
  bool ignored = true;
  std::string why;
  void describe(Visitor& v) {
    v.field("ignored", ignored, "Whether nothing is answered to the machine.");
    v.field("why", why, "Reason, kept with the machine and in the history.", Presence::optional);
  }
};

/// Body of POST /boot/unknown.
struct NoteRequest {
  static constexpr std::string_view kTypeName = "MachineNoted";
  std::string mac;
  std::string network;
  std::string port;
  bool ignored = false;
  std::string why;
  void describe(Visitor& v) {
    v.field("mac", mac, "Its hardware address.");
    v.field("network", network, "Name of the network that it will be on.", Presence::optional);
    v.field("port", port, "The switch port that it is cabled to.", Presence::optional);
    v.field("ignored", ignored, "Whether nothing is answered to it.", Presence::optional);
    v.field("why", why, "Reason, kept with the machine and in the history.", Presence::optional);
  }
};

void list_unknown(Services& services, const RequestPtr& request) {
  ListWriter list;
  for (const auto& [mac, machine] : services.model.unknown_machines()) list.add(machine);
  request->json(200, list.finish());
}

Result<Reply> unknown_reply(store::Transaction& tx, const std::string& mac) {
  const std::string canonical = cluster::canonical_mac(mac).value_or(mac);
  DROVER_TRY(const auto object, tx.get(cluster::kUnknownKind, canonical));
  if (!object) return fail(Code::internal, "the machine that was written is not there");
  return Reply{200, object->body, ""};
}

void note_unknown(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const NoteRequest asked, change_body<NoteRequest>(request));
  change(services, request, [asked](store::Transaction& tx) -> Result<Reply> {
    cluster::UnknownMachine machine;
    machine.mac = asked.mac;
    machine.network = asked.network;
    machine.port = asked.port;
    machine.ignored = asked.ignored;
    machine.why = asked.why;
    DROVER_CHECK_OK(cluster::note_machine(tx, std::move(machine)));
    DROVER_TRY(Reply reply, unknown_reply(tx, asked.mac));
    reply.status = 201;
    return reply;
  });
}

void ignore(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const IgnoreRequest asked, change_body<IgnoreRequest>(request));
  change(services, request,
         [asked, mac = request->path("mac")](store::Transaction& tx) -> Result<Reply> {
           DROVER_CHECK_OK(cluster::ignore_machine(tx, mac, asked.ignored, asked.why));
           return unknown_reply(tx, mac);
         });
}

void forget(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const std::string why, why_of(request));
  change(services, request,
         [mac = request->path("mac"), why](store::Transaction& tx) -> Result<Reply> {
           tx.explain(why);
           DROVER_TRY(const bool there, cluster::forget_machine(tx, mac));
           if (there) return Reply{204, "", ""};
           return fail(Code::not_found, fmt::format("no machine with the MAC {} waits", mac),
                       "drover boot unknown");
         });
}

void approve(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const ApproveRequest asked, change_body<ApproveRequest>(request));
  change(services, request,
         [asked, mac = request->path("mac"),
          fresh = services.random.hex(16)](store::Transaction& tx) -> Result<Reply> {
           tx.explain(asked.why);
           cluster::DefinitionWriter writer(tx);
           DROVER_CHECK_OK(cluster::approve_machine(
               tx, writer, {mac, asked.node, asked.interface, asked.replace}, fresh));
           DROVER_CHECK_OK(writer.finish());
           return Reply{
               200,
               encode(NumberedMachine{cluster::canonical_mac(mac).value_or(mac), asked.node, ""}),
               ""};
         });
}

Result<std::vector<cluster::UnknownMachine>> waiting(store::Transaction& tx,
                                                     const std::string& network) {
  DROVER_TRY(const auto objects, tx.list({.kind = std::string(cluster::kUnknownKind)}));
  std::vector<cluster::UnknownMachine> out;
  for (const store::Object& object : objects) {
    DROVER_TRY(auto machine, decode_text<cluster::UnknownMachine>(object.body, Unknown::ignore));
    if (machine.ignored || (!network.empty() && machine.network != network)) continue;
    out.push_back(std::move(machine));
  }
  std::ranges::sort(out, [](const cluster::UnknownMachine& a, const cluster::UnknownMachine& b) {
    return std::tie(a.first_seen, a.mac) < std::tie(b.first_seen, b.mac);
  });
  return out;
}

/// Each machine on its own: one that gets no name costs the others nothing.
Result<Reply> number_all(store::Transaction& tx, const NumberRequest& asked,
                         const std::vector<std::string>& names, const std::string& stem) {
  tx.explain(asked.why);
  cluster::DefinitionWriter writer(tx);
  ListWriter list;
  size_t hint = 0;
  size_t made = 0;
  DROVER_TRY(const auto machines, waiting(tx, asked.network));
  for (const cluster::UnknownMachine& machine : machines) {
    NumberedMachine out{machine.mac, "", ""};
    const auto name = cluster::choose_name(tx, machine, names, asked.by, hint);
    const Status approved =
        name ? cluster::approve_machine(tx, writer, {machine.mac, *name, {}, false},
                                        fmt::format("{}{:08x}", stem, made++))
             : tl::unexpected<Error>(name.error());
    if (approved) {
      out.node = *name;
    } else {
      out.problem = approved.error().text();
    }
    list.add(out);
  }
  DROVER_CHECK_OK(writer.finish());
  return Reply{200, list.finish(), ""};
}

void number(Services& services, const RequestPtr& request) {
  DROVER_OR_FAIL(request, const NumberRequest asked, change_body<NumberRequest>(request));
  DROVER_OR_FAIL(request, auto names, expand_names(asked.nodes));
  if (names.empty()) {
    return request->fail({Code::invalid_argument, "nodes: names no node", {}, {}});
  }
  change(services, request,
         [asked, names = std::move(names), stem = services.random.hex(12)](store::Transaction& tx)
             -> Result<Reply> { return number_all(tx, asked, names, stem); });
}

}  // namespace

void add_boot_machines(Router& router, Services& services) {
  const std::string_view one = "/api/v1/boot/unknown/{mac}";
  router.add({.method = "GET",
              .path = "/api/v1/boot/unknown",
              .privilege = auth::Privilege::view,
              .summary = "List machines that no node is known by.",
              .gives = list_of<cluster::UnknownMachine>(),
              .handler = [&services](const RequestPtr& r) { list_unknown(services, r); }});
  router.add({.method = "POST",
              .path = "/api/v1/boot/unknown",
              .privilege = auth::Privilege::operate,
              .summary = "Note a machine before it is seen.",
              .query = {dry_run_parameter()},
              .takes = body_of<NoteRequest>(),
              .gives = body_of<cluster::UnknownMachine>(),
              .status = 201,
              .errors = {Code::already_exists, Code::conflict},
              .handler = [&services](const RequestPtr& r) { note_unknown(services, r); }});
  router.add({.method = "PUT",
              .path = one,
              .privilege = auth::Privilege::operate,
              .summary = "Say whether a machine is ignored: nothing is answered to it.",
              .query = {dry_run_parameter()},
              .takes = body_of<IgnoreRequest>(),
              .gives = body_of<cluster::UnknownMachine>(),
              .errors = {Code::not_found},
              .handler = [&services](const RequestPtr& r) { ignore(services, r); }});
  router.add({.method = "DELETE",
              .path = one,
              .privilege = auth::Privilege::operate,
              .summary = "Forget a machine until it is seen again.",
              .query = {dry_run_parameter(), why_parameter()},
              .handler = [&services](const RequestPtr& r) { forget(services, r); }});
  router.add({.method = "POST",
              .path = "/api/v1/boot/unknown/{mac}/approve",
              .privilege = auth::Privilege::operate,
              .summary = "Say which node a machine is; it boots at its next try.",
              .query = {dry_run_parameter()},
              .takes = body_of<ApproveRequest>(),
              .gives = body_of<NumberedMachine>(),
              .errors = {Code::conflict},
              .handler = [&services](const RequestPtr& r) { approve(services, r); }});
  router.add({.method = "POST",
              .path = "/api/v1/boot/number",
              .privilege = auth::Privilege::operate,
              .summary = "Name all machines that wait, by arrival or by switch port.",
              .query = {dry_run_parameter()},
              .takes = body_of<NumberRequest>(),
              .gives = list_of<NumberedMachine>(),
              .handler = [&services](const RequestPtr& r) { number(services, r); }});
}

}  // namespace drover::api
