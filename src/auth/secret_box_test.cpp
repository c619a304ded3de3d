#include "auth/secret_box.hpp"

#include "sim/sim_disk.hpp"
#include "sim/sim_random.hpp"

#include <gtest/gtest.h>

namespace drover::auth {
namespace {

class SecretBoxes : public ::testing::Test {
 protected:
  sim::SimRandom random_{7, "secrets"};
  sim::SimDisk disk_;
  Result<SecretBox> box() { return SecretBox::open_or_create(disk_, random_, "/s/secrets"); }
};

TEST_F(SecretBoxes, OpensWhatItSealedAlsoAfterARestart) {
  const auto sealed = box()->seal("hunter2", "a/b", random_);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->find("hunter2"), std::string::npos);
  EXPECT_EQ(box()->open(*sealed, "a/b").value_or(""), "hunter2");
  EXPECT_EQ(box()->open(*box()->seal("", "x", random_), "x").value_or("?"), "");
}

TEST_F(SecretBoxes, SealsTheSameNeverAlike) {
  const auto first = box()->seal("hunter2", "a", random_);
  const auto second = box()->seal("hunter2", "a", random_);
  EXPECT_NE(*first, *second);
}

TEST_F(SecretBoxes, RefusesWhatWasChangedOrIsAnothers) {
  const SecretBox mine = *box();
  const std::string sealed = *mine.seal("hunter2", "a", random_);
  EXPECT_EQ(mine.open(sealed, "b").error().code, Code::corrupt);
  for (size_t at = 0; at < sealed.size(); ++at) {
    std::string changed = sealed;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(mine.open(changed, "a")) << at;
    EXPECT_FALSE(mine.open(sealed.substr(0, at), "a")) << at;
  }
  const auto other = SecretBox::open_or_create(disk_, random_, "/t/secrets");
  EXPECT_FALSE(other->open(sealed, "a"));
}

TEST_F(SecretBoxes, KeepsAKeyThatCannotBeReadAndSaysSo) {
  ASSERT_TRUE(box());
  ASSERT_TRUE(disk_.write_atomic("/s/secrets/key", "short\n", 0600));
  EXPECT_EQ(box().error().code, Code::corrupt);
}

}  // namespace
}  // namespace drover::auth
