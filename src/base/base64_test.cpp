#include "base/base64.hpp"

#include <gtest/gtest.h>

namespace drover {
namespace {

TEST(Base64, EncodesTheVectorsOfRfc4648) {
  EXPECT_EQ(to_base64url(""), "");
  EXPECT_EQ(to_base64url("f"), "Zg");
  EXPECT_EQ(to_base64url("fo"), "Zm8");
  EXPECT_EQ(to_base64url("foo"), "Zm9v");
  EXPECT_EQ(to_base64url("foobar"), "Zm9vYmFy");
  EXPECT_EQ(to_base64url("\xfb\xff"), "-_8");
}

TEST(Base64, GivesEveryByteBack) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(from_base64url(to_base64url(bytes)).value(), bytes);
    bytes.push_back(static_cast<char>(i * 7));
  }
}

TEST(Base64, RefusesWhatNoEncoderWrites) {
  for (const char* text : {"A", "AAAAA", "Zg==", "Z+9v", "Zm 9v", "Zh"}) {
    EXPECT_EQ(from_base64url(text).error().code, Code::invalid_argument) << text;
  }
}

}  // namespace
}  // namespace drover
