// Blobs under their digest: whole or not at all, once, found again, collected.
#include "boot/image/blob_store.hpp"

#include "os/real_disk.hpp"
#include "os/real_random.hpp"
#include "os/test_folder.hpp"
#include "sim/sim_disk.hpp"
#include "sim/sim_random.hpp"

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace drover::boot::image {
namespace {

class BlobStoreTest : public ::testing::Test {
 protected:
  std::vector<std::string> names() {
    std::vector<std::string> out;
    const auto blobs = store_.list().value();
    for (const Blob& blob : blobs) out.push_back(blob.sha256);
    return out;
  }
  [[nodiscard]] size_t scratch_files() {
    return disk_.exists(folder_ / "tmp").value() ? disk_.list(folder_ / "tmp")->size() : 0;
  }

  os::testing::TestFolder folder_;
  os::RealDisk disk_;
  os::RealRandom random_;
  BlobStore store_{disk_, random_, folder_.path()};
};

TEST_F(BlobStoreTest, TheSameContentIsThereOnce) {
  EXPECT_TRUE(names().empty());
  const Blob one = *store_.put("kernel");
  EXPECT_EQ(one.sha256, net::sha256_hex("kernel"));
  EXPECT_EQ(one.size, 6);
  EXPECT_EQ(*store_.put("kernel"), one);
  EXPECT_EQ(names(), std::vector<std::string>{one.sha256});
  EXPECT_TRUE(*store_.has(one.sha256));
  EXPECT_FALSE(*store_.has(std::string(64, '0')));
  EXPECT_FALSE(*store_.has("../../etc/passwd"));
  EXPECT_EQ(scratch_files(), 0);
}

TEST_F(BlobStoreTest, FilesAreCopiedOrTakenOver) {
  const std::string bytes(3'000'000, 'x');
  folder_.write("source", bytes);
  uint64_t told = 0;
  const Blob copied = *store_.put_file(folder_ / "source", [&](uint64_t done) { told = done; });
  EXPECT_EQ(copied.size, bytes.size());
  EXPECT_EQ(told, bytes.size());
  EXPECT_TRUE(*disk_.exists(folder_ / "source"));

  const std::string scratch = *store_.scratch_path();
  folder_.write(scratch.substr(folder_.path().size() + 1), bytes + "y");
  const Blob taken = *store_.adopt(scratch);
  EXPECT_FALSE(*disk_.exists(scratch));
  EXPECT_EQ(*disk_.read_all(store_.path(taken.sha256)), bytes + "y");
  EXPECT_EQ(store_.put_file(folder_ / "none").error().code, Code::not_found);
}

TEST_F(BlobStoreTest, WhatIsNotFinishedLeavesNothing) {
  {
    const auto writer = *store_.writer();
    EXPECT_TRUE(writer->add("half of"));
    EXPECT_EQ(scratch_files(), 1);
  }
  EXPECT_EQ(scratch_files(), 0);
  const auto writer = *store_.writer();
  EXPECT_TRUE(writer->add("something else"));
  const auto wrong = writer->finish(net::sha256_hex("what was promised"));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Code::corrupt);
  EXPECT_TRUE(names().empty());
}

TEST_F(BlobStoreTest, FindsWhatHasRotted) {
  const Blob blob = *store_.put("kernel");
  EXPECT_TRUE(store_.verify(blob.sha256));
  folder_.write(store_.path(blob.sha256).substr(folder_.path().size() + 1), "kernal");
  const Status rotten = store_.verify(blob.sha256);
  ASSERT_FALSE(rotten);
  EXPECT_EQ(rotten.error().code, Code::corrupt);
  EXPECT_NE(rotten.error().text().find(blob.sha256), std::string::npos);
  // The same content again mends it.
  EXPECT_TRUE(store_.put("kernel"));
  EXPECT_TRUE(store_.verify(blob.sha256));
  EXPECT_EQ(store_.verify(std::string(64, '1')).error().code, Code::not_found);
}

TEST_F(BlobStoreTest, CollectsWhatNobodyNames) {
  const Blob kept = *store_.put("kept");
  const Blob unused = *store_.put("unused");
  folder_.write("tmp/of-a-crash.part", "x");
  EXPECT_EQ(*store_.collect({kept.sha256}, true), std::vector<Blob>{unused});
  EXPECT_EQ(names().size(), 2);
  EXPECT_EQ(*store_.collect({kept.sha256}, false), std::vector<Blob>{unused});
  EXPECT_EQ(names(), std::vector<std::string>{kept.sha256});
  EXPECT_EQ(scratch_files(), 0);
}

TEST_F(BlobStoreTest, ImportsShareTheFolderACollectionHasItAlone) {
  using Kind = ImageLock::Kind;
  std::optional<ImageLock> first = *ImageLock::take(disk_, folder_.path(), Kind::shared);
  std::optional<ImageLock> second = *ImageLock::take(disk_, folder_.path(), Kind::shared);
  const auto refused = ImageLock::take(disk_, folder_.path(), Kind::exclusive);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  first.reset();
  EXPECT_FALSE(ImageLock::take(disk_, folder_.path(), Kind::exclusive));
  second.reset();
  const auto alone = ImageLock::take(disk_, folder_.path(), Kind::exclusive);
  ASSERT_TRUE(alone);
  EXPECT_EQ(ImageLock::take(disk_, folder_.path(), Kind::shared).error().code, Code::conflict);
}

TEST_F(BlobStoreTest, ServesItsBlobs) {
  const Blob blob = *store_.put("kernel");
  std::optional<Result<std::shared_ptr<const net::HttpBody>>> found;
  store_.find(blob.sha256, [&](auto body) { found = std::move(body); });
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((**found)->size(), 6);
  store_.find(std::string(64, '2'), [&](auto body) { found = std::move(body); });
  EXPECT_EQ(found->error().code, Code::not_found);
}

/// Whenever the power goes, a blob that was reported is whole, and none has a wrong content.
TEST(BlobStoreCrashTest, APowerCutLeavesWholeBlobsAlone) {
  for (uint64_t cut = 1; cut < 60; ++cut) {
    sim::SimRandom random(cut, "disk");
    sim::SimDisk disk;
    ASSERT_TRUE(disk.make_dirs("/images", 0755));
    disk.set_fault_hook([cut](const sim::DiskOperation& operation) {
      return operation.number == cut ? sim::DiskFault::power_cut : sim::DiskFault::none;
    });
    BlobStore store(disk, random, "/images");
    const std::string bytes(5000, 'k');
    const auto put = store.put(bytes);
    disk.crash(random);
    disk.set_fault_hook({});
    const auto blobs = store.list().value();
    for (const Blob& blob : blobs) EXPECT_TRUE(store.verify(blob.sha256)) << cut;
    if (put) EXPECT_TRUE(*store.has(put->sha256)) << cut;
  }
}

}  // namespace
}  // namespace drover::boot::image
