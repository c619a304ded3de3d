// One file on its way to one client by TFTP: fed with the client's packets and the time, it yields
// packets to send. No sockets, no clock, no copies of the file's bytes.
#pragma once

#include "base/clock.hpp"
#include "boot/tftp/packet.hpp"

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace drover::boot::tftp {

/// A file in memory, and what keeps it there.
struct File {
  std::string_view bytes;
  std::shared_ptr<const void> keep;
};

/// Between whom a request went: addresses without ports, empty where they are not known.
struct Asker {
  std::string client;
  std::string server;
};

/// What is served. `path` is a contained_path().
class Files {
 public:
  Files() = default;
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;
  virtual ~Files() = default;
  [[nodiscard]] virtual std::optional<File> find(std::string_view path) const = 0;
  /// What is made for the one that asks, beside what is there for all.
  [[nodiscard]] virtual std::optional<File> find_for(std::string_view path,
                                                     const Asker& /*asker*/) const {
    return find(path);
  }
};

struct Limits {
  /// One Ethernet frame: 1500 bytes less IP, UDP and TFTP headers. Fragments are lost together.
  uint16_t block_size = 1468;
  uint16_t window_size = 64;
  Duration first_wait = std::chrono::seconds(1);  ///< without the client's `timeout`
  Duration longest_wait = std::chrono::seconds(8);
  int tries = 6;  ///< sendings of one window before the client is given up
  size_t most_netascii = size_t{1024} * 1024;  ///< bytes; larger files are no text
};

/// How a transfer stands or ended.
enum class Progress : uint8_t {
  running,
  complete,     ///< all of it was acknowledged
  unconfirmed,  ///< all of it was sent; the last acknowledgement did not come
  probed,       ///< the client only asked for the size (EDK2: ERROR 8 after the OACK): normal
  aborted,      ///< the client gave up; message() says why
  silent,       ///< no answer after Limits::tries
};
std::string_view name(Progress progress);

/// A packet to send: `head`, then `body`, which points into the file.
struct Outgoing {
  std::array<char, 96> head{};
  size_t head_size = 0;
  std::string_view body;
  [[nodiscard]] std::string_view head_view() const { return {head.data(), head_size}; }
};

/// Serves one read request. Feed it, then call next() until it says there is no more for now, and
/// again at deadline(). One thread.
class Transfer {
 public:
  Transfer(const ReadRequest& request, File file, const Limits& limits, MonoTime now);
  Transfer(const Transfer&) = delete;  // packets point into it
  Transfer& operator=(const Transfer&) = delete;

  /// Puts the next packet that is due into `out`. False when none is, for now.
  bool next(Outgoing& out);
  /// A packet of the client, sent to this transfer's port. Anything else than an acknowledgement
  /// that moves it on, a report of loss, or an error is ignored.
  void receive(std::string_view packet, MonoTime now);
  /// The time came: what is unacknowledged is sent again, or the client given up.
  void tick(MonoTime now);

  [[nodiscard]] Progress progress() const { return progress_; }
  [[nodiscard]] MonoTime deadline() const { return deadline_; }
  /// Bytes of the file that were acknowledged, and all there are (after netascii).
  [[nodiscard]] uint64_t acknowledged() const;
  [[nodiscard]] uint64_t size() const { return bytes_.size(); }
  [[nodiscard]] uint64_t resent() const { return resent_; }
  [[nodiscard]] const std::string& message() const { return message_; }
  [[nodiscard]] uint16_t block_size() const { return block_size_; }
  [[nodiscard]] uint16_t window_size() const { return window_size_; }

 private:
  void acknowledge(uint16_t number, MonoTime now);
  void go_back();
  void negotiate(const ReadRequest& request, const Limits& limits);
  [[nodiscard]] uint64_t last_block() const { return bytes_.size() / block_size_ + 1; }

  File file_;
  std::string converted_;   ///< netascii form, where that was asked for
  std::string_view bytes_;  ///< what is sent: of the file, or converted_
  std::string options_;     ///< the OACK without its opcode; empty when nothing was negotiated
  uint16_t block_size_ = 512;
  uint16_t window_size_ = 1;
  Duration first_wait_;
  Duration longest_wait_;
  int tries_;

  bool offering_ = false;  ///< the OACK was not acknowledged yet
  bool send_offer_ = false;
  uint64_t acked_ = 0;      ///< blocks; numbers on the wire are the low 16 bits
  uint64_t next_ = 1;       ///< the block that next() gives
  uint64_t sent_ = 0;       ///< the highest block given so far
  bool went_back_ = false;  ///< since the last progress: one report of loss counts, not each
  int tried_ = 1;
  Duration wait_;
  MonoTime deadline_;
  uint64_t resent_ = 0;
  Progress progress_ = Progress::running;
  std::string message_;
};

/// What a first packet led to: a transfer, or a refusal with the ERROR to send.
struct Opening {
  std::string path;  ///< as far as it was read, for the log
  std::unique_ptr<Transfer> transfer;
  std::optional<Refusal> refusal;
  /// Of the ERROR in `out`, to be sent from the port asked; 0 for silence.
  size_t error_size = 0;
};

/// Takes the first packet of a client.
Opening open(std::string_view packet, const Files& files, const Limits& limits, MonoTime now,
             std::span<char> out, const Asker& asker = {});

/// `bytes` with line ends and carriage returns as netascii has them (RFC 764).
std::string to_netascii(std::string_view bytes);

}  // namespace drover::boot::tftp
