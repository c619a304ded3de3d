#include "daemons/revocation_board.hpp"

#include "proto/paths.pb.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace drover::daemons {
namespace {

auth::Revocation revoked(const std::string& name, const std::string& key = "") {
  return {"compute", name, key, "stolen"};
}

TEST(RevocationBoard, RefusesNamesAndSingleKeys) {
  RevocationBoard board;
  EXPECT_TRUE(board.check("compute", "n1", ""));
  const auto messages = encode_revocations({7, {revoked("n1"), revoked("n2", "k1")}});
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_TRUE(board.take("m1", 1, messages[0]).value());
  const Error refused = board.check("compute", "n1", "any").error();
  EXPECT_EQ(refused.code, Code::denied);
  EXPECT_EQ(refused.message, "the certificate of compute n1 was revoked: stolen");
  EXPECT_FALSE(board.check("compute", "n2", "k1"));
  EXPECT_TRUE(board.check("compute", "n2", "k2")) << "the host that has the name now";
  EXPECT_TRUE(board.check("utility", "n1", "any"));
  EXPECT_TRUE(board.check("compute", "n3", "k1"));
}

TEST(RevocationBoard, AnOlderListChangesNothingAndANewerOneReplacesAll) {
  RevocationBoard board;
  ASSERT_TRUE(board.take("m1", 1, encode_revocations({7, {revoked("n1")}})[0]).value());
  EXPECT_FALSE(board.take("m1", 1, encode_revocations({6, {}})[0]).value());
  EXPECT_FALSE(board.check("compute", "n1", ""));
  EXPECT_TRUE(board.take("m1", 1, encode_revocations({8, {}})[0]).value());
  EXPECT_TRUE(board.check("compute", "n1", ""));
}

TEST(RevocationBoard, AMasterThatWasRestoredIsBelieved) {
  RevocationBoard board;
  ASSERT_TRUE(board.take("m1", 1, encode_revocations({700, {revoked("n1")}})[0]).value());
  RevocationList list{30, {}};  // the store of a back-up counts from there
  for (int i = 0; i < 3000; ++i) list.entries.push_back(revoked(fmt::format("x{}", i)));
  const auto messages = encode_revocations(list);
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_FALSE(board.take("m1", 2, messages[0]).value());
  EXPECT_FALSE(board.check("compute", "n1", "")) << "until the new list is whole";
  EXPECT_TRUE(board.take("m1", 2, messages[1]).value());
  EXPECT_TRUE(board.check("compute", "n1", ""));
  EXPECT_FALSE(board.check("compute", "x2999", ""));
  EXPECT_EQ(board.version(), 30U);
  EXPECT_FALSE(board.take("m1", 2, encode_revocations({29, {}})[0]).value());
  EXPECT_TRUE(board.take("m1", 2, encode_revocations({31, {}})[0]).value());
}

TEST(RevocationBoard, ALongListHoldsOnceItIsComplete) {
  RevocationList list{9, {}};
  for (int i = 0; i < 5000; ++i) list.entries.push_back(revoked(fmt::format("n{}", i)));
  const auto messages = encode_revocations(list);
  ASSERT_EQ(messages.size(), 3U);
  RevocationBoard board;
  EXPECT_FALSE(board.take("m1", 1, messages[1]).value()) << "its beginning was not seen";
  EXPECT_FALSE(board.take("m1", 1, messages[0]).value());
  EXPECT_FALSE(board.take("m1", 1, messages[1]).value());
  EXPECT_TRUE(board.check("compute", "n1", ""));
  EXPECT_TRUE(board.take("m1", 1, messages[2]).value());
  EXPECT_EQ(board.size(), 5000U);
  EXPECT_FALSE(board.check("compute", "n4999", ""));
}

TEST(RevocationBoard, NonsenseIsRefused) {
  RevocationBoard board;
  EXPECT_FALSE(board.take("m1", 1, "nonsense"));
  EXPECT_FALSE(board.take("m1", 1, "")) << "no version";
  EXPECT_EQ(board.version(), 0U);
}

}  // namespace
}  // namespace drover::daemons
