// RealListener: accepts connections and takes them through their handshake.
#pragma once

#include "net/real_net.hpp"
#include "net/tls.hpp"
#include "net/transport.hpp"

#include <memory>
#include <vector>

namespace drover::net {

class RealListener final : public Listener, private FdHandler {
 public:
  static Result<std::unique_ptr<RealListener>> make(RealNet& net, const Endpoint& at,
                                                    Callback<std::shared_ptr<Security>()> security,
                                                    AcceptCallback accepted);
  ~RealListener() override;
  [[nodiscard]] Endpoint endpoint() const override { return endpoint_; }

 private:
  class Accepting;

  RealListener(RealNet& net, Callback<std::shared_ptr<Security>()> security,
               AcceptCallback accepted);
  Status open(const Endpoint& at);
  void on_fd(uint32_t events) override;
  [[nodiscard]] bool room_for_more() const;
  void watch_again();
  bool accept_one();
  void out_of_descriptors(int error);
  // The user's callback may destroy this listener: nothing of it is touched after these.
  void begin_tls(UniqueFd fd, std::shared_ptr<TlsSecurity> security, Peer peer);
  void deliver(std::unique_ptr<Transport> transport, Loop::Watch watch, Peer peer);
  void refuse(std::string peer_address, Error error);
  void release_slot();
  std::unique_ptr<Accepting> remove(size_t index);

  RealNet& net_;
  Callback<std::shared_ptr<Security>()> security_;
  std::shared_ptr<AcceptCallback> accepted_;  ///< shared with calls in progress
  Endpoint endpoint_;
  uint64_t unix_device_ = 0;  ///< which socket file is ours
  uint64_t unix_inode_ = 0;
  UniqueFd fd_;
  Loop::Watch watch_;
  std::vector<std::unique_ptr<Accepting>> accepting_;
  size_t slots_used_ = 0;  ///< young handshakes
  Timer pause_;
  bool starved_ = false;       ///< out of descriptors, and said so
  bool* destroyed_ = nullptr;  ///< set while the user's callback may run
};

}  // namespace drover::net
