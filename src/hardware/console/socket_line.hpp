// A console behind a Unix socket: QEMU's -chardev socket, or whatever else serves one.
#pragma once

#include "hardware/console/console_line.hpp"
#include "net/net.hpp"

namespace drover::hardware {

/// Connects to the socket at `path`, an absolute one. There is no break on it.
std::unique_ptr<ConsoleLine> dial_socket(net::Net& net, const std::string& path,
                                         ConsoleLineEvents events);

}  // namespace drover::hardware
