// One simulated datagram socket: what arrived in the same instant is delivered as one batch.
#pragma once

#include "sim/sim_datagram.hpp"

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::sim {

class SimDatagramSocket final : public net::DatagramSocket {
 public:
  SimDatagramSocket(DatagramHub& hub, SimProcess& process, const net::DatagramOptions& options,
                    net::DatagramHandler& handler);
  ~SimDatagramSocket() override;

  size_t send(std::span<const net::OutgoingDatagram> batch) override;
  [[nodiscard]] net::InetAddress bound() const override { return options_.at; }
  Status join(const net::InetAddress& group, uint32_t interface) override;
  [[nodiscard]] net::DatagramStats stats() const override { return stats_; }

  // For the hub.

  [[nodiscard]] SimProcess* process() const { return process_; }
  [[nodiscard]] const net::DatagramOptions& options() const { return options_; }
  [[nodiscard]] bool icmp6() const { return options_.kind == net::DatagramOptions::Kind::icmp6; }
  [[nodiscard]] bool joined(const net::InetAddress& group, uint32_t interface) const {
    return groups_.contains({group.with_port(0), interface});
  }
  /// Whether a packet that reached its host at `local` belongs to it.
  [[nodiscard]] bool hears(std::string_view interface, bool icmp6, std::string_view bytes,
                           const net::InetAddress& destination) const;
  void arrive(std::string bytes, const net::Datagram& about);
  void process_died() { process_ = nullptr; }

 private:
  struct Waiting {
    std::string bytes;
    net::Datagram about;
  };
  void flush();

  DatagramHub& hub_;
  SimProcess* process_;
  net::DatagramOptions options_;
  net::DatagramHandler& handler_;
  std::set<std::pair<net::InetAddress, uint32_t>> groups_;
  std::vector<Waiting> waiting_;
  net::DatagramStats stats_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::sim
