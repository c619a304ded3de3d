#include "auth/backup_file.hpp"

#include "sim/sim_disk.hpp"

#include <gtest/gtest.h>

namespace drover::auth {
namespace {

class BackupFileTest : public ::testing::Test {
 protected:
  static std::string backup() {
    BackupManifest manifest;
    manifest.cluster = "alpha-1";
    manifest.head = 42;
    BackupWriter writer;
    std::string out = writer.start(manifest);
    for (const auto& [name, body] : {std::pair<std::string, std::string>{"cluster", "alpha-1\n"},
                                     {"ca/ca.key", std::string(600'000, 'k')},
                                     {"empty", ""}}) {
      out += writer.begin_file(name, body.size());
      out += writer.data(body);
      out += writer.end_file();
    }
    return out + writer.finish();
  }
  Result<BackupContents> read(const std::string& bytes) {
    EXPECT_TRUE(disk_.write_atomic("/b", bytes, 0600));
    return read_backup(*disk_.open("/b", false, 0).value());
  }
  sim::SimDisk disk_;
};

TEST_F(BackupFileTest, ReadsWhatWasWritten) {
  const auto contents = read(backup());
  ASSERT_TRUE(contents) << contents.error().text();
  EXPECT_EQ(contents->manifest.cluster, "alpha-1");
  EXPECT_EQ(contents->manifest.head, 42U);
  ASSERT_EQ(contents->files.size(), 3U);
  EXPECT_EQ(contents->files[1].file, "ca/ca.key");
  EXPECT_EQ(backup().substr(contents->files[0].offset, contents->files[0].bytes), "alpha-1\n");
}

TEST_F(BackupFileTest, EveryCutAndEveryChangedByteIsFound) {
  const std::string whole = backup();
  for (size_t size = 0; size < whole.size(); size += size < 300 || size > 600'200 ? 1 : 7'919) {
    EXPECT_FALSE(read(whole.substr(0, size))) << "cut at " << size;
  }
  for (size_t at = 0; at < whole.size(); at += at < 300 || at > 600'200 ? 1 : 7'919) {
    std::string changed = whole;
    changed[at] = changed[at] == 'q' ? 'r' : 'q';
    EXPECT_FALSE(read(changed)) << "changed at " << at;
  }
  EXPECT_FALSE(read(whole + "more"));
  EXPECT_TRUE(read(whole));
}

TEST_F(BackupFileTest, SaysWhatIsWrong) {
  EXPECT_EQ(read("hello\n").error().code, Code::corrupt);
  EXPECT_NE(read("hello\n").error().text().find("not a backup"), std::string::npos);
  EXPECT_EQ(read("drover-backup 2\n{}\n").error().code, Code::unsupported);
  EXPECT_EQ(read(std::string(200'000, 'x')).error().code, Code::corrupt);
}

TEST_F(BackupFileTest, NamesNeverLeadOutOfTheFolder) {
  for (const char* name :
       {"", "/etc/passwd", "../x", "a/../b", "a/b/c", ".hidden", "a/.b", "a b", "a\n"}) {
    EXPECT_FALSE(check_backup_name(name)) << name;
    BackupWriter writer;
    const std::string bytes =
        writer.start({}) + writer.begin_file(name, 0) + writer.end_file() + writer.finish();
    EXPECT_FALSE(read(bytes)) << name;
  }
  EXPECT_TRUE(check_backup_name("ca/ca.key"));
  EXPECT_TRUE(check_backup_name("drover.db"));
}

}  // namespace
}  // namespace drover::auth
