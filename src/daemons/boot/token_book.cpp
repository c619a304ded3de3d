#include "daemons/boot/token_book.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace drover::daemons {

/// RFC 4648 section 6, in lower case: survives a kernel's command line and being read aloud.
std::string TokenBook::draw() {
  constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
  std::array<unsigned char, 32> bytes{};
  random_.fill(bytes);
  std::string out;
  for (const unsigned char byte : bytes) out.push_back(kAlphabet[byte & 31U]);
  return out;
}

void TokenBook::give(const std::string& token, std::string node, std::string mac,
                     std::vector<std::string> addresses) {
  sweep();
  std::vector<std::string>& mine = of_node_[node];
  mine.push_back(token);
  if (mine.size() > kMostOfANode) {
    const auto oldest = tickets_.find(mine.front());
    ending_.erase(oldest->second.place);
    tickets_.erase(oldest);
    mine.erase(mine.begin());
  }
  ending_.push_back(token);
  tickets_[token] = {
      {std::move(node), std::move(mac), std::move(addresses), clock_.now() + kLife, {}, false},
      std::prev(ending_.end())};
}

Result<const BootTicket*> TokenBook::check(std::string_view token, std::string_view address) {
  sweep();
  const auto it = tickets_.find(std::string(token));
  if (it == tickets_.end()) {
    return fail(Code::unauthenticated, "the boot token is unknown or has expired",
                "boot the machine again");
  }
  const std::vector<std::string>& bound = it->second.ticket.addresses;
  if (std::ranges::find(bound, address) == bound.end()) {
    return fail(Code::denied,
                fmt::format("the boot token of {} was given to {}, not to {}",
                            it->second.ticket.node, fmt::join(bound, " and "), address));
  }
  return &it->second.ticket;
}

std::string TokenBook::node_of(std::string_view token) {
  sweep();
  const auto it = tickets_.find(std::string(token));
  return it == tickets_.end() ? std::string() : it->second.ticket.node;
}

Status TokenBook::use(std::string_view token, std::string_view request_sha256) {
  const auto it = tickets_.find(std::string(token));
  if (it == tickets_.end()) return fail(Code::unauthenticated, "the boot token has expired");
  BootTicket& mine = it->second.ticket;
  if (mine.enrolled_key.empty()) mine.enrolled_key = request_sha256;
  if (mine.enrolled_key == request_sha256) return {};
  return fail(Code::denied,
              fmt::format("the boot token of {} has been used with another key", mine.node),
              "boot the machine again; if it was not you, look who else is on its network");
}

Result<const BootTicket*> TokenBook::take_secrets(std::string_view token,
                                                  std::string_view address) {
  DROVER_TRY(const BootTicket* ticket, check(token, address));
  if (!std::exchange(tickets_.find(std::string(token))->second.ticket.told_secrets, true))
    return ticket;
  return fail(Code::denied,
              fmt::format("the secrets of {} have been given in this boot", ticket->node),
              "boot the machine again; if it was not you, look who else is on its network");
}

void TokenBook::return_secrets(std::string_view token) {
  const auto it = tickets_.find(std::string(token));
  if (it != tickets_.end()) it->second.ticket.told_secrets = false;
}

void TokenBook::sweep() {
  const MonoTime now = clock_.now();
  while (!ending_.empty()) {
    const auto it = tickets_.find(ending_.front());
    if (it->second.ticket.expires > now) return;
    const auto mine = of_node_.find(it->second.ticket.node);
    std::erase(mine->second, it->first);
    if (mine->second.empty()) of_node_.erase(mine);
    tickets_.erase(it);
    ending_.pop_front();
  }
}

}  // namespace drover::daemons
