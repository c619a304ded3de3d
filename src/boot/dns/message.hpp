// DNS messages (RFC 1035 section 4, EDNS0 of RFC 6891): queries read, responses written into the
// caller's buffer with compressed names.
#pragma once

#include "boot/dns/name.hpp"
#include "boot/wire/address.hpp"

#include <optional>
#include <span>
#include <string_view>

#include <tl/expected.hpp>

namespace drover::boot::dns {

/// Record types; others are numbers that are passed through.
inline constexpr uint16_t kA = 1;
inline constexpr uint16_t kNs = 2;
inline constexpr uint16_t kCname = 5;
inline constexpr uint16_t kSoa = 6;
inline constexpr uint16_t kPtr = 12;
inline constexpr uint16_t kTxt = 16;
inline constexpr uint16_t kAaaa = 28;
inline constexpr uint16_t kOpt = 41;
inline constexpr uint16_t kIxfr = 251;
inline constexpr uint16_t kAxfr = 252;
inline constexpr uint16_t kAny = 255;
inline constexpr uint16_t kIn = 1;
inline constexpr uint16_t kAnyClass = 255;

enum class Rcode : uint8_t {
  ok = 0,
  format_error = 1,
  server_failure = 2,
  no_such_name = 3,
  not_implemented = 4,
  refused = 5,
  bad_version = 16,  ///< EDNS, needs an OPT record
};

inline constexpr size_t kHeaderSize = 12;
/// Over UDP without EDNS0 (RFC 1035 section 4.2.1).
inline constexpr uint16_t kPlainUdpSize = 512;
/// What we say we take, and the most we send: no fragments (DNS flag day 2020).
inline constexpr uint16_t kUdpSize = 1232;

struct Query {
  uint16_t id = 0;
  uint8_t opcode = 0;
  bool wants_recursion = false;
  bool checking_disabled = false;
  Name name;  ///< with the case in which it was asked, which goes back (0x20)
  uint16_t type = 0;
  uint16_t klass = 0;
  struct Edns {
    uint16_t udp_size = kPlainUdpSize;
    uint8_t version = 0;
    bool dnssec_ok = false;
  };
  std::optional<Edns> edns;
};

/// Why a message is not a query; with what to answer, if anything.
struct NotQuery {
  std::optional<Rcode> answer;  ///< nothing: silence (a response, or too short to have an id)
  uint16_t id = 0;
  uint8_t opcode = 0;
  bool wants_recursion = false;
  std::string_view why;
};

/// Reads one query: exactly one question, no answers, at most one OPT.
tl::expected<Query, NotQuery> read_query(std::string_view message);

/// Which section records go into; they are written in this order.
enum class Section : uint8_t { answer, authority, additional };

/// Writes a response. Records that do not fit set TC, and no more follow.
class ResponseWriter {
 public:
  /// `limit`: the most bytes that may be sent.
  ResponseWriter(const Query& query, Rcode rcode, bool authoritative, std::span<char> out,
                 size_t limit);

  void add_address(Section section, const Name& owner, uint32_t ttl, Ipv4 address);
  void add_address(Section section, const Name& owner, uint32_t ttl, const Ipv6& address);
  /// PTR, NS or CNAME.
  void add_name(Section section, const Name& owner, uint16_t type, uint32_t ttl,
                const Name& target);
  struct Soa {
    Name primary;
    Name mailbox;  ///< "hostmaster.cluster.test"
    uint32_t serial = 1;
    uint32_t refresh = 3600;
    uint32_t retry = 600;
    uint32_t expire = 86'400;
    uint32_t minimum = 60;  ///< how long "no such name" may be remembered (RFC 2308)
  };
  void add_soa(Section section, const Name& owner, uint32_t ttl, const Soa& soa);

  [[nodiscard]] bool truncated() const { return truncated_; }
  /// Completes header and OPT. The length; 0 when not even the question fitted.
  size_t finish();

 private:
  bool begin(const Name& owner, uint16_t type, uint32_t ttl);
  void end(Section section);
  void name(const Name& name);

  const Query& query_;
  Rcode rcode_;
  bool authoritative_;
  std::span<char> out_;
  Writer writer_;
  size_t record_ = 0;     ///< where the record in hand begins
  size_t length_at_ = 0;  ///< where its length goes
  std::array<uint16_t, 3> counts_{};
  /// Names written so far that later ones may point into.
  std::array<uint16_t, 16> places_{};
  size_t place_count_ = 0;
  bool truncated_ = false;
};

/// The shortest answer to what is no query: header alone. Its length; 0 for silence.
size_t write_error(const NotQuery& what, std::span<char> out);

/// DNS over TCP has the length before each message (RFC 1035 section 4.2.2).
struct TcpFrame {
  std::string_view message;
  size_t used = 0;  ///< bytes of the buffer it took, its prefix included
};
/// The first whole message of `buffer`; nothing when more bytes are needed.
std::optional<TcpFrame> tcp_frame(std::string_view buffer);

}  // namespace drover::boot::dns
