// Asks other name servers what the cluster's own zones do not have: each question from a port, with
// an id and a case of letters that a forger must guess; by the next server when one is silent or
// fails; by TCP when an answer is too long for UDP.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "boot/dns/answer_cache.hpp"
#include "boot/dns/server.hpp"
#include "net/datagram.hpp"
#include "net/net.hpp"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::boot::io {

struct DnsForwarderLimits {
  /// How long a server has, try by try; a client's resolver gives up after 5 s.
  std::vector<Duration> patience = {std::chrono::milliseconds(800), std::chrono::milliseconds(1200),
                                    std::chrono::milliseconds(2400)};
  size_t most_questions = 512;     ///< under way at once; each has a socket
  size_t most_clients = 64;        ///< that wait for one and the same question
  size_t cache = size_t{4} << 20;  ///< bytes
};

struct DnsForwarderStats {
  uint64_t questions = 0;  ///< of clients
  uint64_t cached = 0;     ///< answered from memory
  uint64_t asked = 0;      ///< sent to a server, every try
  uint64_t failed = 0;     ///< of which no server knew
  uint64_t foreign = 0;    ///< packets that were no answer to what was asked
  uint64_t by_tcp = 0;     ///< asked by TCP
};

/// One executor's thread.
class DnsForwarder {
 public:
  /// Gets the answer, once.
  using Reply = Callback<void(std::string_view message)>;

  DnsForwarder(Executor& executor, net::Net& net, Random& random, Log log,
               DnsForwarderLimits limits = {});
  DnsForwarder(const DnsForwarder&) = delete;
  DnsForwarder& operator=(const DnsForwarder&) = delete;
  ~DnsForwarder();

  /// The servers, in the order in which they are asked, with ports; none: nothing is forwarded.
  /// Others than before: nothing is remembered, and what is under way fails.
  void use(std::vector<net::InetAddress> servers);
  [[nodiscard]] bool is_on() const { return !servers_.empty(); }
  /// Answers into `out` at once and gives the length, or gives 0 and answers by `reply` later.
  size_t ask(const dns::Query& query, dns::Transport transport, std::span<char> out, Reply reply);
  /// Forgets every question without an answer.
  void stop();

  [[nodiscard]] const DnsForwarderStats& stats() const { return stats_; }

 private:
  class Question;
  friend class Question;

  void settle(Question& question, std::string_view message, const dns::AnswerFacts& facts);
  void fail(Question& question);
  std::unique_ptr<Question> take(Question& question);

  Executor& executor_;
  net::Net& net_;
  Random& random_;
  Log log_;
  DnsForwarderLimits limits_;
  std::vector<net::InetAddress> servers_;
  size_t first_ = 0;  ///< the server that answered last is asked first
  dns::AnswerCache cache_;
  std::map<std::string, std::unique_ptr<Question>> questions_;  ///< by key and transport
  std::vector<char> space_;
  DnsForwarderStats stats_;
};

}  // namespace drover::boot::io
