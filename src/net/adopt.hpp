// A stream on a socket that somebody else has connected: the other end of a program that we run.
#pragma once

#include "net/fd.hpp"
#include "net/real_net.hpp"

#include <memory>

namespace drover::net {

/// `socket` is connected and does not block; the net outlives the stream.
std::unique_ptr<Stream> adopt_socket(RealNet& net, UniqueFd socket);

}  // namespace drover::net
