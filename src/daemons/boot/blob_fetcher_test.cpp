// Files of images fetched from a master: proven, gone on with after a break, asked for again, and
// nothing kept that is not what it is called.
#include "daemons/boot/blob_fetcher.hpp"

#include "os/real_disk.hpp"
#include "sim/world.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace drover::daemons {
namespace {

using std::chrono::seconds;

class Lines final : public LogSink {
 public:
  void write(const LogRecord& record) override { lines.push_back(format(record)); }
  std::vector<std::string> lines;
};

class BlobFetcherTest : public ::testing::Test {
 protected:
  BlobFetcherTest() {
    char name[] = "/tmp/drover-fetch-XXXXXX";
    dir = ::mkdtemp(name);
    fetcher =
        std::make_unique<BlobFetcher>(process.executor(), disk, process.random(), Log(sink, "boot"),
                                      BlobFetcher::Places{dir + "/images", dir + "/cache"},
                                      [this](const std::string& target, net::HttpHeaders headers,
                                             net::HttpStreamEvents its_events) {
                                        return ask(target, headers, std::move(its_events));
                                      });
  }
  ~BlobFetcherTest() override {
    fetcher.reset();
    std::filesystem::remove_all(dir);
  }

  /// A request that the test answers.
  struct Call final : net::HttpCall {
    explicit Call(bool& is_open) : is_open_(is_open) { is_open_ = true; }
    ~Call() override { is_open_ = false; }
    void pause(bool /*paused*/) override {}

   private:
    bool& is_open_;
  };
  std::unique_ptr<net::HttpCall> ask(const std::string& target, const net::HttpHeaders& headers,
                                     net::HttpStreamEvents its_events) {
    if (!way) return nullptr;
    EXPECT_FALSE(open) << "one at a time";
    targets.push_back(target);
    ranges.emplace_back(headers.get("Range").value_or(""));
    events = std::move(its_events);
    return std::make_unique<Call>(open);
  }
  void answer(int status, const std::string& body, Status end = {}) {
    ASSERT_TRUE(open);
    net::HttpResponse head;
    head.status = status;
    // The call may go within any of them, and with it what hears them.
    auto heard = std::make_shared<net::HttpStreamEvents>(std::move(events));
    heard->on_head(head);
    for (size_t at = 0; at < body.size(); at += 7) heard->on_chunk(body.substr(at, 7));
    heard->on_end(end);
    ASSERT_TRUE(world.run_for(std::chrono::milliseconds(10)));
  }
  void find(const std::string& sha256) {
    fetcher->find(sha256, [this](Result<std::shared_ptr<const net::HttpBody>> body) {
      if (!body) return got.push_back("error: " + body.error().text());
      std::string bytes((*body)->size(), '\0');
      EXPECT_TRUE((*body)->read(0, bytes));
      got.push_back(bytes);
    });
    ASSERT_TRUE(world.run_for(std::chrono::milliseconds(10)));
  }
  void reachable() {
    way = true;
    fetcher->way_up(true);
  }
  [[nodiscard]] bool cached(const std::string& bytes) const {
    const std::string name = net::sha256_hex(bytes);
    return std::filesystem::exists(dir + "/cache/blobs/" + name.substr(0, 2) + "/" + name);
  }

  sim::World world{1};
  sim::SimProcess process{world, {.name = "boot1", .host = "h1", .disk = nullptr}};
  os::RealDisk disk;
  Lines sink;
  std::string dir;
  bool way = false;
  bool open = false;
  std::vector<std::string> targets;
  std::vector<std::string> ranges;
  net::HttpStreamEvents events;
  std::vector<std::string> got;
  std::unique_ptr<BlobFetcher> fetcher;
  const std::string content = "the kernel of the image, of some length";
  const std::string digest = net::sha256_hex(content);
};

TEST_F(BlobFetcherTest, WhatThisHostHasIsNotFetched) {
  std::filesystem::create_directories(dir + "/images/blobs/" + digest.substr(0, 2));
  std::ofstream(dir + "/images/blobs/" + digest.substr(0, 2) + "/" + digest) << content;
  reachable();
  find(digest);
  fetcher->follow({digest}, {digest});
  ASSERT_TRUE(world.run_for(seconds(1)));
  EXPECT_EQ(got, std::vector{content});
  EXPECT_TRUE(targets.empty());
}

TEST_F(BlobFetcherTest, ADamagedFileOfThisHostIsNotGivenAndIsFetchedWhenThatCanBe) {
  const std::string folder = dir + "/images/blobs/" + digest.substr(0, 2) + "/";
  std::filesystem::create_directories(folder);
  std::ofstream(folder + digest) << "the kernel of the image, of some lengtH";
  find(digest);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(got[0].find("is damaged: its 39 bytes have the SHA-256") != std::string::npos);
  find(digest);
  EXPECT_EQ(got[1], got[0]);
  reachable();
  find(digest);
  answer(200, content);
  EXPECT_EQ(got.back(), content);
  EXPECT_TRUE(cached(content));
  // Its copy rots as well: it goes, and another comes.
  std::ofstream(dir + "/cache/blobs/" + digest.substr(0, 2) + "/" + digest) << "rotten";
  find(digest);
  answer(200, content);
  EXPECT_EQ(got.back(), content);
  // An import mends the host's own, which is looked at again when there is no other.
  std::ofstream(folder + digest) << content;
  fetcher->follow({}, {});
  ASSERT_TRUE(world.run_for(seconds(1)));
  way = false;
  fetcher->way_up(false);
  find(digest);
  EXPECT_EQ(got.back(), content);
}

TEST_F(BlobFetcherTest, WhatIsWantedIsProvenBeforeAnybodyAsks) {
  const std::string folder = dir + "/images/blobs/" + digest.substr(0, 2) + "/";
  std::filesystem::create_directories(folder);
  std::ofstream(folder + digest) << "half of the ker";
  reachable();
  fetcher->follow({digest}, {digest});
  ASSERT_TRUE(world.run_for(seconds(1)));
  ASSERT_EQ(targets.size(), 1U) << "it is fetched";
  answer(200, content);
  EXPECT_TRUE(cached(content));
}

TEST_F(BlobFetcherTest, AllWhoAskWaitForOneFetchAndItIsKept) {
  reachable();
  find(digest);
  find(digest);
  EXPECT_TRUE(got.empty());
  EXPECT_EQ(targets, std::vector<std::string>{"/blobs/" + digest});
  answer(200, content);
  EXPECT_EQ(got, (std::vector{content, content}));
  find(digest);
  EXPECT_EQ(got.size(), 3U);
  EXPECT_EQ(targets.size(), 1U);
}

TEST_F(BlobFetcherTest, AnImageIsFetchedBeforeAnybodyAsksAndGoesWithItsName) {
  reachable();
  const std::string other = net::sha256_hex("other");
  fetcher->follow({digest, other}, {digest, other});
  ASSERT_TRUE(world.run_for(seconds(1)));
  answer(200, targets.back() == "/blobs/" + digest ? content : "other");
  answer(200, targets.back() == "/blobs/" + digest ? content : "other");
  EXPECT_TRUE(cached(content) && cached("other"));
  EXPECT_EQ(targets.size(), 2U);
  fetcher->follow({digest}, {digest});
  ASSERT_TRUE(world.run_for(seconds(1)));
  EXPECT_TRUE(cached(content));
  EXPECT_FALSE(cached("other"));
}

TEST_F(BlobFetcherTest, ABrokenFetchGoesOnWhereItWas) {
  reachable();
  fetcher->follow({digest}, {digest});
  ASSERT_TRUE(world.run_for(seconds(1)));
  answer(200, content.substr(0, 20), fail(Code::unreachable, "the link was lost"));
  ASSERT_TRUE(world.run_for(seconds(2)));
  ASSERT_EQ(ranges.size(), 2U);
  EXPECT_EQ(ranges[1], "bytes=20-");
  answer(206, content.substr(20));
  EXPECT_TRUE(cached(content));
  EXPECT_EQ(sink.lines.size(), 3U) << "the loss, that it goes on, that it is here";
}

TEST_F(BlobFetcherTest, AServerWithoutRangesBeginsAnewAndAWholeFileIsEnough) {
  std::filesystem::create_directories(dir + "/cache/tmp");
  std::ofstream(dir + "/cache/tmp/" + digest + ".fetch") << "rubbish";
  reachable();
  find(digest);
  EXPECT_EQ(ranges.back(), "bytes=7-");
  answer(200, content);
  EXPECT_EQ(got, std::vector{content});
  const std::string other = net::sha256_hex("all of it");
  std::ofstream(dir + "/cache/tmp/" + other + ".fetch") << "all of it";
  find(other);
  answer(416, "there is no more");
  EXPECT_EQ(got.back(), "all of it");
}

TEST_F(BlobFetcherTest, NothingIsKeptThatIsNotWhatItIsCalled) {
  reachable();
  find(digest);
  answer(200, "an attacker's kernel");
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(got[0].starts_with("error: what came is not")) << got[0];
  EXPECT_FALSE(cached("an attacker's kernel"));
  EXPECT_FALSE(std::filesystem::exists(dir + "/cache/tmp/" + digest + ".fetch"));
  find(digest);
  EXPECT_EQ(ranges.back(), "") << "from the beginning";
  answer(200, content);
  EXPECT_EQ(got.back(), content);
}

TEST_F(BlobFetcherTest, WhoAsksForWhatNobodyHasIsToldSo) {
  find(digest);
  EXPECT_TRUE(got.back().find("no master can be asked") != std::string::npos);
  reachable();
  find(digest);
  answer(404, "not here");
  EXPECT_TRUE(got.back().find("no such file") != std::string::npos) << got.back();
  ASSERT_TRUE(world.run_for(seconds(100)));
  EXPECT_EQ(targets.size(), 1U) << "nobody wants it: not asked again";
}

TEST_F(BlobFetcherTest, WhatIsWantedIsTriedAgainWithoutHurry) {
  reachable();
  fetcher->follow({digest}, {digest});
  ASSERT_TRUE(world.run_for(seconds(1)));
  for (int i = 0; i < 10; ++i) {
    answer(404, "not yet");
    ASSERT_TRUE(world.run_until([&] { return open; }, seconds(60)));
  }
  EXPECT_EQ(sink.lines.size(), 1U) << "told once";
  way = false;
  answer(404, "not yet");
  ASSERT_TRUE(world.run_for(seconds(100)));
  reachable();
  ASSERT_TRUE(world.run_until([&] { return open; }, seconds(60)));
  answer(200, content);
  EXPECT_TRUE(cached(content));
}

}  // namespace
}  // namespace drover::daemons
