#include "net/http/sse.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace drover::net {
namespace {

/// Feeds `text` in pieces of `size` and writes each event as "id|name|data".
std::vector<std::string> events(std::string_view text, size_t size) {
  std::vector<std::string> out;
  SseReader reader;
  Callback<void(const SseEvent&)> sink = [&](const SseEvent& event) {
    out.push_back(event.id + "|" + event.name + "|" + event.data);
  };
  for (size_t at = 0; at < text.size(); at += size) {
    EXPECT_TRUE(reader.feed(text.substr(at, size), sink));
  }
  return out;
}

TEST(Sse, CutsEventsWhereverTheBytesAreSplit) {
  const std::string_view text =
      ": welcome\n"
      "id: 7\nevent: change\ndata: {\"a\":\ndata:1}\n\n"
      "data: no name\r\n\r\n"
      "event: bookmark\rid:9\rdata:\r\r"
      "event: nothing\n\n"
      "retry: 10\ndata: last\n\n"
      "data: not ended";
  const std::vector<std::string> expected{"7|change|{\"a\":\n1}", "7|message|no name",
                                          "9|bookmark|", "9|message|last"};
  for (size_t size = 1; size <= text.size(); ++size)
    EXPECT_EQ(events(text, size), expected) << size;
}

TEST(Sse, RefusesAnEventWithoutEnd) {
  SseReader reader;
  Callback<void(const SseEvent&)> sink = [](const SseEvent&) {};
  const std::string piece(size_t{1} << 20, 'x');
  Status status;
  for (int i = 0; i < 17 && status; ++i) status = reader.feed(piece, sink);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::too_large);
}

}  // namespace
}  // namespace drover::net
