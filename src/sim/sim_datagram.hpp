// Datagrams of the simulated network: links with the hosts on them, and packets that are lost,
// late and out of order by lots of each path's own.
#pragma once

#include "net/datagram.hpp"
#include "sim/world.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace drover::sim {

class Fabric;
class SimDatagramSocket;

/// A host's place on a link. Every host has a loopback interface (index 1) besides.
struct Attachment {
  std::string link;  ///< a broadcast domain, e.g. "boot-net"
  net::NetInterface interface;
};

/// Who is on which link, and the sockets that hear it. Owned by the Fabric. A packet takes its
/// path's latency, jitter, extra delay and loss (Fabric's faults); nothing keeps packets in order,
/// and nothing sends a lost one again.
class DatagramHub {
 public:
  explicit DatagramHub(Fabric& fabric) : fabric_(fabric) {}
  DatagramHub(const DatagramHub&) = delete;
  DatagramHub& operator=(const DatagramHub&) = delete;

  /// Puts `host` on `link`. `address` ("10.0.0.1/24"; empty: none yet) belongs to the interface.
  /// Its number counts up from 2 within the host.
  uint32_t attach(const std::string& host, const std::string& link, net::MacAddress mac,
                  const std::string& address = {});
  /// Chance that a packet comes twice, anywhere. 0 at the start.
  void set_duplication(double chance) { duplication_ = chance; }
  [[nodiscard]] uint64_t lost() const { return lost_; }

  // For SimNet and its sockets.

  [[nodiscard]] std::vector<net::NetInterface> interfaces(const std::string& host) const;
  Result<std::unique_ptr<net::DatagramSocket>> open(SimProcess& process,
                                                    const net::DatagramOptions& options,
                                                    net::DatagramHandler& handler);
  Result<std::unique_ptr<net::AddressProbe>> probe(SimProcess& process, uint32_t interface,
                                                   const net::InetAddress& address, Duration wait,
                                                   net::ProbeCallback answered);
  void process_died(SimProcess& process);

 private:
  friend class SimDatagramSocket;
  /// The host, interface and kind of delivery of one receiver.
  struct Receiver {
    std::string host;
    uint32_t interface = 0;
    net::InetAddress local;
  };
  [[nodiscard]] const Attachment* attachment(const std::string& host, uint32_t interface) const;
  [[nodiscard]] std::vector<Receiver> receivers(const SimDatagramSocket& from,
                                                const net::OutgoingDatagram& datagram) const;
  [[nodiscard]] std::vector<Receiver> on_link(const std::string& host, uint32_t interface,
                                              const net::OutgoingDatagram& datagram) const;
  /// The address that a packet gets as its source where its sender gave none.
  [[nodiscard]] net::InetAddress source(const SimDatagramSocket& from,
                                        const net::OutgoingDatagram& datagram,
                                        const Receiver& to) const;
  void send(SimDatagramSocket& from, const net::OutgoingDatagram& datagram);
  void fly(const std::string& from_host, const Receiver& to, bool icmp6, std::string bytes,
           const net::InetAddress& source, const net::InetAddress& destination);
  void deliver(const Receiver& to, bool icmp6, const std::string& bytes,
               const net::InetAddress& source, const net::InetAddress& destination);

  Fabric& fabric_;
  std::map<std::string, std::vector<Attachment>> hosts_;
  std::vector<SimDatagramSocket*> sockets_;
  double duplication_ = 0;
  uint64_t lost_ = 0;
};

}  // namespace drover::sim
