// The real net over TCP (IPv4, IPv6), Unix sockets and TLS: the stream contract, each promise of
// it.
#include "net/real_net.hpp"

#include "net/certificates_for_tests.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace drover::net {
namespace {

using namespace std::chrono_literals;
using testing::TestCa;

/// Records what a stream tells, and runs a hook in each event.
struct Recorder final : StreamHandler {
  void on_data(std::string_view bytes) override {
    EXPECT_FALSE(inside_call) << "an event inside a call into the stream";
    EXPECT_FALSE(closed);
    data += bytes;
    if (hook) hook("data");
  }
  void on_drained() override {
    EXPECT_FALSE(inside_call);
    EXPECT_FALSE(closed);
    ++drained;
    if (hook) hook("drained");
  }
  void on_closed(const Error& why) override {
    EXPECT_FALSE(inside_call);
    EXPECT_FALSE(closed) << "closed twice";
    closed = why;
    if (hook) hook("closed");
  }
  std::string data;
  int drained = 0;
  std::optional<Error> closed;
  bool inside_call = false;
  std::function<void(const std::string&)> hook;
};

enum class Kind { tcp4, tcp6, local, tls };

std::string name_of(Kind kind) {
  switch (kind) {
    case Kind::tcp4:
      return "tcp4";
    case Kind::tcp6:
      return "tcp6";
    case Kind::local:
      return "unix";
    case Kind::tls:
      return "tls";
  }
  return "?";
}

/// A scratch directory that goes with the test.
class Scratch {
 public:
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "drover-net-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Scratch() { std::filesystem::remove_all(path_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

class NetTest : public ::testing::Test {
 protected:
  using Accepted = tl::expected<std::unique_ptr<Stream>, AcceptFailure>;

  bool wait(Callback<bool()> until, Duration limit = 10s) {
    return loop_->run_until(std::move(until), limit);
  }
  void settle() {
    loop_->run_until([] { return false; }, 20ms);
  }

  Endpoint at(Kind kind) const {
    switch (kind) {
      case Kind::tcp6:
        return {"::1", 0, ""};
      case Kind::local:
        return {"", 0, scratch_.path("s")};
      default:
        return {"127.0.0.1", 0, ""};
    }
  }

  std::shared_ptr<Security> security(const SecurityConfig& config) {
    return net_->make_security(config).value();
  }

  /// A listener that keeps what it accepts and what fails.
  std::unique_ptr<Listener> listen(const Endpoint& where,
                                   const std::shared_ptr<Security>& with = {}) {
    auto listener = net_->listen(
        where, [with] { return with; },
        [this](Accepted accepted) {
          if (accepted) {
            accepted_.push_back(*std::move(accepted));
          } else {
            failures_.push_back(accepted.error());
          }
        });
    EXPECT_TRUE(listener) << listener.error().text();
    return *std::move(listener);
  }

  Result<std::unique_ptr<Stream>> connect(const Endpoint& to, std::shared_ptr<Security> with = {},
                                          Duration timeout = 5s) {
    std::optional<Result<std::unique_ptr<Stream>>> result;
    const auto connecting =
        net_->connect(to, std::move(with), timeout, [&](Result<std::unique_ptr<Stream>> got) {
          EXPECT_FALSE(result);
          result = std::move(got);
        });
    EXPECT_FALSE(result) << "the callback ran inside connect()";
    EXPECT_TRUE(wait([&] { return result.has_value(); }));
    return *std::move(result);
  }

  /// Two connected streams with recorders on them.
  struct Pair {
    std::unique_ptr<Listener> listener;
    std::unique_ptr<Stream> client;
    std::unique_ptr<Stream> server;
  };
  Pair make_pair(Kind kind) {
    Pair pair;
    std::shared_ptr<Security> with;
    if (kind == Kind::tls) with = security(ca_.config());
    pair.listener = listen(at(kind), with);
    pair.client = connect(pair.listener->endpoint(), with).value();
    EXPECT_TRUE(wait([&] { return !accepted_.empty(); }));
    pair.server = std::move(accepted_.back());
    accepted_.clear();
    return pair;
  }

  Scratch scratch_;
  TestCa ca_;
  std::unique_ptr<Loop> loop_ = Loop::make().value();
  std::unique_ptr<RealNet> net_ = std::make_unique<RealNet>(*loop_);
  std::vector<std::unique_ptr<Stream>> accepted_;
  std::vector<AcceptFailure> failures_;
};

class EveryKind : public NetTest, public ::testing::WithParamInterface<Kind> {};

INSTANTIATE_TEST_SUITE_P(Net, EveryKind,
                         ::testing::Values(Kind::tcp4, Kind::tcp6, Kind::local, Kind::tls),
                         [](const auto& info) { return name_of(info.param); });

TEST_P(EveryKind, CarriesBytesBothWays) {
  Pair pair = make_pair(GetParam());
  Recorder client;
  Recorder server;
  pair.client->set_handler(&client);
  pair.server->set_handler(&server);
  server.hook = [&](const std::string& event) {
    if (event == "data" && server.data == "hello") pair.server->write("world");
  };
  client.inside_call = true;
  pair.client->write("hel");
  EXPECT_EQ(pair.client->unsent(), 3U);
  pair.client->write("lo");
  client.inside_call = false;
  EXPECT_TRUE(wait([&] { return client.data == "world"; }));
  EXPECT_EQ(server.data, "hello");
  EXPECT_EQ(pair.client->unsent(), 0U);
  EXPECT_EQ(client.drained, 1);
}

TEST_P(EveryKind, BytesWrittenBeforeTheHandlerIsSetArrive) {
  Pair pair = make_pair(GetParam());
  pair.client->write("early");
  settle();
  Recorder server;
  pair.server->set_handler(&server);
  EXPECT_TRUE(wait([&] { return server.data == "early"; }));
}

TEST_P(EveryKind, MuchDataArrivesWholeAndInOrderUnderPushBack) {
  Pair pair = make_pair(GetParam());
  std::string sent;
  for (int i = 0; sent.size() < size_t{24} * 1024 * 1024; ++i) sent += std::to_string(i) + ' ';
  Recorder client;
  Recorder server;
  pair.client->set_handler(&client);
  pair.server->set_handler(&server);
  pair.server->pause_reading(true);
  pair.client->write(sent);
  settle();
  EXPECT_GT(pair.client->unsent(), 0U);  // pushed back
  EXPECT_TRUE(server.data.empty());
  pair.server->pause_reading(false);
  EXPECT_TRUE(wait([&] { return server.data.size() == sent.size(); }, 30s));
  EXPECT_TRUE(server.data == sent);
  EXPECT_EQ(client.drained, 1);
  EXPECT_EQ(pair.client->unsent(), 0U);
}

TEST_P(EveryKind, CloseSendsTheRestThenEndsBothInOrder) {
  Pair pair = make_pair(GetParam());
  Recorder client;
  Recorder server;
  pair.client->set_handler(&client);
  pair.server->set_handler(&server);
  const std::string much(size_t{4} * 1024 * 1024, 'x');
  client.inside_call = true;
  pair.client->write(much);
  pair.client->close();
  pair.client->write("too late");
  client.inside_call = false;
  server.hook = [&](const std::string& event) {
    if (event == "closed") pair.server.reset();
  };
  ASSERT_TRUE(wait([&] { return server.closed && client.closed; }));
  EXPECT_TRUE(server.data == much);
  EXPECT_EQ(server.closed->code, Code::cancelled);
  EXPECT_EQ(server.closed->message, "closed by peer");
  EXPECT_EQ(client.closed->code, Code::cancelled);
}

TEST_P(EveryKind, CloseEndsEvenIfThePeerNeverAnswers) {
  Pair pair = make_pair(GetParam());
  Recorder client;
  pair.client->set_handler(&client);
  pair.client->write("bye");
  pair.client->close();  // the server has no handler: it reads nothing and does not close
  ASSERT_TRUE(wait([&] { return client.closed.has_value(); }, 5s));
  EXPECT_EQ(client.closed->code, Code::cancelled);
}

TEST_P(EveryKind, NoEventFollowsDestruction) {
  Pair pair = make_pair(GetParam());
  auto client = std::make_unique<Recorder>();
  Recorder server;
  pair.client->set_handler(client.get());
  pair.server->set_handler(&server);
  pair.server->write("data in flight");
  pair.client->write("this too");
  pair.client.reset();
  client.reset();  // an event now would be a use after free
  ASSERT_TRUE(wait([&] { return server.closed.has_value(); }));
}

TEST_P(EveryKind, AHandlerMayDestroyItsStreamInEveryEvent) {
  for (const std::string at : {"data", "drained", "closed"}) {
    SCOPED_TRACE(at);
    Pair pair = make_pair(GetParam());
    Recorder client;
    Recorder server;
    pair.client->set_handler(&client);
    pair.server->set_handler(&server);
    client.hook = [&](const std::string& event) {
      if (event == at) pair.client.reset();
    };
    server.hook = [&](const std::string& event) {
      if (event == "data") pair.server->close();
    };
    // Both directions at once: the destroying event has others queued behind it.
    pair.client->write("ping");
    pair.server->write(at == "drained" ? "" : "pong");
    EXPECT_TRUE(wait([&] { return pair.client == nullptr; }));
    ASSERT_TRUE(wait([&] { return server.closed.has_value(); }));
    accepted_.clear();
  }
}

TEST_P(EveryKind, AHandlerMayBeReplacedInsideAnEvent) {
  Pair pair = make_pair(GetParam());
  Recorder first;
  Recorder second;
  pair.client->set_handler(&first);
  first.hook = [&](const std::string&) { pair.client->set_handler(&second); };
  Recorder server;
  pair.server->set_handler(&server);
  pair.server->write("one");
  EXPECT_TRUE(wait([&] { return first.data == "one"; }));
  pair.server->write("two");
  EXPECT_TRUE(wait([&] { return second.data == "two"; }));
  EXPECT_EQ(first.data, "one");
}

TEST_P(EveryKind, PausedStreamKeepsBytesAndTheEndForLater) {
  Pair pair = make_pair(GetParam());
  Recorder server;
  pair.server->set_handler(&server);
  pair.server->pause_reading(true);
  pair.client->write("last words");
  settle();
  pair.client.reset();
  settle();
  EXPECT_TRUE(server.data.empty());
  EXPECT_FALSE(server.closed);
  pair.server->pause_reading(false);
  ASSERT_TRUE(wait([&] { return server.closed.has_value(); }));
  EXPECT_EQ(server.data, "last words");
}

TEST_P(EveryKind, TheEndWaitsForAHandler) {
  Pair pair = make_pair(GetParam());
  pair.client.reset();
  settle();
  Recorder server;
  pair.server->set_handler(&server);
  ASSERT_TRUE(wait([&] { return server.closed.has_value(); }));
}

TEST_P(EveryKind, ATurnsWritesLeaveTogetherAndAWriterInOnDrainedDoesNotHogTheLoop) {
  Pair pair = make_pair(GetParam());
  Recorder client;
  Recorder server;
  pair.client->set_handler(&client);
  pair.server->set_handler(&server);
  client.hook = [&](const std::string& event) {
    if (event == "drained" && client.drained < 1000) pair.client->write("x");
  };
  bool timer_fired = false;
  Timer timer;
  timer.after(*loop_, 0ms, [&] { timer_fired = true; });
  pair.client->write("x");
  EXPECT_TRUE(wait([&] { return timer_fired; }));
  EXPECT_LT(client.drained, 100);
  EXPECT_TRUE(wait([&] { return server.data.size() == 1000; }));
}

TEST_P(EveryKind, ManyConnectionsAtOnce) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  const size_t count = limit.rlim_max < 4200 ? limit.rlim_max / 2 - 100 : 2000;
  std::shared_ptr<Security> with;
  if (GetParam() == Kind::tls) with = security(ca_.config());
  const auto listener = listen(at(GetParam()), with);
  std::vector<std::unique_ptr<Connecting>> connecting;
  std::vector<std::unique_ptr<Stream>> clients;
  for (size_t i = 0; i < count; ++i) {
    connecting.push_back(
        net_->connect(listener->endpoint(), with, 60s, [&](Result<std::unique_ptr<Stream>> got) {
          ASSERT_TRUE(got) << got.error().text();
          clients.push_back(*std::move(got));
        }));
  }
  EXPECT_TRUE(wait([&] { return clients.size() == count && accepted_.size() == count; }, 60s));
  EXPECT_TRUE(failures_.empty());
  struct Echo final : StreamHandler {
    explicit Echo(Stream& s) : stream(s) {}
    void on_data(std::string_view bytes) override { stream.write(bytes); }
    void on_closed(const Error& /*why*/) override {}
    Stream& stream;
  };
  std::vector<std::unique_ptr<Echo>> echoes;
  std::vector<std::unique_ptr<Recorder>> recorders;
  for (auto& stream : accepted_) {
    echoes.push_back(std::make_unique<Echo>(*stream));
    stream->set_handler(echoes.back().get());
  }
  size_t heard = 0;
  for (auto& stream : clients) {
    recorders.push_back(std::make_unique<Recorder>());
    recorders.back()->hook = [&](const std::string& event) { heard += event == "data" ? 1 : 0; };
    stream->set_handler(recorders.back().get());
    stream->write("ping");
  }
  EXPECT_TRUE(wait([&] { return heard == count; }, 30s));
  accepted_.clear();
}

TEST_F(NetTest, DestroyingAConnectingCancelsIt) {
  const auto listener = listen(at(Kind::tcp4));
  bool called = false;
  auto connecting = net_->connect(listener->endpoint(), nullptr, 5s, [&](auto) { called = true; });
  connecting.reset();
  settle();
  EXPECT_FALSE(called);
}

TEST_F(NetTest, AConnectingMayBeDestroyedInItsCallback) {
  const auto listener = listen(at(Kind::tcp4));
  std::unique_ptr<Connecting> connecting;
  std::unique_ptr<Stream> stream;
  connecting =
      net_->connect(listener->endpoint(), nullptr, 5s, [&](Result<std::unique_ptr<Stream>> got) {
        connecting.reset();
        stream = std::move(got).value();
      });
  EXPECT_TRUE(wait([&] { return stream != nullptr; }));
}

TEST_F(NetTest, AListenerMayBeDestroyedInItsCallback) {
  for (const bool tls : {false, true}) {
    std::shared_ptr<Security> with;
    if (tls) with = security(ca_.config());
    std::unique_ptr<Listener> listener;
    bool accepted = false;
    listener = net_->listen(
                       at(Kind::tcp4), [with] { return with; },
                       [&](Accepted got) {
                         EXPECT_TRUE(got);
                         listener.reset();
                         accepted = true;
                       })
                   .value();
    const Endpoint where = listener->endpoint();
    const auto first = net_->connect(where, with, 5s, [](auto) {});
    const auto second = net_->connect(where, with, 5s, [](auto) {});
    EXPECT_TRUE(wait([&] { return accepted; }));
    EXPECT_EQ(listener, nullptr);
  }
}

TEST_F(NetTest, RefusedConnectionSaysWhere) {
  Endpoint gone;
  {
    const auto listener = listen(at(Kind::tcp4));
    gone = listener->endpoint();
  }
  const auto stream = connect(gone);
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().code, Code::unreachable);
  EXPECT_EQ(stream.error().text(), "connecting to " + gone.text() + ": Connection refused");
}

TEST_F(NetTest, LeavesFromTheAddressThatIsChosen) {
  const auto listener = listen(at(Kind::tcp4));
  net_->connect_from(InetAddress::v4(0x7f000002));
  const auto client = connect(listener->endpoint());
  ASSERT_TRUE(client) << client.error().text();
  ASSERT_TRUE(wait([&] { return !accepted_.empty(); }));
  EXPECT_TRUE(accepted_.back()->peer().address.starts_with("127.0.0.2:"));

  net_->connect_from(InetAddress::v4(0xc0000201));  // 192.0.2.1, which no host has
  const auto none = connect(listener->endpoint());
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().text().find("leaving from 192.0.2.1"), std::string::npos);
}

TEST_F(NetTest, ResolvesNamesAndTriesEachAddress) {
  // "localhost" is 127.0.0.1 and, where IPv6 is configured, ::1; only one of them listens.
  const auto listener = listen(at(Kind::tcp4));
  const auto stream = connect({"localhost", listener->endpoint().port, ""});
  ASSERT_TRUE(stream) << stream.error().text();
  EXPECT_TRUE((*stream)->peer().address.starts_with("127.0.0.1:"));
}

TEST_F(NetTest, UnknownNameIsToldInWords) {
  const auto stream = connect({"no-such-host.invalid", 1, ""});
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().code, Code::unreachable);
  EXPECT_NE(stream.error().text().find("cannot resolve \"no-such-host.invalid\""),
            std::string::npos);
}

TEST_F(NetTest, APortInUseIsToldInWords) {
  const auto first = listen(at(Kind::tcp4));
  const auto second = net_->listen(first->endpoint(), {}, [](auto) {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::already_exists);
}

TEST_F(NetTest, AConnectionCutByTheKernelIsUnreachable) {
  Pair pair = make_pair(Kind::tcp4);
  Recorder server;
  pair.server->set_handler(&server);
  // Unread bytes make the kernel answer with RST when the socket is closed.
  pair.server->write("never read");
  settle();
  pair.client.reset();
  ASSERT_TRUE(wait([&] { return server.closed.has_value(); }));
  EXPECT_EQ(server.closed->code, Code::unreachable);
}

// --- Unix sockets ---

TEST_F(NetTest, UnixPeersAreKnownByTheKernel) {
  Pair pair = make_pair(Kind::local);
  for (const Stream* stream : {pair.client.get(), pair.server.get()}) {
    ASSERT_TRUE(stream->peer().local);
    EXPECT_EQ(stream->peer().local->uid, ::getuid());
    EXPECT_EQ(stream->peer().local->gid, ::getgid());
    EXPECT_EQ(stream->peer().local->pid, ::getpid());
  }
}

TEST_F(NetTest, UnixListenerReplacesAStaleFileOnly) {
  const Endpoint where = at(Kind::local);
  {  // what a killed daemon leaves behind: a socket file that nobody listens on
    const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    where.unix_path.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ASSERT_TRUE(std::filesystem::exists(where.unix_path));
  auto listener = listen(where);
  struct stat info{};
  ASSERT_EQ(::stat(where.unix_path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0666U);
  EXPECT_TRUE(connect(where));
  const auto second = net_->listen(where, {}, [](auto) {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::already_exists);
  EXPECT_TRUE(connect(where)) << "the refused second listener must not take the first one's file";
  listener.reset();
  EXPECT_FALSE(std::filesystem::exists(where.unix_path));
}

TEST_F(NetTest, UnixListenerLeavesOrdinaryFilesAndSuccessorsAlone) {
  const std::string file = scratch_.path("file");
  std::ofstream(file) << "precious";
  const auto refused = net_->listen({"", 0, file}, {}, [](auto) {});
  ASSERT_FALSE(refused);
  EXPECT_TRUE(std::filesystem::exists(file));

  auto old = listen(at(Kind::local));
  const std::string path = old->endpoint().unix_path;
  std::filesystem::remove(path);
  const auto successor = listen(at(Kind::local));
  old.reset();
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST_F(NetTest, UnixModeIsSettable) {
  RealNet strict(*loop_, {.unix_mode = 0600});
  const auto listener = strict.listen(at(Kind::local), {}, [](auto) {});
  ASSERT_TRUE(listener);
  struct stat info{};
  ASSERT_EQ(::stat(at(Kind::local).unix_path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

// --- running out of descriptors ---

TEST_F(NetTest, OutOfDescriptorsIsToldOnceAndHealsWithoutSpinning) {
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
  GTEST_SKIP() << "the sanitizer needs a descriptor of its own for each new type that it meets";
#endif
#endif
  const auto listener = listen(at(Kind::tcp4));
  Recorder silent;
  std::unique_ptr<Stream> client;
  const auto connecting =
      net_->connect(listener->endpoint(), nullptr, 5s,
                    [&](Result<std::unique_ptr<Stream>> got) { client = std::move(got).value(); });
  std::vector<UniqueFd> hogs;
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  loop_->post([&] {  // right after connect() has got its descriptor
    rlimit low = before;
    low.rlim_cur = 0;
    ::setrlimit(RLIMIT_NOFILE, &low);
  });
  int turns = 0;
  wait([&] { return ++turns < 0 || !failures_.empty(); }, 2s);
  const int before_pause = turns;
  wait([&] { return ++turns < 0; }, 250ms);
  EXPECT_LT(turns - before_pause, 50);  // a spinning loop makes tens of thousands
  ::setrlimit(RLIMIT_NOFILE, &before);
  ASSERT_EQ(failures_.size(), 1U);
  EXPECT_EQ(failures_[0].error.code, Code::exhausted);
  EXPECT_TRUE(wait([&] { return accepted_.size() == 1; }));
}

}  // namespace
}  // namespace drover::net
