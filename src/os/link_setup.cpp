// Three kinds of message, put together by hand: there is no library between.
#include "os/link_setup.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <arpa/inet.h>
#include <fmt/core.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

namespace drover::os {
namespace {

/// A message that grows by attributes.
template <typename Body>
class Message {
 public:
  Message(uint16_t type, uint16_t flags, const Body& body) {
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    header.nlmsg_seq = 1;
    add(&header, sizeof header);
    add(&body, sizeof body);
  }
  void attribute(uint16_t type, const void* data, size_t size) {
    rtattr head{};
    head.rta_type = type;
    head.rta_len = static_cast<uint16_t>(RTA_LENGTH(size));
    add(&head, sizeof head);
    add(data, size);
  }
  std::string take() {
    nlmsghdr header{};
    std::memcpy(&header, bytes_.data(), sizeof header);
    header.nlmsg_len = static_cast<uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &header, sizeof header);
    return std::move(bytes_);
  }

 private:
  void add(const void* data, size_t size) {
    bytes_.append(static_cast<const char*>(data), size);
    bytes_.resize((bytes_.size() + NLMSG_ALIGNTO - 1) / NLMSG_ALIGNTO * NLMSG_ALIGNTO, '\0');
  }
  std::string bytes_;
};

/// An IP address as the kernel wants it.
struct Address {
  uint8_t family = 0;
  size_t size = 0;
  std::array<unsigned char, 16> bytes{};
};

Result<Address> parse_address(std::string_view text) {
  Address out;
  const std::string copy(text);
  if (inet_pton(AF_INET, copy.c_str(), out.bytes.data()) == 1) {
    out.family = AF_INET;
    out.size = 4;
  } else if (inet_pton(AF_INET6, copy.c_str(), out.bytes.data()) == 1) {
    out.family = AF_INET6;
    out.size = 16;
  } else {
    return fail(Code::invalid_argument, fmt::format("'{}' is no IP address", text));
  }
  return out;
}

std::string first_line(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

}  // namespace

int ip_version(std::string_view text) {
  const auto address = parse_address(text);
  if (!address) return 0;
  return address->family == AF_INET ? 4 : 6;
}

std::string LinkMessages::up(int index, uint32_t mtu) {
  ifinfomsg body{};
  body.ifi_family = AF_UNSPEC;
  body.ifi_index = index;
  body.ifi_flags = IFF_UP;
  body.ifi_change = IFF_UP;
  Message<ifinfomsg> message(RTM_NEWLINK, 0, body);
  if (mtu != 0) message.attribute(IFLA_MTU, &mtu, sizeof mtu);
  return message.take();
}

Result<std::string> LinkMessages::address(int index, std::string_view address, uint8_t prefix) {
  DROVER_TRY(const Address parsed, parse_address(address));
  if (prefix > parsed.size * 8) {
    return fail(Code::invalid_argument,
                fmt::format("{}/{}: the prefix is too long", address, prefix));
  }
  ifaddrmsg body{};
  body.ifa_family = parsed.family;
  body.ifa_prefixlen = prefix;
  body.ifa_index = static_cast<uint32_t>(index);
  if (parsed.family == AF_INET6) body.ifa_flags = IFA_F_NODAD;
  Message<ifaddrmsg> message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, body);
  message.attribute(IFA_LOCAL, parsed.bytes.data(), parsed.size);
  message.attribute(IFA_ADDRESS, parsed.bytes.data(), parsed.size);
  return message.take();
}

Result<std::string> LinkMessages::default_route(int index, std::string_view gateway) {
  DROVER_TRY(const Address parsed, parse_address(gateway));
  rtmsg body{};
  body.rtm_family = parsed.family;
  body.rtm_table = RT_TABLE_MAIN;
  body.rtm_protocol = RTPROT_BOOT;
  body.rtm_scope = RT_SCOPE_UNIVERSE;
  body.rtm_type = RTN_UNICAST;
  Message<rtmsg> message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, body);
  message.attribute(RTA_GATEWAY, parsed.bytes.data(), parsed.size);
  message.attribute(RTA_OIF, &index, sizeof index);
  return message.take();
}

Result<LinkSetup> LinkSetup::open() {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!fd) return tl::unexpected(errno_error("open a netlink socket", errno));
  return LinkSetup(std::move(fd));
}

Status LinkSetup::send(const std::string& message, std::string_view what) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (::sendto(fd_.get(), message.data(), message.size(), 0,
               reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel) < 0) {
    return tl::unexpected(errno_error(what, errno));
  }
  std::array<char, 8192> buffer{};
  for (;;) {
    const ssize_t got = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return tl::unexpected(errno_error(what, errno));
    nlmsghdr header{};
    nlmsgerr answer{};
    if (static_cast<size_t>(got) < sizeof header + sizeof answer.error) {
      return fail(Code::corrupt, std::string(what) + ": the kernel's answer was cut short");
    }
    std::memcpy(&header, buffer.data(), sizeof header);
    if (header.nlmsg_type != NLMSG_ERROR) continue;
    std::memcpy(&answer.error, buffer.data() + sizeof header, sizeof answer.error);
    if (answer.error == 0 || answer.error == -EEXIST) return {};
    return tl::unexpected(errno_error(what, -answer.error));
  }
}

Result<std::vector<LinkFacts>> list_links(const std::string& sys) {
  std::vector<LinkFacts> out;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(sys + "/class/net", error)) {
    LinkFacts link;
    link.name = entry.path().filename();
    link.mac = first_line(entry.path() / "address");
    link.carrier = first_line(entry.path() / "carrier") == "1";
    const std::string index = first_line(entry.path() / "ifindex");
    std::from_chars(index.data(), index.data() + index.size(), link.index);
    if (link.index > 0) out.push_back(std::move(link));
  }
  if (error) return fail(Code::io, fmt::format("{}/class/net: {}", sys, error.message()));
  std::ranges::sort(out, {}, &LinkFacts::name);
  return out;
}

}  // namespace drover::os
