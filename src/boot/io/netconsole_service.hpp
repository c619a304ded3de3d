// Kernel messages by netconsole: UDP packets of text, with who sent them.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "net/datagram.hpp"
#include "net/net.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::boot::io {

struct NetconsoleServiceConfig {
  uint16_t port = 6666;  ///< the kernel's default (Documentation/networking/netconsole.rst)
  std::vector<std::string> interfaces;  ///< by name; empty: all
  bool v6 = true;                       ///< take IPv6 as well, where the host has it
};

/// One line of a kernel. Its text lives only for the call.
struct NetconsoleLine {
  net::InetAddress from;
  uint32_t interface = 0;
  WallTime at;
  /// Without its end, and printable(): nothing in it can forge a line or steer a terminal. Empty
  /// lines are not told.
  std::string_view text;
  /// Of extended netconsole ("level,sequence,microseconds,flags;text"), where the line has it.
  std::optional<uint32_t> priority;  ///< facility and level as in syslog
  std::optional<uint64_t> sequence;
  std::optional<uint64_t> uptime_us;
  bool continues = false;  ///< the packet ended before the line did
};

/// The lines of one packet; `about` has where it came from. Packets are taken as they come: what
/// belongs together is the owner's matter, as it knows who is who.
void read_netconsole(std::string_view packet, const NetconsoleLine& about,
                     Callback<void(const NetconsoleLine&)>& told);

/// Listens. One executor's thread.
class NetconsoleService {
 public:
  NetconsoleService(Executor& executor, net::Net& net, Log log, NetconsoleServiceConfig config);
  NetconsoleService(const NetconsoleService&) = delete;
  NetconsoleService& operator=(const NetconsoleService&) = delete;
  ~NetconsoleService();

  Status start();
  void stop();
  Status reconfigure(NetconsoleServiceConfig config);
  void on_line(Callback<void(const NetconsoleLine&)> callback) { on_line_ = std::move(callback); }
  [[nodiscard]] uint64_t packets() const { return packets_; }
  [[nodiscard]] std::vector<net::InetAddress> bound() const;

 private:
  class Port;
  Status open_port(bool v6, const std::string& interface);
  void take(const net::Datagram& datagram);

  Executor& executor_;
  net::Net& net_;
  Log log_;
  NetconsoleServiceConfig config_;
  Callback<void(const NetconsoleLine&)> on_line_;
  std::vector<std::unique_ptr<Port>> ports_;
  bool running_ = false;
  uint64_t packets_ = 0;
};

}  // namespace drover::boot::io
