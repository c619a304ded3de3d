// TFTP by RFC: 1350 (transfer), 2347 to 2349 (options), 7440 (windows), and clients as they are.
#include "boot/test_support.hpp"
#include "boot/tftp/transfer.hpp"

#include <functional>
#include <random>
#include <vector>

namespace drover::boot::tftp {
namespace {

using namespace std::string_literals;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr MonoTime kStart{seconds(1000)};

std::string rrq(std::string_view file, std::string_view mode = "octet",
                const std::vector<std::string>& options = {}) {
  std::string out = "\0\1"s + std::string(file) + '\0' + std::string(mode) + '\0';
  for (const std::string& option : options) out += option + '\0';
  return out;
}
std::string ack(uint64_t block) {
  return "\0\4"s + static_cast<char>(block >> 8 & 0xff) + static_cast<char>(block & 0xff);
}
std::string error(uint16_t code, std::string_view message) {
  std::array<char, 100> space{};
  return {space.data(), write_error(space, static_cast<ErrorCode>(code), message)};
}
std::string pattern(size_t size) {
  std::string out(size, '\0');
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<char>(i * 7 + i / 251);
  return out;
}

struct Memory final : Files {
  [[nodiscard]] std::optional<File> find(std::string_view path) const override {
    if (path != "boot/file") return {};
    return File{*content, content};
  }
  std::shared_ptr<std::string> content = std::make_shared<std::string>(pattern(2000));
};

struct TftpTest : testing::Test {
  std::string bytes_of(Transfer& transfer) {
    Outgoing packet;
    if (!transfer.next(packet)) return {};
    return std::string(packet.head_view()) + std::string(packet.body);
  }
  /// Numbers of the blocks that are due.
  std::vector<int> blocks(Transfer& transfer) {
    std::vector<int> all;
    for (std::string packet = bytes_of(transfer); !packet.empty(); packet = bytes_of(transfer)) {
      EXPECT_EQ(packet.substr(0, 2), "\0\3"s);
      all.push_back(static_cast<unsigned char>(packet[2]) << 8 |
                    static_cast<unsigned char>(packet[3]));
    }
    return all;
  }
  std::unique_ptr<Transfer> start(const std::string& packet) {
    Opening opening = open(packet, files, limits, kStart, out);
    EXPECT_FALSE(opening.refusal) << text(*opening.refusal);
    return std::move(opening.transfer);
  }
  std::pair<Refusal, std::string> refused(const std::string& packet) {
    const Opening opening = open(packet, files, limits, kStart, out);
    EXPECT_EQ(opening.transfer, nullptr);
    EXPECT_TRUE(opening.refusal);
    return {opening.refusal.value_or(Refusal::malformed), {out.data(), opening.error_size}};
  }

  Memory files;
  Limits limits;
  std::array<char, 512> out{};
};

TEST_F(TftpTest, LockStep) {  // RFC 1350 section 2
  const auto transfer = start(rrq("boot/file"));
  std::string got;
  for (uint64_t block = 1; block <= 4; ++block) {
    const std::string packet = bytes_of(*transfer);
    EXPECT_EQ(packet.substr(0, 4), "\0\3\0"s + static_cast<char>(block));
    EXPECT_EQ(bytes_of(*transfer), "") << "one at a time";
    got += packet.substr(4);
    transfer->receive(ack(block), kStart);
  }
  EXPECT_EQ(got, *files.content);
  EXPECT_EQ(transfer->progress(), Progress::complete);
  EXPECT_EQ(transfer->acknowledged(), 2000U);
  EXPECT_EQ(transfer->resent(), 0U);
}

TEST_F(TftpTest, EndsWithAnEmptyBlockAtAFullMultiple) {
  *files.content = pattern(1024);
  const auto transfer = start(rrq("boot/file"));
  transfer->receive(ack(1), kStart);
  EXPECT_EQ(blocks(*transfer), (std::vector<int>{1})) << "an ACK of what was not sent is nothing";
  transfer->receive(ack(1), kStart);
  (void)bytes_of(*transfer);
  transfer->receive(ack(2), kStart);
  EXPECT_EQ(bytes_of(*transfer), "\0\3\0\3"s);
  transfer->receive(ack(3), kStart);
  EXPECT_EQ(transfer->progress(), Progress::complete);

  files.content->clear();
  const auto empty = start(rrq("boot/file"));
  EXPECT_EQ(bytes_of(*empty), "\0\3\0\1"s);
}

TEST_F(TftpTest, AnswersNoDuplicateTwice) {  // RFC 1123 section 4.2.3.1
  const auto transfer = start(rrq("boot/file"));
  (void)blocks(*transfer);
  transfer->receive(ack(1), kStart);
  EXPECT_EQ(blocks(*transfer), (std::vector<int>{2}));
  transfer->receive(ack(1), kStart);
  transfer->receive(ack(1), kStart);
  EXPECT_EQ(blocks(*transfer), (std::vector<int>{}));
}

TEST_F(TftpTest, SendsAgainMoreAndMoreSeldomThenGivesUp) {
  const auto transfer = start(rrq("boot/file"));
  (void)blocks(*transfer);
  MonoTime now = kStart;
  std::vector<int64_t> waits;
  while (transfer->progress() == Progress::running && waits.size() < 100) {
    waits.push_back((transfer->deadline() - now) / seconds(1));
    transfer->tick(transfer->deadline() - milliseconds(1));
    EXPECT_EQ(blocks(*transfer), (std::vector<int>{})) << "not before its time";
    now = transfer->deadline();
    transfer->tick(now);
    if (transfer->progress() == Progress::running) {
      EXPECT_EQ(blocks(*transfer), (std::vector<int>{1}));
    }
  }
  EXPECT_EQ(waits, (std::vector<int64_t>{1, 2, 4, 8, 8, 8}));
  EXPECT_EQ(transfer->progress(), Progress::silent);
  EXPECT_EQ(transfer->resent(), 5U);
  EXPECT_FALSE(transfer->next(*std::make_unique<Outgoing>()));
}

TEST_F(TftpTest, ALostLastAcknowledgementIsNoFailure) {
  *files.content = "short";
  limits.tries = 1;
  const auto transfer = start(rrq("boot/file"));
  (void)blocks(*transfer);
  transfer->tick(transfer->deadline());
  EXPECT_EQ(transfer->progress(), Progress::unconfirmed);
}

TEST_F(TftpTest, OptionsAreAnsweredInTheirOrder) {  // RFC 2347 to 2349, 7440
  const auto transfer = start(
      rrq("boot/file", "OCTET",
          {"TSIZE", "0", "blksize", "1024", "nonsense", "7", "timeout", "3", "windowsize", "4"}));
  EXPECT_EQ(bytes_of(*transfer), "\0\6tsize\0"s + "2000\0"s + "blksize\0"s + "1024\0"s +
                                     "timeout\0"s + "3\0"s + "windowsize\0"s + "4\0"s);
  EXPECT_EQ(blocks(*transfer), (std::vector<int>{})) << "first the ACK of block 0";
  EXPECT_EQ(transfer->deadline(), kStart + seconds(3));
  transfer->tick(kStart + seconds(3));
  EXPECT_EQ(bytes_of(*transfer).substr(0, 2), "\0\6"s) << "the OACK again";
  transfer->receive(ack(1), kStart);
  EXPECT_EQ(blocks(*transfer), (std::vector<int>{}));
  transfer->receive(ack(0), kStart);
  EXPECT_EQ(blocks(*transfer), (std::vector<int>{1, 2}));
  transfer->receive(ack(2), kStart);
  EXPECT_EQ(transfer->progress(), Progress::complete);
}

TEST_F(TftpTest, OptionsBeyondReasonAreLimitedOrLeftOut) {
  const auto oack = [&](const std::vector<std::string>& options) {
    return bytes_of(*start(rrq("boot/file", "octet", options)));
  };
  EXPECT_EQ(oack({"blksize", "65464"}), "\0\6blksize\0"s + "1468\0"s);
  EXPECT_EQ(oack({"blksize", "70000"}), "\0\6blksize\0"s + "1468\0"s);
  EXPECT_EQ(oack({"blksize", "8"}), "\0\6blksize\0"s + "8\0"s);
  EXPECT_EQ(oack({"windowsize", "65535"}), "\0\6windowsize\0"s + "64\0"s);
  EXPECT_EQ(oack({"tsize", "what"}), "\0\6tsize\0"s + "2000\0"s);
  EXPECT_EQ(oack({"blksize", "512", "blksize", "1024"}), "\0\6blksize\0"s + "512\0"s);
  for (const std::vector<std::string>& nonsense :
       std::vector<std::vector<std::string>>{{"blksize", "7"},
                                             {"blksize", "-1"},
                                             {"blksize", ""},
                                             {"timeout", "0"},
                                             {"timeout", "256"},
                                             {"windowsize", "0"},
                                             {"windowsize", "4x"},
                                             {"blksize"}}) {
    EXPECT_EQ(oack(nonsense).substr(0, 4), "\0\3\0\1"s) << nonsense[0] << ": plain data then";
  }
}

TEST_F(TftpTest, ASizeProbeIsANormalEnd) {  // what EDK2 and iPXE do
  const auto probe = start(rrq("boot/file", "octet", {"tsize", "0", "blksize", "1468"}));
  (void)bytes_of(*probe);
  probe->receive(boot::test::corpus("tftp", "edk2_abort"), kStart);
  EXPECT_EQ(probe->progress(), Progress::probed);
  EXPECT_EQ(probe->message(), "User aborted the transfer");

  const auto failed = start(rrq("boot/file", "octet", {"tsize", "0"}));
  (void)bytes_of(*failed);
  failed->receive(error(3, "disk full"), kStart);
  EXPECT_EQ(failed->progress(), Progress::aborted);
  const auto later = start(rrq("boot/file"));
  (void)blocks(*later);
  later->receive(error(0, "stopped"), kStart);
  EXPECT_EQ(later->progress(), Progress::aborted);
  EXPECT_EQ(blocks(*later), (std::vector<int>{}));
}

TEST_F(TftpTest, Windows) {  // RFC 7440 section 4
  *files.content = pattern(size_t{512} * 10);
  const auto transfer = start(rrq("boot/file", "octet", {"windowsize", "4"}));
  (void)bytes_of(*transfer);
  transfer->receive(ack(0), kStart);
  EXPECT_EQ(blocks(*transfer), (std::vector<int>{1, 2, 3, 4}));
  transfer->receive(ack(4), kStart);
  EXPECT_EQ(blocks(*transfer), (std::vector<int>{5, 6, 7, 8}));
  transfer->receive(ack(6), kStart);
  EXPECT_EQ(blocks(*transfer), (std::vector<int>{7, 8, 9, 10})) << "7 was lost";
  transfer->receive(ack(6), kStart);
  EXPECT_EQ(blocks(*transfer), (std::vector<int>{7, 8, 9, 10})) << "and once more";
  transfer->receive(ack(6), kStart);
  EXPECT_EQ(blocks(*transfer), (std::vector<int>{})) << "but no storm";
  transfer->tick(transfer->deadline());
  EXPECT_EQ(blocks(*transfer), (std::vector<int>{7, 8, 9, 10}));
  transfer->receive(ack(3), kStart);
  EXPECT_EQ(blocks(*transfer), (std::vector<int>{})) << "an old acknowledgement is nothing";
  transfer->receive(ack(10), kStart);
  EXPECT_EQ(blocks(*transfer), (std::vector<int>{11}));
  transfer->receive(ack(11), kStart);
  EXPECT_EQ(transfer->progress(), Progress::complete);
}

TEST_F(TftpTest, NetasciiIsConverted) {
  *files.content = "one\ntwo\rthree\r\n";
  const auto transfer = start(rrq("boot/file", "NetASCII", {"tsize", "0"}));
  EXPECT_EQ(transfer->size(), 19U);
  (void)bytes_of(*transfer);
  transfer->receive(ack(0), kStart);
  EXPECT_EQ(bytes_of(*transfer).substr(4), "one\r\ntwo\r\0three\r\0\r\n"s);
  limits.most_netascii = 3;
  EXPECT_EQ(refused(rrq("boot/file", "netascii")).first, Refusal::too_large);
}

TEST_F(TftpTest, Refusals) {
  EXPECT_EQ(refused(rrq("nosuch")), std::pair(Refusal::not_found, error(1, "file not found")));
  EXPECT_EQ(refused(boot::test::corpus("tftp", "traversal")).second, error(2, "path not allowed"));
  EXPECT_EQ(refused(boot::test::corpus("tftp", "write")).second,
            error(2, "this server is read-only"));
  EXPECT_EQ(refused(rrq("boot/file", "mail")).first, Refusal::unknown_mode);
  EXPECT_EQ(refused(rrq("")).first, Refusal::malformed);
  EXPECT_EQ(refused("\0\1boot/file"s).first, Refusal::malformed);
  EXPECT_EQ(refused("\0\1boot/file\0octet"s).first, Refusal::malformed);
  EXPECT_EQ(refused(rrq(std::string(600, 'x'))).first, Refusal::too_long);
  EXPECT_EQ(refused(ack(4)), std::pair(Refusal::not_request, ""s)) << "no answer to strays";
  EXPECT_EQ(refused("\0"s), std::pair(Refusal::not_request, ""s));
  EXPECT_EQ(refused(error(1, "x")), std::pair(Refusal::not_request, ""s))
      << "never an error for an error";
}

TEST(TftpPathTest, StaysInside) {
  const std::pair<const char*, const char*> good[] = {
      {"ipxe.efi", "ipxe.efi"},
      {"/ipxe.efi", "ipxe.efi"},
      {"\\EFI\\BOOT\\grubx64.efi", "EFI/BOOT/grubx64.efi"},
      {"//a///b/", "a/b"},
      {"./a/./b", "a/b"},
      {"a/..b/c..", "a/..b/c.."},
      {"/boot\\x", "boot/x"},
      {"...", "..."},
      {"a b", "a b"},
  };
  for (const auto& [path, inside] : good) EXPECT_EQ(contained_path(path), inside) << path;
  for (const auto* bad : {"", "/", ".", "..", "../x", "a/../../x", "a\\..\\x", "/..", "a/..",
                          "C:\\boot\\x", "c:/x", "a/c:/x", "a\nb", "a\x7f", "\x01"}) {
    EXPECT_FALSE(contained_path(bad)) << bad;
  }
  EXPECT_TRUE(contained_path(std::string(255, 'x')));
  EXPECT_FALSE(contained_path(std::string(256, 'x')));
}

TEST(TftpPacketTest, ReadsWhatRealClientsSend) {
  const auto read = [](std::string_view file) {
    static std::string bytes;
    bytes = boot::test::corpus("tftp", file);
    auto request = read_request(bytes);
    EXPECT_TRUE(request) << file;
    return request.value_or(ReadRequest{});
  };
  const ReadRequest edk2 = read("edk2_probe");
  EXPECT_EQ(edk2.file, "snponly.efi");
  EXPECT_EQ(edk2.order, "sbw");
  EXPECT_EQ(edk2.block_size, 1468);
  EXPECT_EQ(edk2.window_size, 4);
  EXPECT_EQ(read("ipxe_rom").order, "bs");
  EXPECT_EQ(read("busybox").order, "sb");
  EXPECT_EQ(read("atftp_timeout").timeout, 6);
  EXPECT_EQ(read("plain").order, "");
  EXPECT_TRUE(read("netascii").netascii);
}

/// A receiver as RFC 7440 section 3 describes it.
struct Receiver {
  size_t block_size;
  size_t window;
  std::string got;
  uint64_t expected = 1;
  size_t in_window = 0;
  bool done = false;

  /// What it answers, if anything.
  std::optional<std::string> take(std::string_view packet) {
    if (packet[1] == 6) return ack(0);
    const auto number = static_cast<uint16_t>(static_cast<unsigned char>(packet[2]) << 8 |
                                              static_cast<unsigned char>(packet[3]));
    if (done || number != static_cast<uint16_t>(expected)) {
      in_window = 0;
      return ack(expected - 1);
    }
    ++expected;
    got += packet.substr(4);
    done = packet.size() < block_size + 4;
    if (++in_window < window && !done) return {};
    in_window = 0;
    return ack(expected - 1);
  }
};

/// Sends a file over a path that loses and doubles packets of both directions. What was sent again.
uint64_t deliver(size_t size, size_t block, size_t window, uint32_t loss_percent, uint32_t seed) {
  Memory files;
  *files.content = pattern(size);
  Limits limits;
  limits.tries = 50;
  std::array<char, 512> space{};
  Opening opening =
      open(rrq("boot/file", "octet",
               {"blksize", std::to_string(block), "windowsize", std::to_string(window)}),
           files, limits, kStart, space);
  Transfer& transfer = *opening.transfer;
  Receiver receiver{block, window, {}};
  std::minstd_rand lots(seed);
  const auto lost = [&] { return lots() % 100 < loss_percent; };
  MonoTime now = kStart;
  Outgoing out;
  while (transfer.progress() == Progress::running) {
    std::vector<std::string> answers;
    while (transfer.next(out)) {
      const std::string packet = std::string(out.head_view()) + std::string(out.body);
      for (int copy = lost() ? 2 : 1; copy > 0; --copy) {
        if (lost()) continue;
        if (auto answer = receiver.take(packet)) answers.push_back(std::move(*answer));
      }
    }
    for (const std::string& answer : answers) {
      if (!lost()) transfer.receive(answer, now);
    }
    now += milliseconds(100);
    transfer.tick(now);
  }
  EXPECT_TRUE(receiver.done);
  EXPECT_EQ(receiver.got == *files.content, true) << "seed " << seed;
  return transfer.resent();
}

TEST(TftpDeliveryTest, EveryWindowThroughLoss) {
  for (const size_t window : {1, 2, 4, 16, 64}) {
    EXPECT_EQ(deliver(100'000, 512, window, 0, 1), 0U) << "nothing is sent twice without need";
    for (uint32_t seed = 1; seed <= 10; ++seed) deliver(100'000, 512, window, 10, seed);
    deliver(20'000, 100, window, 40, 7);
  }
}

TEST(TftpDeliveryTest, BlockNumbersRollOver) {
  for (const size_t window : {1, 64}) {
    EXPECT_EQ(deliver(8 * 140'000 + 3, 8, window, 0, 1), 0U);
    deliver(size_t{8} * 70'000, 8, window, 2, 3);
  }
}

}  // namespace
}  // namespace drover::boot::tftp
