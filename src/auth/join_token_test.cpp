#include "auth/join_token.hpp"

#include "auth/test_support.hpp"

#include <gtest/gtest.h>

namespace drover::auth {
namespace {

using testing::SeededRandom;

const std::string kCa = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

JoinToken token() {
  SeededRandom random;
  return make_join_token(random, kCa).value();
}

TEST(JoinToken, ReadsBackAsItWasMade) {
  const JoinToken made = token();
  EXPECT_EQ(made.text().size(), 109U);
  const JoinToken read = parse_join_token(made.text()).value();
  EXPECT_EQ(read.id, made.id);
  EXPECT_EQ(read.secret, made.secret);
  EXPECT_EQ(read.ca_sha256, kCa);
}

TEST(JoinToken, Base32AsInRfc4648) {
  // Section 10: "fooba" is MZXW6YTB, which is an id's length of five bytes.
  class Foobar final : public Random {
   public:
    void fill(std::span<unsigned char> out) override {
      for (size_t i = 0; i < out.size(); ++i) {
        out[i] = static_cast<unsigned char>(std::string_view("fooba")[i % 5]);
      }
    }
  } random;
  EXPECT_EQ(make_join_token(random, kCa).value().id, "mzxw6ytb");
}

TEST(JoinToken, DifferentEachTime) {
  SeededRandom random;
  const JoinToken first = make_join_token(random, kCa).value();
  const JoinToken second = make_join_token(random, kCa).value();
  EXPECT_NE(first.id, second.id);
  EXPECT_NE(first.secret, second.secret);
}

TEST(JoinToken, BlanksAndCapitalsAreForgiven) {
  std::string text = token().text();
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_EQ(parse_join_token("  " + text + "\r\n").value().secret, token().secret);
}

TEST(JoinToken, EveryTruncationIsRefused) {
  const std::string text = token().text();
  for (size_t size = 0; size < text.size(); ++size) {
    auto parsed = parse_join_token(text.substr(0, size));
    ASSERT_FALSE(parsed) << size;
    EXPECT_EQ(parsed.error().code, Code::invalid_argument);
  }
  EXPECT_FALSE(parse_join_token(text + "a"));
  EXPECT_FALSE(parse_join_token(text + ".a"));
  EXPECT_FALSE(parse_join_token(std::string(10'000, '.')));
}

TEST(JoinToken, ErrorsNameThePartAndKeepTheSecret) {
  const JoinToken good = token();
  std::string text = good.text();
  text[text.find(good.secret)] = '!';
  const Error error = parse_join_token(text).error();
  EXPECT_NE(error.message.find("secret"), std::string::npos);
  EXPECT_EQ(error.text().find(good.secret.substr(1)), std::string::npos);
}

TEST(JoinToken, OneSpellingPerValue) {
  std::string text = token().text();
  // 52 characters hold 260 bits for 256: the last four must be zero.
  text.back() = text.back() == 'b' ? 'c' : 'b';
  EXPECT_FALSE(parse_join_token(text));
}

TEST(JoinToken, NeedsAWholeFingerprint) {
  SeededRandom random;
  EXPECT_FALSE(make_join_token(random, ""));
  EXPECT_FALSE(make_join_token(random, kCa.substr(1)));
  EXPECT_FALSE(make_join_token(random, std::string(64, 'g')));
}

}  // namespace
}  // namespace drover::auth
