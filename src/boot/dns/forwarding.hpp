// Questions for another server, and its answers: what is sent, what is believed, what is passed on
// and for how long it may be remembered. Values in, values out.
#pragma once

#include "boot/dns/message.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::boot::dns {

/// As many bits as a name has octets: whether a letter is sent in upper case.
using CaseBits = std::array<unsigned char, 32>;

/// The name with the case of its letters as the bits say (draft-vixie-dnsext-dns0x20): what a
/// forger who cannot see the question has to guess beside its id and port.
Name with_case(const Name& name, const CaseBits& bits);

/// The question as it is sent on: recursion wanted, the client's EDNS without its options, with the
/// size that we take. The id and the name's case are `sent`'s own.
std::string upstream_query(const Query& sent);

/// Equal for questions that have the same answer: name without case, type, class, and what of
/// header and EDNS decides about an answer.
std::string question_key(const Query& query);

/// What is in an answer, beside its bytes.
struct AnswerFacts {
  uint8_t rcode = 0;  ///< without EDNS's extension
  bool truncated = false;
  /// Seconds that it may be remembered; 0: not at all. Of what is not there, as RFC 2308 says.
  uint32_t ttl = 0;
  std::vector<uint16_t> ttls;  ///< where the times of its records are
};

enum class Belief : uint8_t {
  answer,      ///< to this very question
  other_case,  ///< all is right but the case of the name: ask again by TCP
  foreign,     ///< not an answer to it: dropped, as if it had not come
};

/// Judges what came back for `sent`. `facts` are those of an answer.
/// `any_case`: the way it came by proves whose it is (TCP), so the case of the name does not
/// matter.
Belief judge_answer(std::string_view message, const Query& sent, AnswerFacts& facts,
                    bool any_case = false);

/// An answer for a client: its id and its case of the name, times less `age` seconds, cut to header
/// and question where it does not fit `limit`. The length in `out`; 0 when that does not suffice.
size_t pass_on(std::string_view message, const AnswerFacts& facts, const Query& client,
               uint32_t age, size_t limit, std::span<char> out);

/// An answer that there is none now (SERVFAIL), or with TC that it must be asked for by TCP.
size_t answer_without(const Query& client, Rcode rcode, bool truncated, std::span<char> out);

/// What a client takes by UDP.
size_t udp_limit(const Query& query);

}  // namespace drover::boot::dns
