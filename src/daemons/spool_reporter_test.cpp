// What heartbeats say about the spool.
#include "daemons/spool_reporter.hpp"

#include <gtest/gtest.h>

namespace drover::daemons {
namespace {

using std::chrono::seconds;

tree::RecordOutbox::Stats waiting(size_t records, Duration oldest) {
  tree::RecordOutbox::Stats out;
  out.records = records;
  out.oldest = oldest;
  return out;
}

TEST(SpoolReporter, SaysNothingWhileRecordsPass) {
  SpoolReporter reporter;
  EXPECT_EQ(reporter.tell({}), "");
  EXPECT_EQ(reporter.tell(waiting(3, seconds(4))), "");
}

TEST(SpoolReporter, TellsThatAllIsWellAgainUntilItMustHaveBeenHeard) {
  SpoolReporter reporter;
  const auto told = read_spool(reporter.tell(waiting(3, seconds(6))));
  ASSERT_TRUE(told);
  EXPECT_EQ(told->records, 3U);
  EXPECT_EQ(told->oldest_age, seconds(6));
  int clear = 0;
  for (std::string beat = reporter.tell({}); !beat.empty() && clear < 1000;
       beat = reporter.tell(waiting(1, seconds(1)))) {
    ASSERT_EQ(read_spool(beat)->records, 0U);
    ++clear;
  }
  EXPECT_GE(clear, 60) << "one that is lost would leave a false alarm for ever";
  EXPECT_LT(clear, 1000);
  EXPECT_EQ(reporter.tell({}), "");
  EXPECT_NE(reporter.tell(waiting(1, seconds(5))), "") << "stuck once more";
}

TEST(SpoolReporter, RefusesWhatItDidNotWrite) {
  EXPECT_FALSE(read_spool(""));
  EXPECT_FALSE(read_spool("\xff\xff"));
}

}  // namespace
}  // namespace drover::daemons
