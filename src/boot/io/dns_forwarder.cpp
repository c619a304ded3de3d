#include "boot/io/dns_forwarder.hpp"

namespace drover::boot::io {
namespace {

constexpr size_t kMostMessage = 65'535;

size_t limit_of(const dns::Query& query, dns::Transport transport) {
  return transport == dns::Transport::tcp ? kMostMessage : dns::udp_limit(query);
}

}  // namespace

/// One question on its way, and all who wait for its answer.
class DnsForwarder::Question final : public net::DatagramHandler, public net::StreamHandler {
 public:
  struct Client {
    dns::Query query;
    dns::Transport transport;
    Reply reply;
  };

  Question(DnsForwarder& forwarder, std::string place, std::string key, const dns::Query& query,
           dns::Transport transport)
      : place(std::move(place)),
        key(std::move(key)),
        forwarder_(forwarder),
        sent_(query),
        by_tcp_(transport == dns::Transport::tcp),
        server_(forwarder.first_) {}

  /// Sends it to the next server; fails when all tries are used up.
  void try_on() {
    close();
    const DnsForwarderLimits& limits = forwarder_.limits_;
    if (tries_ == limits.patience.size()) return forwarder_.fail(*this);
    const net::InetAddress& server = forwarder_.servers_[server_ % forwarder_.servers_.size()];
    timer_.after(forwarder_.executor_, limits.patience[tries_], [this] { next_server(); });
    ++tries_;
    draw();
    ++forwarder_.stats_.asked;
    if (by_tcp_) {
      connect(server);
    } else {
      send(server);
    }
  }

  void on_datagrams(std::span<const net::Datagram> batch) override {
    const net::InetAddress& server = forwarder_.servers_[server_ % forwarder_.servers_.size()];
    for (const net::Datagram& datagram : batch) {
      if (datagram.from != server || datagram.truncated) {
        ++forwarder_.stats_.foreign;
        continue;
      }
      if (take(datagram.bytes)) return;  // this is gone
    }
  }

  void on_data(std::string_view bytes) override {
    input_ += bytes;
    if (const auto frame = dns::tcp_frame(input_)) {
      if (!take(frame->message)) soon();
    }
  }
  void on_closed(const Error& /*why*/) override { soon(); }

  const std::string place;
  const std::string key;
  std::vector<Client> clients;

 private:
  void draw() {
    std::array<unsigned char, 2> id{};
    dns::CaseBits bits{};
    forwarder_.random_.fill(id);
    forwarder_.random_.fill(bits);
    sent_.id = static_cast<uint16_t>(id[0] << 8 | id[1]);
    sent_.name = dns::with_case(sent_.name, bits);
  }

  void send(const net::InetAddress& server) {
    net::DatagramOptions options;
    options.at = server.is_v4() ? net::InetAddress::v4(0) : net::InetAddress::v6({});
    auto opened = forwarder_.net_.open_datagrams(options, *this);
    if (!opened) return soon();
    socket_ = *std::move(opened);
    const std::string message = dns::upstream_query(sent_);
    const net::OutgoingDatagram out{.head = message, .to = server};
    socket_->send({&out, 1});
  }

  void connect(const net::InetAddress& server) {
    ++forwarder_.stats_.by_tcp;
    const std::string host = server.host_text();
    connecting_ = forwarder_.net_.connect(
        {host, server.port, {}}, nullptr, forwarder_.limits_.patience.back(),
        [this](Result<std::unique_ptr<net::Stream>> made) {
          if (!made) return soon();
          stream_ = *std::move(made);
          stream_->set_handler(this);
          const std::string message = dns::upstream_query(sent_);
          std::string framed;
          framed.push_back(static_cast<char>(message.size() >> 8));
          framed.push_back(static_cast<char>(message.size()));
          stream_->write(framed + message);
        });
  }

  /// Judges what came; true when the question is settled, and this object gone.
  bool take(std::string_view message) {
    dns::AnswerFacts facts;
    const dns::Belief belief = dns::judge_answer(message, sent_, facts, by_tcp_);
    if (belief == dns::Belief::foreign) {
      ++forwarder_.stats_.foreign;
      return false;
    }
    if (belief == dns::Belief::other_case) {
      // A server that changes the case, or a forger who did not guess it: TCP tells.
      by_tcp_ = true;
      if (tries_ > 0) --tries_;
      soon();
      return false;
    }
    const bool knows = facts.rcode == static_cast<uint8_t>(dns::Rcode::ok) ||
                       facts.rcode == static_cast<uint8_t>(dns::Rcode::no_such_name);
    if (!knows && tries_ < forwarder_.limits_.patience.size()) {
      next_soon();
      return false;
    }
    if (knows) forwarder_.first_ = server_ % forwarder_.servers_.size();
    forwarder_.settle(*this, message, facts);
    return true;
  }

  void next_server() {
    ++server_;
    try_on();
  }
  // Not within the event of a socket that it closes.
  void soon() {
    timer_.after(forwarder_.executor_, Duration::zero(), [this] { try_on(); });
  }
  void next_soon() {
    timer_.after(forwarder_.executor_, Duration::zero(), [this] { next_server(); });
  }
  void close() {
    connecting_.reset();
    stream_.reset();
    socket_.reset();
    input_.clear();
  }

  DnsForwarder& forwarder_;
  dns::Query sent_;
  bool by_tcp_;
  size_t server_;
  size_t tries_ = 0;
  std::string input_;
  std::unique_ptr<net::DatagramSocket> socket_;
  std::unique_ptr<net::Connecting> connecting_;
  std::unique_ptr<net::Stream> stream_;
  Timer timer_;
};

DnsForwarder::DnsForwarder(Executor& executor, net::Net& net, Random& random, Log log,
                           DnsForwarderLimits limits)
    : executor_(executor),
      net_(net),
      random_(random),
      log_(log),
      limits_(std::move(limits)),
      cache_(limits_.cache),
      space_(kMostMessage) {}

DnsForwarder::~DnsForwarder() = default;

void DnsForwarder::use(std::vector<net::InetAddress> servers) {
  if (servers == servers_) return;
  while (!questions_.empty()) fail(*questions_.begin()->second);
  cache_.clear();
  first_ = 0;
  servers_ = std::move(servers);
}

void DnsForwarder::stop() {
  questions_.clear();
}

size_t DnsForwarder::ask(const dns::Query& query, dns::Transport transport, std::span<char> out,
                         Reply reply) {
  ++stats_.questions;
  const std::string key = dns::question_key(query);
  const MonoTime now = executor_.now();
  if (const dns::AnswerCache::Kept* kept = cache_.find(key, now)) {
    ++stats_.cached;
    return dns::pass_on(kept->message, kept->facts, query, kept->age(now),
                        limit_of(query, transport), out);
  }
  const std::string place = key + (transport == dns::Transport::tcp ? 't' : 'u');
  auto it = questions_.find(place);
  const bool too_many = it == questions_.end() ? questions_.size() >= limits_.most_questions
                                               : it->second->clients.size() >= limits_.most_clients;
  if (too_many || !is_on()) {
    ++stats_.failed;
    return dns::answer_without(query, dns::Rcode::server_failure, false, out);
  }
  const bool is_new = it == questions_.end();
  if (is_new) {
    auto made = std::make_unique<Question>(*this, place, key, query, transport);
    it = questions_.emplace(place, std::move(made)).first;
  }
  it->second->clients.push_back({query, transport, std::move(reply)});
  if (is_new) it->second->try_on();
  return 0;
}

std::unique_ptr<DnsForwarder::Question> DnsForwarder::take(Question& question) {
  const auto it = questions_.find(question.place);
  auto out = std::move(it->second);
  questions_.erase(it);
  return out;
}

void DnsForwarder::settle(Question& question, std::string_view message,
                          const dns::AnswerFacts& facts) {
  const auto held = take(question);
  cache_.put(held->key, message, facts, executor_.now());
  for (Question::Client& client : held->clients) {
    const size_t size = dns::pass_on(message, facts, client.query, 0,
                                     limit_of(client.query, client.transport), space_);
    client.reply({space_.data(), size});
  }
}

void DnsForwarder::fail(Question& question) {
  const auto held = take(question);
  ++stats_.failed;
  log_.debug("no server knows a name", {{"name", held->clients.front().query.name.text()}});
  for (Question::Client& client : held->clients) {
    const size_t size =
        dns::answer_without(client.query, dns::Rcode::server_failure, false, space_);
    client.reply({space_.data(), size});
  }
}

}  // namespace drover::boot::io
