// The cluster as a boot server serves it: who is who by hardware address, what each machine is told
// by DHCP, DNS and its boot script. Made from the model, and kept in step with it. No I/O.
#pragma once

#include "base/result.hpp"
#include "boot/dhcp/server.hpp"
#include "boot/dhcp6/server.hpp"
#include "boot/dns/server.hpp"
#include "boot/script/built_in.hpp"
#include "boot/script/late.hpp"
#include "boot/site/images.hpp"
#include "boot/site/options.hpp"
#include "boot/site/plan.hpp"
#include "boot/site/ports.hpp"
#include "cluster/model.hpp"
#include "store/store.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace drover::boot {

/// A request for a boot script, as BSS has its parameters: one of mac, name, nid and xname says who
/// asks; where there are several, the first of them does. A MAC that is nobody's goes with a name
/// whose node has none: that machine is known by its switch port.
struct ScriptRequest {
  std::string_view mac;  ///< any form of canonical_mac()
  std::string_view name;
  std::string_view nid;
  std::string_view xname;
  std::string_view arch;    ///< as iPXE's ${buildarch} says it; empty: not said
  uint32_t tries = 0;       ///< `retry`
  std::string_view source;  ///< the address that the request came from
  std::string_view server;  ///< the address that it came to, IPv6 in brackets
  std::string_view token;   ///< of this boot
  script::Loader loader = script::Loader::ipxe;
};

enum class ScriptOutcome : uint8_t {
  known,    ///< boots
  refused,  ///< the node is known and cannot boot: the script says why
  unknown,  ///< no node is known by it
  bad,      ///< the request names nobody; there is no script
};

struct ScriptAnswer {
  ScriptOutcome outcome = ScriptOutcome::bad;
  std::string text;  ///< of `bad`: what is wrong with the request
  std::string node;  ///< empty when there is none
  std::string mac;   ///< canonical; empty when none is known
  std::string why;   ///< of `refused`: the problem
  /// When the boot-next was asked for that decided some of it, and that this boot uses up; zero:
  /// none did.
  WallTime once{};
  bool elsewhere = false;  ///< the kernel comes by URL: nothing more of this boot is seen here
};

/// What a change of the model means for those who serve.
struct Refreshed {
  bool networks = false;       ///< dhcp_config(), pools() and zones() are others now
  size_t machines = 0;         ///< nodes looked at anew
  std::vector<Ipv4> reserved;  ///< addresses in pools that a machine has now
  std::vector<Ipv4> freed;     ///< and that none has any more
};

/// One executor's thread only. `model` and `images` must outlive it.
class Site final : public dhcp::ReservationView {
 public:
  Site(const cluster::Model& model, const Images& images, SiteOptions options);
  ~Site() override;

  /// Follows changes that the model has taken already. Cheap for nodes; a change of a network,
  /// group or profile looks at every node anew.
  Refreshed refresh(std::span<const store::Change> changes);

  [[nodiscard]] const dhcp::Reservation* by_hardware(const HardwareAddress& address) const override;
  /// InfiniBand, whose identifiers end with the port's GUID (RFC 4390).
  [[nodiscard]] const dhcp::Reservation* by_client_id(std::string_view client_id) const override;
  /// The attribute switch_port: "CIRCUIT", or "REMOTE/CIRCUIT".
  [[nodiscard]] const dhcp::Reservation* by_port(std::string_view circuit_id,
                                                 std::string_view remote_id) const override;
  [[nodiscard]] const dhcp6::ReservationView& reservations6() const;

  [[nodiscard]] dhcp::ServerConfig dhcp_config() const;
  /// `duid` and `key` are the caller's.
  [[nodiscard]] dhcp6::ServerConfig dhcp6_config() const;
  /// In the order of the subnets' indices.
  [[nodiscard]] std::vector<dhcp::Pool> pools() const;
  /// Addresses of machines that lie in pools.
  [[nodiscard]] std::vector<Ipv4> reserved() const;

  [[nodiscard]] const dns::Table& hosts() const { return hosts_; }
  [[nodiscard]] std::vector<dns::Zone> zones() const;

  /// The node that has this address on one of its own interfaces, in any spelling; empty: none.
  [[nodiscard]] std::string node_at(std::string_view address) const;
  /// What a node would get, explained; not_found.
  [[nodiscard]] Result<BootPlan> plan(std::string_view node) const;
  [[nodiscard]] ScriptAnswer script(const ScriptRequest& request);

  /// How many nodes there are here.
  [[nodiscard]] size_t size() const { return machines_.size(); }
  /// Formulas that failed, and the like: for the log.
  [[nodiscard]] std::vector<std::string> take_problems() { return std::move(problems_); }

 private:
  struct Place;    // one port with its reservations and its finished script
  struct Machine;  // one node
  class Reservations6;

  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view key) const { return std::hash<std::string_view>{}(key); }
  };
  template <typename Value>
  using ByText = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;

  void rebuild();
  void add(const cluster::Node& node);
  void remove(const std::string& name);
  void index(Machine& machine, Place& place);
  void add_names(Machine& machine);
  void add_own_names();
  [[nodiscard]] bool is_in_pool(Ipv4 address) const;
  [[nodiscard]] Place* find(const ScriptRequest& request, ScriptAnswer& answer) const;
  [[nodiscard]] Place* place_of(std::string_view node) const;
  [[nodiscard]] Place* without_mac(std::string_view node) const;

  const cluster::Model& model_;
  const Images& images_;
  SiteOptions options_;
  std::unique_ptr<NetworkIndex> networks_;
  std::vector<dhcp::Pool> pools_;
  std::unordered_map<std::string, std::unique_ptr<Machine>> machines_;  ///< lookup only
  std::unordered_map<HardwareAddress, Place*, HardwareAddressHash> by_mac_;
  ByText<Place*> by_guid_;  ///< 8 octets
  ByText<Place*> by_port_;
  std::unordered_map<uint64_t, Machine*> by_nid_;
  ByText<Machine*> by_address_;                 ///< canonical, without prefix
  std::unordered_map<uint32_t, int> in_pools_;  ///< addresses of machines, and how many have them
  dns::HostTable hosts_;
  std::unique_ptr<Reservations6> reservations6_;
  std::vector<std::string> problems_;
  uint64_t epoch_ = 1;  ///< scripts of an older one are finished anew
};

}  // namespace drover::boot
