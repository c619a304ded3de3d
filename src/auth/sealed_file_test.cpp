#include "auth/sealed_file.hpp"

#include "base/random.hpp"
#include "sim/sim_disk.hpp"
#include "sim/sim_random.hpp"

#include <gtest/gtest.h>

namespace drover::auth {
namespace {

constexpr std::string_view kPassphrase = "correct horse battery";
constexpr size_t kChunk = size_t{64} << 10;
constexpr size_t kHead = 32;

class SealedFiles : public ::testing::Test {
 protected:
  std::unique_ptr<File> raw(const std::string& path) {
    return disk_.open(path, true, 0600).value();
  }
  /// Written in uneven pieces.
  void seal(const std::string& path, std::string_view plain) {
    const auto file = SealedFile::create(raw(path), kPassphrase, random_).value();
    constexpr size_t kPiece = 40'001;
    for (size_t at = 0; at < plain.size(); at += kPiece) {
      ASSERT_TRUE(file->write(at, plain.substr(at, kPiece)));
    }
    ASSERT_TRUE(file->sync());
    EXPECT_EQ(file->size().value(), plain.size());
    EXPECT_EQ(text_of(*file), plain) << "it is read back by who wrote it";
  }
  static std::string text_of(File& file) {
    std::string out(file.size().value() + 100, '\0');
    out.resize(file.read(0, out).value());
    return out;
  }
  std::string bytes(const std::string& path) { return disk_.read_all(path, 1 << 20).value(); }
  /// "" when it opens and reads as a whole.
  std::string trouble(const std::string& contents, std::string_view passphrase = kPassphrase) {
    EXPECT_TRUE(disk_.write_atomic("/changed", contents, 0600));
    auto file = SealedFile::open(raw("/changed"), passphrase);
    if (!file) return file.error().text();
    std::string out((*file)->size().value(), '\0');
    const auto got = (*file)->read(0, out);
    return got ? "" : got.error().text();
  }
  sim::SimDisk disk_;
  sim::SimRandom random_{7, "seal"};
};

TEST_F(SealedFiles, ReadBackAtEverySizeAroundAChunk) {
  for (const size_t size : {size_t{0}, kChunk, kChunk + 1}) {
    const std::string path = "/f" + std::to_string(size);
    std::string plain(size, 'p');
    for (size_t i = 0; i < size; i += 97) plain[i] = static_cast<char>('a' + i % 26);
    seal(path, plain);
    EXPECT_TRUE(is_sealed(*raw(path)).value());
    EXPECT_EQ(bytes(path).find("ppp"), std::string::npos);
    const auto file = SealedFile::open(raw(path), kPassphrase).value();
    EXPECT_EQ(text_of(*file), plain);
    std::string part(10, '\0');
    if (size > kChunk) {
      ASSERT_EQ(file->read(kChunk - 5, part).value(), std::min<size_t>(10, size - kChunk + 5));
      EXPECT_EQ(part.substr(0, 6), plain.substr(kChunk - 5, 6));
    }
  }
}

TEST_F(SealedFiles, EveryChangeIsFound) {
  seal("/f", std::string(2 * kChunk + 100, 'p'));
  const std::string whole = bytes("/f");
  constexpr size_t kStep = kChunk + 16;
  ASSERT_EQ(whole.size(), kHead + 2 * kStep + 116);
  EXPECT_EQ(trouble(whole), "");
  for (const size_t at : {size_t{20}, kHead, kHead + kStep + 9, whole.size() - 1}) {
    std::string changed = whole;
    changed[at] ^= 1;
    EXPECT_NE(trouble(changed), "") << at;
  }
  EXPECT_NE(trouble(whole.substr(0, kHead + 2 * kStep)), "") << "its last chunk is gone";
  EXPECT_NE(trouble(whole.substr(0, whole.size() - 1)), "");
  EXPECT_NE(trouble(whole + "x"), "");
  const std::string swapped = whole.substr(0, kHead) + whole.substr(kHead + kStep, kStep) +
                              whole.substr(kHead, kStep) + whole.substr(kHead + 2 * kStep);
  EXPECT_NE(trouble(swapped), "");
}

TEST_F(SealedFiles, OnlyThePassphraseOpensIt) {
  seal("/f", "secret");
  const auto other = SealedFile::open(raw("/f"), "correct horse batter7");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::denied);
  EXPECT_EQ(SealedFile::create(raw("/g"), "short", random_).error().code, Code::invalid_argument);
  EXPECT_EQ(SealedFile::open(raw("/none"), kPassphrase).error().code, Code::corrupt);
  EXPECT_FALSE(is_sealed(*raw("/none")).value());
}

TEST_F(SealedFiles, IsWrittenOnceInOrder) {
  const auto file = SealedFile::create(raw("/f"), kPassphrase, random_).value();
  ASSERT_TRUE(file->write(0, "abc"));
  EXPECT_EQ(file->write(0, "x").error().code, Code::unsupported);
  EXPECT_EQ(file->truncate(0).error().code, Code::unsupported);
  std::string out(3, '\0');
  EXPECT_EQ(file->read(0, out).error().code, Code::unsupported);
  ASSERT_TRUE(file->sync());
  EXPECT_EQ(file->write(3, "x").error().code, Code::unsupported);
}

}  // namespace
}  // namespace drover::auth
