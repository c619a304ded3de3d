#include "hardware/console/socket_line.hpp"

#include <utility>

#include <fmt/format.h>

namespace drover::hardware {
namespace {

constexpr Duration kConnect = std::chrono::seconds(10);

class SocketLine final : public ConsoleLine, private net::StreamHandler {
 public:
  SocketLine(net::Net& net, std::string path, ConsoleLineEvents events)
      : path_(std::move(path)),
        events_(std::make_shared<ConsoleLineEvents>(std::move(events))),
        connecting_(net.connect(net::Endpoint{{}, 0, path_}, nullptr, kConnect,
                                [this](Result<std::unique_ptr<net::Stream>> stream) {
                                  // Dropped at the end: this runs inside it.
                                  const auto connecting = std::move(connecting_);
                                  connected(std::move(stream));
                                })) {}

  void write(std::string_view bytes) override {
    if (stream_) stream_->write(bytes);
  }
  [[nodiscard]] size_t unsent() const override { return stream_ ? stream_->unsent() : 0; }
  Status send_break() override {
    return fail(Code::unsupported, "a console behind a socket has no break",
                "on a Linux console: echo KEY > /proc/sysrq-trigger");
  }
  void pause(bool paused) override {
    if (stream_) stream_->pause_reading(paused);
  }

 private:
  void connected(Result<std::unique_ptr<net::Stream>> stream) {
    const auto events = events_;  // outlives this line, which may be destroyed in there
    if (!stream) return events->on_closed(fail_in(path_, std::move(stream).error()).value());
    stream_ = *std::move(stream);
    stream_->set_handler(this);
    events->on_open({"socket", path_});
  }
  void on_data(std::string_view bytes) override {
    const auto events = events_;
    events->on_bytes(bytes);
  }
  void on_closed(const Error& why) override {
    const auto events = events_;
    events->on_closed({why.code == Code::cancelled ? Code::unreachable : why.code,
                       fmt::format("{}: {}", path_, why.text()),
                       {},
                       why.next});
  }

  std::string path_;
  std::shared_ptr<ConsoleLineEvents> events_;
  std::unique_ptr<net::Connecting> connecting_;
  std::unique_ptr<net::Stream> stream_;
};

}  // namespace

std::unique_ptr<ConsoleLine> dial_socket(net::Net& net, const std::string& path,
                                         ConsoleLineEvents events) {
  return std::make_unique<SocketLine>(net, path, std::move(events));
}

}  // namespace drover::hardware
