#include "tree/frame.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace drover::tree {
namespace {

struct Seen {
  MessageType type;
  uint32_t id;
  std::string payload;
  bool operator==(const Seen&) const = default;
};

/// Feeds `bytes` in pieces of `step`.
Status decode(FrameDecoder& decoder, std::string_view bytes, size_t step, std::vector<Seen>& seen) {
  FrameDecoder::Sink sink = [&](const FrameHeader& header, std::string_view payload) {
    seen.push_back({header.type, header.stream_id, std::string(payload)});
    return true;
  };
  for (size_t at = 0; at < bytes.size(); at += step) {
    DROVER_CHECK_OK(decoder.feed(bytes.substr(at, step), sink));
  }
  return {};
}

const std::vector<Seen> kThree{{MessageType::heartbeat, 0, ""},
                               {MessageType::channel_data, 7, std::string(300, 'x')},
                               {MessageType::call, 0, "ping"}};

std::string encoded(const std::vector<Seen>& frames) {
  std::string bytes;
  for (const Seen& frame : frames) append_frame(bytes, frame.type, frame.id, frame.payload);
  return bytes;
}

TEST(Frame, LiesOnTheWireAsDocumented) {
  std::string bytes;
  append_frame(bytes, MessageType::channel_data, 0x01020304, "ab");
  EXPECT_EQ(bytes, std::string("\0\0\0\x02\x0b\x02\0\0\x01\x02\x03\x04"
                               "ab",
                               14));
}

TEST(Frame, ComesBackWhateverThePieces) {
  const std::string bytes = encoded(kThree);
  for (size_t step = 1; step <= bytes.size(); ++step) {
    FrameDecoder decoder;
    std::vector<Seen> seen;
    ASSERT_TRUE(decode(decoder, bytes, step, seen)) << step;
    EXPECT_EQ(seen, kThree) << step;
  }
}

TEST(Frame, WaitsForTheRestOfATruncatedOne) {
  const std::string bytes = encoded(kThree);
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    FrameDecoder decoder;
    std::vector<Seen> seen;
    ASSERT_TRUE(decode(decoder, std::string_view(bytes).substr(0, cut), bytes.size(), seen));
    EXPECT_LT(seen.size(), 3U);
  }
}

void expect_refused(const std::string& bytes, Code code, std::string_view why) {
  FrameDecoder decoder;
  std::vector<Seen> seen;
  const Status status = decode(decoder, bytes, bytes.size(), seen);
  ASSERT_FALSE(status) << why;
  EXPECT_EQ(status.error().code, code);
  EXPECT_NE(status.error().message.find(why), std::string::npos) << status.error().message;
}

TEST(Frame, RefusesWhatIsNotOneBeforeItsPayloadIsThere) {
  expect_refused({"\0\x10\0\x01\x03\0\0\0\0\0\0\0", 12}, Code::too_large, "1048577 bytes");
  expect_refused({"\0\0\0\0\xc8\0\0\0\0\0\0\0", 12}, Code::corrupt, "unknown type 200");
  expect_refused({"\0\0\0\0\x03\x02\0\0\0\0\0\0", 12}, Code::corrupt, "in lane 2");
  expect_refused({"\0\0\0\0\x03\0\x01\0\0\0\0\0", 12}, Code::corrupt, "reserved bits");
  expect_refused("GET / HTTP/1.1\r\n\r\n", Code::too_large, "limit is 1048576");
}

TEST(Frame, SkipsUnknownTypesOnceAllowed) {
  std::string bytes("\0\0\0\x02\xc8\x01\0\0\0\0\0\0zz", 14);
  append_frame(bytes, MessageType::heartbeat, 0, "");
  FrameDecoder decoder;
  decoder.skip_unknown = true;
  std::vector<Seen> seen;
  ASSERT_TRUE(decode(decoder, bytes, bytes.size(), seen));
  EXPECT_EQ(seen, (std::vector<Seen>{{MessageType::heartbeat, 0, ""}}));
}

TEST(Frame, StopsWhenItsReceiverIsDone) {
  auto decoder = std::make_unique<FrameDecoder>();
  int calls = 0;
  FrameDecoder::Sink sink = [&](const FrameHeader&, std::string_view) {
    ++calls;
    decoder.reset();  // as a link that is destroyed in its own event
    return false;
  };
  EXPECT_TRUE(decoder->feed(encoded(kThree), sink));
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace drover::tree
