#include "daemons/advertise.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace drover::daemons {
namespace {

/// A host of many networks is told by the first few: others would only slow down who dials in turn.
constexpr size_t kMostAddresses = 4;

bool is_any(const net::Endpoint& endpoint) {
  return endpoint.host == "0.0.0.0" || endpoint.host == "::";
}

}  // namespace

std::vector<net::Endpoint> dialable(const std::vector<net::Endpoint>& bound,
                                    const std::vector<os::HostAddress>& host, const Log& log) {
  std::vector<net::Endpoint> out;
  const auto add = [&out](net::Endpoint endpoint) {
    if (std::find(out.begin(), out.end(), endpoint) == out.end()) {
      out.push_back(std::move(endpoint));
    }
  };
  for (const net::Endpoint& at : bound) {
    if (!is_any(at)) {
      add(at);
      continue;
    }
    const bool v6 = at.host == "::";
    size_t found = 0;
    for (const os::HostAddress& address : host) {
      if (address.v6 != v6 || found == kMostAddresses) continue;
      add(net::Endpoint{address.address, at.port, {}});
      ++found;
    }
  }
  if (!out.empty() || bound.empty()) return out;
  for (const net::Endpoint& at : bound) {
    add(net::Endpoint{at.host == "::" ? "::1" : "127.0.0.1", at.port, {}});
  }
  log.warning("this host has no address but loopback: nobody else can dial it",
              {{"advertised", out.front().text()}});
  return out;
}

Status check_dialable(std::string_view option, const std::vector<net::Endpoint>& endpoints) {
  for (const net::Endpoint& endpoint : endpoints) {
    if (is_any(endpoint) || endpoint.port == 0) {
      return fail(Code::invalid_argument,
                  fmt::format("setting {}: nobody can dial {}", option, endpoint.text()),
                  "give an address of this host, or leave the option out to have them found");
    }
  }
  return {};
}

}  // namespace drover::daemons
