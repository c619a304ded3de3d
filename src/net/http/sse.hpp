// Server-sent events: cuts a text/event-stream into events. Pure.
#pragma once

#include "base/callback.hpp"
#include "base/result.hpp"

#include <string>
#include <string_view>

namespace drover::net {

struct SseEvent {
  std::string name;  ///< "message" when the stream names none
  std::string data;
  std::string id;  ///< the last id that the stream gave, with this event or before
};

/// Follows the WHATWG HTML standard, section 9.2.6: fields, comments, LF, CRLF or CR line ends. An
/// event that is not ended by an empty line is not delivered.
class SseReader {
 public:
  /// Events over this many bytes are refused with too_large.
  static constexpr size_t kMaxEvent = size_t{16} << 20;

  Status feed(std::string_view bytes, Callback<void(const SseEvent&)>& sink);

 private:
  void line(std::string_view text, Callback<void(const SseEvent&)>& sink);

  std::string partial_;
  SseEvent event_;
  bool has_data_ = false;
  bool after_cr_ = false;
};

}  // namespace drover::net
