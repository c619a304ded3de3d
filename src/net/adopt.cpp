#include "net/adopt.hpp"

#include "net/real_stream.hpp"

#include <utility>

namespace drover::net {

std::unique_ptr<Stream> adopt_socket(RealNet& net, UniqueFd socket) {
  Peer peer;
  peer.address = "unix";
  return std::make_unique<RealStream>(net, make_plain_transport(std::move(socket)), Loop::Watch(),
                                      std::move(peer));
}

}  // namespace drover::net
