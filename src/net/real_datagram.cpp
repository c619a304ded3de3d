// Batches: recvmmsg with IP_PKTINFO and IPV6_PKTINFO, sendmmsg with the same and with UDP_SEGMENT
// for what goes one way, and AF_PACKET for machines that answer no ARP yet.
#include "net/real_datagram.hpp"

#include "net/udp_frame.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/core.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <netpacket/packet.h>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace drover::net {
namespace {

/// Room for the control messages of either family.
constexpr size_t kControl = CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t));

// What leaves as one message and is taken apart behind the routing (UDP_SEGMENT, Linux 4.18): no
// datagram longer than an Ethernet frame holds, all of them no longer than one datagram may be.
constexpr size_t kSegmentV4 = 1472;
constexpr size_t kSegmentV6 = 1452;
constexpr size_t kSegmentsBytes = 65000;
static_assert(kDatagramBatch <= 64, "UDP_MAX_SEGMENTS");

struct alignas(cmsghdr) Control {
  std::array<char, kControl> bytes;
};

}  // namespace

struct DatagramSpace {
  std::array<mmsghdr, kDatagramBatch> messages{};
  std::array<std::array<iovec, 3>, kDatagramBatch> pieces{};
  std::array<sockaddr_storage, kDatagramBatch> addresses{};
  std::array<Control, kDatagramBatch> controls{};
  std::array<std::array<char, kUdpFrameHeader>, kDatagramBatch> headers{};
  std::array<std::array<char, kMaxDatagram>, kDatagramBatch> bytes{};
  std::array<Datagram, kDatagramBatch> datagrams{};
  size_t spent = kDatagramBatch;  ///< headers that must be prepared before the next receiving

  /// Makes the header of place `i` ready to receive.
  void prepare(size_t i) {
    pieces[i][0] = {bytes[i].data(), bytes[i].size()};
    msghdr& header = messages[i].msg_hdr;
    header = msghdr{};
    header.msg_name = &addresses[i];
    header.msg_namelen = sizeof addresses[i];
    header.msg_iov = pieces[i].data();
    header.msg_iovlen = 1;
    header.msg_control = controls[i].bytes.data();
    header.msg_controllen = kControl;
  }
};

void DatagramSpaceDelete::operator()(DatagramSpace* space) const {
  delete space;
}

DatagramSpacePtr make_datagram_space() {
  return DatagramSpacePtr(new DatagramSpace);  // NOLINT(cppcoreguidelines-owning-memory): owned now
}

namespace {

InetAddress address_of(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    return InetAddress::v4(ntohl(v4.sin_addr.s_addr), ntohs(v4.sin_port));
  }
  if (storage.ss_family != AF_INET6) return {};
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
  std::array<uint8_t, 16> octets{};
  std::memcpy(octets.data(), &v6.sin6_addr, octets.size());
  return InetAddress::v6(octets, ntohs(v6.sin6_port));
}

in_addr v4_of(const InetAddress& address) {
  return in_addr{htonl(address.v4_value())};
}

in6_addr v6_of(const InetAddress& address) {
  in6_addr out{};
  std::memcpy(&out, address.octets.data(), address.octets.size());
  return out;
}

socklen_t fill(sockaddr_storage& storage, const InetAddress& address, uint32_t scope) {
  if (address.is_v4()) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
    v4 = sockaddr_in{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    v4.sin_addr = v4_of(address);
    return sizeof v4;
  }
  auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
  v6 = sockaddr_in6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(address.port);
  v6.sin6_addr = v6_of(address);
  v6.sin6_scope_id = scope;
  return sizeof v6;
}

socklen_t fill_link(sockaddr_storage& storage, const MacAddress& to, uint32_t interface) {
  auto& link = reinterpret_cast<sockaddr_ll&>(storage);
  link = sockaddr_ll{};
  link.sll_family = AF_PACKET;
  link.sll_protocol = htons(ETH_P_IP);
  link.sll_ifindex = static_cast<int>(interface);
  link.sll_halen = static_cast<unsigned char>(to.size());
  std::copy(to.begin(), to.end(), static_cast<unsigned char*>(link.sll_addr));
  return sizeof link;
}

/// Which address and interface the packet was sent to.
void read_control(msghdr& header, Datagram& out) {
  for (cmsghdr* it = CMSG_FIRSTHDR(&header); it != nullptr; it = CMSG_NXTHDR(&header, it)) {
    if (it->cmsg_level == IPPROTO_IP && it->cmsg_type == IP_PKTINFO) {
      in_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(it), sizeof info);
      out.interface = static_cast<uint32_t>(info.ipi_ifindex);
      out.to = InetAddress::v4(ntohl(info.ipi_addr.s_addr));
      // The address itself when it is ours, else the interface's best for the sender.
      if (info.ipi_spec_dst.s_addr != 0) {
        out.local = InetAddress::v4(ntohl(info.ipi_spec_dst.s_addr));
      }
    } else if (it->cmsg_level == IPPROTO_IPV6 && it->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(it), sizeof info);
      out.interface = info.ipi6_ifindex;
      std::array<uint8_t, 16> octets{};
      std::memcpy(octets.data(), &info.ipi6_addr, octets.size());
      out.to = InetAddress::v6(octets);
      if (!out.to.is_group()) out.local = out.to;
    }
  }
}

/// Says by which interface and from which address `datagram` leaves.
size_t write_control(Control& control, const OutgoingDatagram& datagram) {
  if (datagram.interface == 0 && datagram.from.is_none()) return 0;
  control = Control{};
  auto* header = reinterpret_cast<cmsghdr*>(control.bytes.data());
  if (datagram.to.is_v4()) {
    in_pktinfo info{};
    info.ipi_ifindex = static_cast<int>(datagram.interface);
    if (datagram.from.is_v4()) info.ipi_spec_dst = v4_of(datagram.from);
    header->cmsg_level = IPPROTO_IP;
    header->cmsg_type = IP_PKTINFO;
    header->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(header), &info, sizeof info);
    return CMSG_SPACE(sizeof info);
  }
  in6_pktinfo info{};
  info.ipi6_ifindex = datagram.interface;
  if (datagram.from.is_v6()) info.ipi6_addr = v6_of(datagram.from);
  header->cmsg_level = IPPROTO_IPV6;
  header->cmsg_type = IPV6_PKTINFO;
  header->cmsg_len = CMSG_LEN(sizeof info);
  std::memcpy(CMSG_DATA(header), &info, sizeof info);
  return CMSG_SPACE(sizeof info);
}

/// Says, behind `used` bytes of other control messages, how long each datagram of a message is.
size_t write_segment(Control& control, size_t used, size_t each) {
  const auto size = static_cast<uint16_t>(each);
  auto* header = reinterpret_cast<cmsghdr*>(control.bytes.data() + used);
  *header = cmsghdr{};
  header->cmsg_level = SOL_UDP;
  header->cmsg_type = UDP_SEGMENT;
  header->cmsg_len = CMSG_LEN(sizeof size);
  std::memcpy(CMSG_DATA(header), &size, sizeof size);
  return CMSG_SPACE(sizeof size);
}

iovec piece(std::string_view bytes) {
  return {const_cast<char*>(bytes.data()), bytes.size()};  // NOLINT: sendmmsg does not write there
}

bool set_int(int fd, int level, int option, int value) {
  return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/// What the system allows, and beyond its limit where we may.
void set_buffer(int fd, int option, int force, size_t bytes) {
  if (bytes == 0) return;
  if (!set_int(fd, SOL_SOCKET, force, static_cast<int>(bytes))) {
    set_int(fd, SOL_SOCKET, option, static_cast<int>(bytes));
  }
}

}  // namespace

Result<std::unique_ptr<RealDatagramSocket>> RealDatagramSocket::open(RealNet& net,
                                                                     const DatagramOptions& options,
                                                                     DatagramHandler& handler) {
  std::unique_ptr<RealDatagramSocket> out(new RealDatagramSocket(net, handler));
  if (options.at.is_none()) return fail(Code::invalid_argument, "no address to open a socket at");
  out->icmp6_ = options.kind == DatagramOptions::Kind::icmp6;
  if (out->icmp6_ && !options.at.is_v6()) {
    return fail(Code::invalid_argument, "ICMPv6 at an address that is not IPv6");
  }
  const int family = options.at.is_v4() ? AF_INET : AF_INET6;
  out->fd_ = UniqueFd(
      out->icmp6_ ? ::socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6)
                  : ::socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!out->fd_.valid()) return tl::unexpected(errno_error("making a socket", errno));
  DROVER_CHECK_OK(out->set_options(options));
  DROVER_CHECK_OK(out->bind(options));
  DROVER_CHECK_OK(out->watch_.start(net.loop(), out->fd_.get(), EPOLLIN, *out));
  return out;
}

Status RealDatagramSocket::set_options(const DatagramOptions& options) {
  const int fd = fd_.get();
  if (options.at.is_v4()) {
    if (!set_int(fd, IPPROTO_IP, IP_PKTINFO, 1)) {
      return tl::unexpected(errno_error("asking for packets' interfaces", errno));
    }
  } else {
    set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (!set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)) {
      return tl::unexpected(errno_error("asking for packets' interfaces", errno));
    }
  }
  if (options.broadcast) set_int(fd, SOL_SOCKET, SO_BROADCAST, 1);
  if (icmp6_) {
    // RFC 4861 section 6.1: what came through a router is not believed, so 255 it must be.
    set_int(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 255);
    set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 255);
    set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
    if (options.icmp6_type) {
      icmp6_filter filter{};
      ICMP6_FILTER_SETBLOCKALL(&filter);
      ICMP6_FILTER_SETPASS(*options.icmp6_type, &filter);
      ::setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter);
    }
  }
  set_buffer(fd, SO_RCVBUF, SO_RCVBUFFORCE, options.receive_buffer);
  set_buffer(fd, SO_SNDBUF, SO_SNDBUFFORCE, options.send_buffer);
  const std::string& name = options.interface;
  if (!name.empty() && ::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name.data(),
                                    static_cast<socklen_t>(name.size())) != 0) {
    return tl::unexpected(errno_error("binding to interface " + name, errno));
  }
  return {};
}

Status RealDatagramSocket::bind(const DatagramOptions& options) {
  sockaddr_storage storage{};
  const uint32_t scope =
      options.at.is_link_local() ? ::if_nametoindex(options.interface.c_str()) : 0;
  socklen_t size = fill(storage, icmp6_ ? options.at.with_port(0) : options.at, scope);
  if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0) {
    const int error = errno;
    const std::string where = options.at.text();
    if (error == EADDRINUSE) {
      return fail(Code::already_exists, fmt::format("UDP {} is taken by another process", where),
                  "find it with: ss -lunp");
    }
    if (error == EACCES) {
      return fail(Code::denied, fmt::format("UDP {} may not be bound", where),
                  "run as root, or give the program CAP_NET_BIND_SERVICE");
    }
    return tl::unexpected(errno_error("binding UDP " + where, error));
  }
  size = sizeof storage;
  ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&storage), &size);
  bound_ = address_of(storage);
  if (icmp6_) bound_.port = 0;
  return {};
}

void RealDatagramSocket::on_fd(uint32_t events) {
  if ((events & EPOLLOUT) != 0) {
    watch_.change(EPOLLIN);
    // Reading waits for the next turn: the handler may destroy the socket.
    return handler_.on_writable();
  }
  receive();
}

void RealDatagramSocket::receive() {
  DatagramSpace& space = net_.receive_space();
  // The kernel wrote into the headers of the last batch; the others are as they were.
  for (; space.spent > 0; --space.spent) space.prepare(space.spent - 1);
  const int count = ::recvmmsg(fd_.get(), space.messages.data(), kDatagramBatch,
                               MSG_DONTWAIT | MSG_TRUNC, nullptr);
  // EAGAIN, or an error that a packet of ours brought back: nothing to read.
  if (count <= 0) return;
  space.spent = static_cast<size_t>(count);
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    Datagram& out = space.datagrams[i];
    out = Datagram{};
    out.from = address_of(space.addresses[i]);
    if (icmp6_) out.from.port = 0;
    out.bytes = {space.bytes[i].data(), std::min<size_t>(space.messages[i].msg_len, kMaxDatagram)};
    out.truncated = space.messages[i].msg_len > kMaxDatagram;
    read_control(space.messages[i].msg_hdr, out);
    out.to.port = bound_.port;
    out.local.port = out.local.is_none() ? uint16_t{0} : bound_.port;
  }
  stats_.received += static_cast<uint64_t>(count);
  handler_.on_datagrams({space.datagrams.data(), static_cast<size_t>(count)});
}

bool RealDatagramSocket::can_send_frames() {
  if (!frames_tried_) {
    frames_tried_ = true;
    // Protocol 0: it sends and receives nothing. SOCK_DGRAM: the kernel writes the link's header.
    frames_ = UniqueFd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  }
  return frames_.valid();
}

size_t RealDatagramSocket::send(std::span<const OutgoingDatagram> batch) {
  size_t done = 0;
  while (done < batch.size()) {
    const auto is_frame = [&](const OutgoingDatagram& it) {
      return it.hardware.has_value() && it.to.is_v4() && it.interface != 0 && can_send_frames();
    };
    const bool frames = is_frame(batch[done]);
    size_t end = done + 1;
    while (end < batch.size() && end - done < kDatagramBatch && is_frame(batch[end]) == frames) {
      ++end;
    }
    const size_t sent = send_run(batch.subspan(done, end - done), frames);
    done += sent;
    if (watch_.events() != EPOLLIN) break;
  }
  return done;
}

/// How many of the front may leave as one message: the same way, one size, only the last shorter.
size_t RealDatagramSocket::group(std::span<const OutgoingDatagram> run) const {
  const OutgoingDatagram& first = run.front();
  const size_t size = first.head.size() + first.body.size();
  const size_t longest = first.to.is_v4() ? kSegmentV4 : kSegmentV6;
  const bool alone = icmp6_ || first.hardware || first.to.is_group();
  if (!segments_ || alone || size == 0 || size > longest) return 1;
  size_t count = 1;
  for (size_t total = size; count < run.size(); ++count) {
    const OutgoingDatagram& it = run[count];
    const size_t its = it.head.size() + it.body.size();
    total += its;
    const bool same = it.to == first.to && it.from == first.from &&
                      it.interface == first.interface && !it.hardware;
    if (!same || its == 0 || its > size || total > kSegmentsBytes) return count;
    if (its < size) return count + 1;
  }
  return count;
}

/// Makes message `at` of `group`, in the places from `first` on.
void RealDatagramSocket::prepare(size_t at, std::span<const OutgoingDatagram> group, size_t first) {
  DatagramSpace& space = net_.send_space();
  const OutgoingDatagram& front = group.front();
  msghdr& header = space.messages[at].msg_hdr;
  header = msghdr{};
  InetAddress to = front.to;
  if (front.hardware) {
    to = InetAddress::v4(kBroadcastV4, to.port);
    ++stats_.broadcast;
  }
  header.msg_name = &space.addresses[at];
  header.msg_namelen = fill(space.addresses[at], to, to.is_v6() ? front.interface : 0);
  size_t control = write_control(space.controls[at], front);
  if (group.size() > 1) {
    control += write_segment(space.controls[at], control, front.head.size() + front.body.size());
  }
  header.msg_controllen = control;
  if (control != 0) header.msg_control = space.controls[at].bytes.data();
  // A place has room for more than the two pieces of a datagram, and places lie in a row.
  iovec* const pieces = space.pieces[first].data();
  size_t count = 0;
  for (const OutgoingDatagram& it : group) {
    pieces[count++] = piece(it.head);
    if (!it.body.empty()) pieces[count++] = piece(it.body);
  }
  header.msg_iov = pieces;
  header.msg_iovlen = count;
}

/// The same for a frame to a hardware address.
void RealDatagramSocket::prepare_frame(size_t at, const OutgoingDatagram& it) {
  DatagramSpace& space = net_.send_space();
  msghdr& header = space.messages[at].msg_hdr;
  header = msghdr{};
  header.msg_name = &space.addresses[at];
  header.msg_namelen = fill_link(space.addresses[at], *it.hardware, it.interface);
  space.headers[at] = udp_frame_header(it.from.with_port(bound_.port), it.to, it.head, it.body);
  size_t count = 0;
  space.pieces[at][count++] = piece({space.headers[at].data(), kUdpFrameHeader});
  space.pieces[at][count++] = piece(it.head);
  if (!it.body.empty()) space.pieces[at][count++] = piece(it.body);
  header.msg_iov = space.pieces[at].data();
  header.msg_iovlen = count;
}

/// Sends what goes by the same descriptor; how many were dealt with.
size_t RealDatagramSocket::send_run(std::span<const OutgoingDatagram> run, bool frames) {
  DatagramSpace& space = net_.send_space();
  std::array<uint8_t, kDatagramBatch> sizes{};  // datagrams of each message
  size_t messages = 0;
  for (size_t i = 0; i < run.size(); i += sizes[messages++]) {
    const size_t count = frames ? 1 : group(run.subspan(i));
    sizes[messages] = static_cast<uint8_t>(count);
    frames ? prepare_frame(messages, run[i]) : prepare(messages, run.subspan(i, count), i);
  }
  const int fd = frames ? frames_.get() : fd_.get();
  size_t done = 0;
  for (size_t at = 0; at < messages;) {
    const int count = ::sendmmsg(fd, space.messages.data() + at,
                                 static_cast<unsigned>(messages - at), MSG_DONTWAIT);
    for (const size_t end = at + static_cast<size_t>(std::max(count, 0)); at < end; ++at) {
      done += sizes[at];
      stats_.sent += sizes[at];
    }
    if (count > 0) continue;
    // sendmmsg reports an error for its first message alone.
    if (would_block(errno)) break;
    if (sizes[at] > 1) {
      // A link or kernel that cannot take messages apart: from now on each by itself, these too.
      segments_ = false;
      return done + send_run(run.subspan(done), frames);
    }
    ++stats_.refused;
    ++done;
    ++at;
  }
  return done;
}

bool RealDatagramSocket::would_block(int error) {
  if (error != EAGAIN && error != EWOULDBLOCK) return false;
  watch_.change(EPOLLIN | EPOLLOUT);
  return true;
}

Status RealDatagramSocket::join(const InetAddress& group, uint32_t interface) {
  int result = 0;
  if (group.is_v4()) {
    ip_mreqn request{};
    request.imr_multiaddr = v4_of(group);
    request.imr_ifindex = static_cast<int>(interface);
    result = ::setsockopt(fd_.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request);
  } else {
    ipv6_mreq request{};
    request.ipv6mr_multiaddr = v6_of(group);
    request.ipv6mr_interface = interface;
    result = ::setsockopt(fd_.get(), IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request);
  }
  if (result == 0 || errno == EADDRINUSE) return {};
  return tl::unexpected(errno_error("joining the group " + group.host_text(), errno));
}

}  // namespace drover::net
