// What an aggregator is told at its start.
#pragma once

#include "daemons/seams.hpp"
#include "daemons/settings_board.hpp"
#include "net/net.hpp"
#include "os/host_addresses.hpp"
#include "tree/hello.hpp"

#include <string>
#include <vector>

namespace drover::daemons {

struct AggregatorConfig {
  tree::Introduction self;               ///< listens is filled in by the daemon
  std::vector<net::Endpoint> listen;     ///< where computes dial
  std::vector<net::Endpoint> advertise;  ///< what computes are told to dial; empty: the bound ones
  std::vector<os::HostAddress> host;     ///< stand for 0.0.0.0 and [::] among the bound ones
  std::vector<net::Endpoint> masters;    ///< every master of the pool
  std::string spool_dir;                 ///< records that no master has acknowledged
  Timing timing;
  SettingsBoard::Values own_settings = {};  ///< settings that were given to this daemon itself
};

}  // namespace drover::daemons
