#include "sim/sim_datagram_socket.hpp"

#include <algorithm>
#include <array>

namespace drover::sim {
namespace {
/// Packets that wait in a socket's buffer, about 200 KiB of them; the next ones are lost.
constexpr size_t kBuffer = 1024;
/// The longest UDP payload over IPv4.
constexpr size_t kLongest = 65507;
}  // namespace

SimDatagramSocket::SimDatagramSocket(DatagramHub& hub, SimProcess& process,
                                     const net::DatagramOptions& options,
                                     net::DatagramHandler& handler)
    : hub_(hub), process_(&process), options_(options), handler_(handler) {}

SimDatagramSocket::~SimDatagramSocket() {
  *alive_ = false;
  std::erase(hub_.sockets_, this);
}

size_t SimDatagramSocket::send(std::span<const net::OutgoingDatagram> batch) {
  for (const net::OutgoingDatagram& datagram : batch) {
    if (datagram.head.size() + datagram.body.size() > kLongest) {
      ++stats_.refused;
      continue;
    }
    ++stats_.sent;
    if (process_ != nullptr) hub_.send(*this, datagram);
  }
  return batch.size();
}

Status SimDatagramSocket::join(const net::InetAddress& group, uint32_t interface) {
  if (!group.is_group()) {
    return fail(Code::invalid_argument, "joining " + group.host_text() + ": not a group");
  }
  groups_.insert({group.with_port(0), interface});
  return {};
}

bool SimDatagramSocket::hears(std::string_view interface, bool icmp6, std::string_view bytes,
                              const net::InetAddress& destination) const {
  if (process_ == nullptr || this->icmp6() != icmp6) return false;
  if (!options_.interface.empty() && options_.interface != interface) return false;
  if (icmp6) {
    return !options_.icmp6_type ||
           (!bytes.empty() && static_cast<uint8_t>(bytes[0]) == *options_.icmp6_type);
  }
  if (options_.at.port != destination.port || options_.at.family != destination.family) {
    return false;
  }
  return options_.at.is_any() || options_.at == destination;
}

void SimDatagramSocket::arrive(std::string bytes, const net::Datagram& about) {
  if (waiting_.size() >= kBuffer) return;
  waiting_.push_back({std::move(bytes), about});
  if (waiting_.size() > 1) return;
  process_->after(Duration{}, [this, alive = alive_] {
    if (*alive) flush();
  });
}

void SimDatagramSocket::flush() {
  std::vector<Waiting> batch;
  const size_t count = std::min(waiting_.size(), net::kDatagramBatch);
  const auto end = waiting_.begin() + static_cast<ptrdiff_t>(count);
  std::move(waiting_.begin(), end, std::back_inserter(batch));
  waiting_.erase(waiting_.begin(), end);
  if (!waiting_.empty()) {
    process_->after(Duration{}, [this, alive = alive_] {
      if (*alive) flush();
    });
  }
  std::array<net::Datagram, net::kDatagramBatch> datagrams{};
  for (size_t i = 0; i < count; ++i) {
    datagrams[i] = batch[i].about;
    datagrams[i].truncated = batch[i].bytes.size() > net::kMaxDatagram;
    datagrams[i].bytes = std::string_view(batch[i].bytes).substr(0, net::kMaxDatagram);
  }
  stats_.received += count;
  handler_.on_datagrams({datagrams.data(), count});
}

}  // namespace drover::sim
