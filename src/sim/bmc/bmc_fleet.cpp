#include "sim/bmc/bmc_fleet.hpp"

#include "net/datagram.hpp"

#include <utility>

#include <fmt/format.h>

namespace drover::sim {

Result<std::unique_ptr<BmcFleet>> BmcFleet::start(BmcSeams seams, const BmcFleetOptions& options,
                                                  std::shared_ptr<net::Security> security) {
  auto fleet = std::make_unique<BmcFleet>();
  const auto first = net::InetAddress::parse(options.host);
  if (options.spread && (!first || !first->is_v4())) {
    return fail(Code::invalid_argument, "BMCs are spread over IPv4 addresses alone");
  }
  for (uint32_t i = 0; i < options.count; ++i) {
    BmcTraits traits = options.traits;
    traits.number = options.first + i;
    auto server = std::make_unique<BmcServer>(seams, std::move(traits));
    net::Endpoint at{options.host, 0, ""};
    if (options.spread) {
      at.host = net::InetAddress::v4(first->v4_value() + i).host_text();
      at.port = i == 0 ? options.port : fleet->endpoint(0).port;
    } else if (options.port != 0) {
      const uint32_t port = options.port + i;
      if (port > 65535) return fail(Code::invalid_argument, "the ports do not suffice");
      at.port = static_cast<uint16_t>(port);
    }
    Callback<std::shared_ptr<net::Security>()> getter;
    if (security) getter = [security] { return security; };
    auto bound = server->listen(at, std::move(getter));
    if (!bound) return fail_in(fmt::format("starting BMC {}", i), std::move(bound).error());
    fleet->members_.push_back({std::move(server), *std::move(bound)});
  }
  return fleet;
}

uint64_t BmcFleet::requests() const {
  uint64_t sum = 0;
  for (const Member& member : members_) sum += member.server->bmc().counts().requests;
  return sum;
}

}  // namespace drover::sim
