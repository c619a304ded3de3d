#include "net/http/sse.hpp"

namespace drover::net {

Status SseReader::feed(std::string_view bytes, Callback<void(const SseEvent&)>& sink) {
  for (const char c : bytes) {
    const bool second_half = after_cr_ && c == '\n';
    after_cr_ = c == '\r';
    if (second_half) continue;
    if (c != '\n' && c != '\r') {
      partial_.push_back(c);
      if (partial_.size() + event_.data.size() > kMaxEvent) {
        return fail(Code::too_large, "an event of the stream is larger than 16 MiB");
      }
      continue;
    }
    line(partial_, sink);
    partial_.clear();
  }
  return {};
}

void SseReader::line(std::string_view text, Callback<void(const SseEvent&)>& sink) {
  if (text.empty()) {
    if (has_data_) {
      event_.data.pop_back();  // the newline after the last data field
      if (event_.name.empty()) event_.name = "message";
      sink(event_);
    }
    event_.name.clear();
    event_.data.clear();
    has_data_ = false;
    return;
  }
  const size_t colon = std::min(text.find(':'), text.size());
  const std::string_view field = text.substr(0, colon);
  std::string_view value = text.substr(std::min(colon + 1, text.size()));
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "data") {
    event_.data += value;
    event_.data.push_back('\n');
    has_data_ = true;
  } else if (field == "event") {
    event_.name = value;
  } else if (field == "id" && value.find('\0') == std::string_view::npos) {
    event_.id = value;
  }
}

}  // namespace drover::net
