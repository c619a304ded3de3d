// What drover-boot tells its master when that asks: boots under way and the logs of nodes, as they
// are and as they go on, and the addresses that it deals out.
#pragma once

#include "api/boot_view.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "boot/dhcp/lease_book.hpp"
#include "daemons/boot/node_logs.hpp"
#include "daemons/boot/stage_book.hpp"
#include "net/http/http_server.hpp"
#include "net/net.hpp"

#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace drover::daemons {

/// One executor's thread. Destroying it ends what it answers.
class BootReader {
 public:
  /// References outlive it. `channels` brings what masters open, and nobody else: whoever comes by
  /// them may read everything. `name` is this daemon's own.
  struct Parts {
    Executor& executor;
    net::Net& channels;
    StageBook& stages;
    NodeLogs& logs;
    std::string name;
    /// Every dynamic address ever used, by address; none: addresses are not dealt out here.
    Callback<std::vector<boot::dhcp::Lease>()> leases = {};
  };

  BootReader(Parts parts, const Log& log);
  BootReader(const BootReader&) = delete;
  BootReader& operator=(const BootReader&) = delete;
  ~BootReader();

  Status start();
  void stop();

 private:
  class Stream;
  class Progress;
  class Logs;
  class Leases;
  using ExchangePtr = std::shared_ptr<net::HttpExchange>;

  void serve(const net::HttpRequest& request, const ExchangePtr& exchange);
  Status open(const net::HttpRequest& request, const ExchangePtr& exchange);
  void add(std::shared_ptr<Stream> stream);
  void drop(const Stream* stream);

  Parts parts_;
  net::HttpServer server_;
  std::list<std::shared_ptr<Stream>> streams_;
};

}  // namespace drover::daemons
