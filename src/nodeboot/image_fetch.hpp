// Brings a file over HTTP to where it is to be, and proves it by its SHA-256 while it comes.
#pragma once

#include "net/http/http_client.hpp"
#include "nodeboot/command_line.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace drover::nodeboot {

/// Where the bytes go. Real form: nodeboot/image_file.
class ImageSink {
 public:
  ImageSink() = default;
  ImageSink(const ImageSink&) = delete;
  ImageSink& operator=(const ImageSink&) = delete;
  virtual ~ImageSink() = default;
  /// Begins anew, with nothing.
  virtual Status begin() = 0;
  virtual Status add(std::string_view bytes) = 0;
  /// All is there: its SHA-256, 64 hex digits.
  virtual Result<std::string> finish() = 0;
  /// Path of the file.
  [[nodiscard]] virtual std::string path() const = 0;
};

/// What is fetched.
struct Source {
  net::Endpoint from;
  std::string target;  ///< path and query
  std::string sha256;  ///< that it must have; empty: any
  std::string what = "image";

  /// A part of an image, by its content; `command.http` is set.
  static Source blob(const BootCommand& command, const std::string& sha256);
};

/// One file; what was cut off goes on where it stopped. Executor's thread only.
class ImageFetch {
 public:
  struct Events {
    Callback<void(uint64_t done, uint64_t total)> on_progress;  ///< at most every 250 ms
    Callback<void(Status)> on_end;                              ///< once; corrupt: not the image
  };
  /// The seams outlive this.
  ImageFetch(Executor& executor, net::Net& net, ImageSink& sink, Source source, Events events);
  ~ImageFetch();
  void start();

 private:
  void ask();
  void on_head(const net::HttpResponse& head);
  void on_chunk(std::string_view bytes);
  void on_end(const Status& how);
  void end(Status how);

  Executor& executor_;
  net::HttpClient client_;
  ImageSink& sink_;
  Source source_;
  Events events_;
  std::unique_ptr<net::HttpCall> call_;
  uint64_t done_ = 0;
  uint64_t total_ = 0;
  uint64_t done_before_ = 0;  ///< when this connection began
  int useless_ = 0;           ///< connections in a row that brought nothing
  MonoTime told_{};
  Timer retry_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::nodeboot
