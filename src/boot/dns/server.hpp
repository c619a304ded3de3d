// The authoritative name server as a function: a message in, a message out.
#pragma once

#include "boot/dns/message.hpp"
#include "boot/dns/table.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace drover::boot::dns {

/// One zone this server speaks for, e.g. cluster.test or 77.10.in-addr.arpa.
struct Zone {
  Name apex;
  ResponseWriter::Soa soa;
  std::vector<Name> servers;  ///< NS records of the apex
  uint32_t ttl = 60;          ///< seconds, of every record
};

enum class Transport : uint8_t { udp, tcp };

/// What came of a message.
enum class Outcome : uint8_t {
  answered,
  no_data,    ///< the name exists, without records of that type
  no_name,    ///< NXDOMAIN
  outside,    ///< of no zone here: refused, or for a forwarder
  refused,    ///< a zone transfer, or a class other than IN
  malformed,  ///< answered with an error, or with silence where `size` is 0
};
std::string_view text(Outcome outcome);

struct Answer {
  Outcome outcome = Outcome::malformed;
  size_t size = 0;         ///< of the response, at the front of `out`
  bool truncated = false;  ///< the client must ask again by TCP
};

/// Answers for its zones out of a table. Thread-compatible; the table must outlive it.
class Server {
 public:
  Server(std::vector<Zone> zones, const Table& table) : zones_(std::move(zones)), table_(table) {}

  /// Takes one message (without the TCP length) and writes the response. `out` bounds it over TCP;
  /// over UDP it is also held to what the client takes.
  [[nodiscard]] Answer answer(std::string_view message, Transport transport,
                              std::span<char> out) const;

 private:
  [[nodiscard]] const Zone* zone_of(const Name& name) const;
  Outcome collect(const Query& query, const Zone& zone, const Records* records,
                  ResponseWriter& out) const;

  std::vector<Zone> zones_;
  const Table& table_;
};

}  // namespace drover::boot::dns
