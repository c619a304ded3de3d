// RealStream: a Stream over a Transport and the loop.
#pragma once

#include "net/file_sender.hpp"
#include "net/loop.hpp"
#include "net/net.hpp"
#include "net/transport.hpp"

#include <memory>
#include <optional>
#include <string>

namespace drover::net {

class RealNet;

/// Holds no buffer while idle: reading goes through the net's shared buffer, and unsent bytes live
/// in storage that is taken from the net and given back. All events come from the loop or from the
/// end of its turn, never from inside a call into the stream.
class RealStream final : public Stream, public FileSender, private FdHandler {
 public:
  /// `watch` is the transport's, active or not.
  RealStream(RealNet& net, std::unique_ptr<Transport> transport, Loop::Watch watch, Peer peer);
  ~RealStream() override;

  void set_handler(StreamHandler* handler) override;
  void write(std::string_view bytes) override;
  bool send_file(int fd, uint64_t offset, uint64_t length) override;
  [[nodiscard]] size_t unsent() const override { return queued() + (file_ ? file_->left : 0); }
  void close() override;
  void pause_reading(bool paused) override;
  [[nodiscard]] const Peer& peer() const override { return peer_; }

  /// The net's, at the end of a turn: flush, read what is buffered, tell what is due.
  void attend();
  void set_place(size_t place) { place_ = place; }

 private:
  static constexpr size_t kNowhere = ~size_t{0};
  class Guard;

  /// What send_file() was given and is not sent.
  struct FileRange {
    int fd = -1;
    uint64_t offset = 0;
    uint64_t left = 0;
  };

  void on_fd(uint32_t events) override;
  [[nodiscard]] size_t queued() const { return out_.size() - out_sent_; }
  void ask_attention();
  void update_watch();
  [[nodiscard]] bool reading() const {
    return !dead_ && (closing_ || (handler_ != nullptr && !paused_));
  }
  // Each of these may run a handler; false when the stream was destroyed in there.
  bool flush();
  bool read_some();
  bool hung_up();
  bool die(Error why);

  void write_out();
  void send_some_of_file();
  void finish_closing();
  void arm_close_limit(Duration limit, std::string why);

  RealNet& net_;
  std::unique_ptr<Transport> transport_;  ///< null once dead
  Loop::Watch watch_;
  Peer peer_;
  StreamHandler* handler_ = nullptr;
  std::string out_;
  size_t out_sent_ = 0;
  /// Behind out_; null for nearly all, nearly always. Kept at an end, to tell what was not sent.
  std::unique_ptr<FileRange> file_;
  size_t place_ = kNowhere;         ///< on the net's list of streams to attend
  bool* destroyed_ = nullptr;       ///< set while a handler may run
  std::unique_ptr<Error> verdict_;  ///< how it ended, while there is nobody to tell
  std::unique_ptr<Error> write_error_;
  Timer close_limit_;
  bool paused_ = false;
  bool blocked_ = false;  ///< the socket takes no more for now
  bool hung_up_ = false;  ///< out of the epoll set, with bytes left to read
  bool closing_ = false;
  bool finished_ = false;  ///< our end of the stream was sent
  bool dead_ = false;
};

}  // namespace drover::net
