// RealDatagramSocket: UDP and ICMPv6 sockets of the system, many datagrams per system call.
#pragma once

#include "net/datagram.hpp"
#include "net/real_net.hpp"

#include <memory>
#include <string>

namespace drover::net {

/// Memory for one batch in or out, which all sockets of a RealNet share.
DatagramSpacePtr make_datagram_space();

class RealDatagramSocket final : public DatagramSocket, private FdHandler {
 public:
  static Result<std::unique_ptr<RealDatagramSocket>> open(RealNet& net,
                                                          const DatagramOptions& options,
                                                          DatagramHandler& handler);
  size_t send(std::span<const OutgoingDatagram> batch) override;
  [[nodiscard]] InetAddress bound() const override { return bound_; }
  Status join(const InetAddress& group, uint32_t interface) override;
  [[nodiscard]] DatagramStats stats() const override { return stats_; }

 private:
  RealDatagramSocket(RealNet& net, DatagramHandler& handler) : net_(net), handler_(handler) {}
  Status bind(const DatagramOptions& options);
  Status set_options(const DatagramOptions& options);
  void on_fd(uint32_t events) override;
  void receive();
  [[nodiscard]] bool can_send_frames();
  [[nodiscard]] size_t group(std::span<const OutgoingDatagram> run) const;
  void prepare(size_t at, std::span<const OutgoingDatagram> group, size_t first);
  void prepare_frame(size_t at, const OutgoingDatagram& it);
  size_t send_run(std::span<const OutgoingDatagram> run, bool frames);
  bool would_block(int error);

  RealNet& net_;
  DatagramHandler& handler_;
  InetAddress bound_;
  DatagramStats stats_;
  UniqueFd fd_;
  UniqueFd frames_;  ///< AF_PACKET, opened at the first use
  bool frames_tried_ = false;
  bool icmp6_ = false;
  bool segments_ = true;  ///< until a message of several datagrams was refused
  Loop::Watch watch_;
};

/// This host's interfaces, by index.
Result<std::vector<NetInterface>> real_interfaces();

}  // namespace drover::net
