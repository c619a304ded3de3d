// What GRUB is given by TFTP, and what it is not.
#include "daemons/boot/tftp_files.hpp"

#include <functional>
#include <map>
#include <set>

#include <gtest/gtest.h>

namespace drover::daemons {
namespace {

const std::string kKernel(64, 'a');
const std::string kRoot(64, 'b');

struct Handler final : boot::BootHandler {
  Result<boot::ServedScript> script(const boot::ScriptQuery& query) override {
    asked = query;
    if (query.mac == "bad") return fail(Code::invalid_argument, "no MAC");
    return boot::ServedScript{"script of " + query.mac, "n1"};
  }
  Result<boot::BootClaim> check(std::string_view, const std::string&) override {
    return fail(Code::unauthenticated, "no token");
  }
  Status may_have(const std::string& sha256, std::string_view token, const std::string&) override {
    EXPECT_TRUE(token.empty());
    return sha256 == kRoot ? fail(Code::unauthenticated, "a root needs a token") : Status{};
  }
  Status stage(const boot::BootClaim&, const boot::StageReport&) override { return {}; }
  Status log(const boot::BootClaim&, std::string_view) override { return {}; }
  void enrol(const boot::BootClaim&, std::string_view, auth::EnrolRequest,
             Callback<void(Result<auth::EnrolAnswer>)>) override {}
  boot::ScriptQuery asked;
};

struct Blobs final : boot::BlobSource {
  void find(const std::string& sha256, Found found) override {
    ++finds;
    if (later) {
      waiting.push_back(std::move(found));
      return;
    }
    if (sha256.starts_with("0")) return found(fail(Code::not_found, "there is none"));
    found(net::make_memory_body("bytes of " + sha256));
  }
  int finds = 0;
  bool later = false;
  std::vector<Found> waiting;
};

struct TftpFilesTest : ::testing::Test {
  std::string text(std::string_view path) {
    const auto file = files.find_for(path, {"10.0.0.2", "10.0.0.1"});
    return file ? std::string(file->bytes) : "none";
  }
  boot::LoaderShelf loaders;
  Handler handler;
  Blobs blobs;
  TftpFiles files{loaders, handler, blobs};
};

TEST_F(TftpFilesTest, GrubFindsItsFirstFileAndByItItsScript) {
  const std::string entry = text("grub/x86_64-efi/grub.cfg");
  EXPECT_EQ(entry, text("grub/grub.cfg"));
  EXPECT_NE(entry.find("source \"(tftp,$net_default_server)/grub/script/$net_default_mac/"
                       "$drover_tries\""),
            std::string::npos);
  EXPECT_EQ(text("grub/script/52:54:00:00:00:01/3"), "script of 52:54:00:00:00:01");
  EXPECT_EQ(handler.asked.retry, "3");
  EXPECT_EQ(handler.asked.format, "grub");
  EXPECT_EQ(handler.asked.source, "10.0.0.2");
  EXPECT_EQ(handler.asked.host, "10.0.0.1");
  EXPECT_EQ(text("grub/script/bad/0"), "none");
  ASSERT_TRUE(files.find_for("grub/script/52:54:00:00:00:01", {"fd00::2", "fd00::1"}));
  EXPECT_EQ(handler.asked.host, "[fd00::1]");
}

TEST_F(TftpFilesTest, KernelsComeAndRootsDoNot) {
  EXPECT_EQ(text("boot/blobs/" + kKernel), "bytes of " + kKernel);
  EXPECT_EQ(text("boot/blobs/" + kKernel), "bytes of " + kKernel);
  EXPECT_EQ(blobs.finds, 1) << "it is held";
  EXPECT_EQ(text("boot/blobs/" + kRoot), "none");
  EXPECT_EQ(text("boot/blobs/" + std::string(64, '0')), "none");
  EXPECT_EQ(text("boot/blobs/"), "bytes of ") << "the handler says what there is";
}

TEST_F(TftpFilesTest, WhatMustBeFetchedFirstIsThereLater) {
  blobs.later = true;
  EXPECT_EQ(text("boot/blobs/" + kKernel), "none");
  ASSERT_EQ(blobs.waiting.size(), 1U);
  blobs.waiting[0](net::make_memory_body(std::string("late")));
  blobs.later = false;
  EXPECT_EQ(text("boot/blobs/" + kKernel), "bytes of " + kKernel);
}

TEST_F(TftpFilesTest, HoldsTheLastFewAndWhatIsUsedStays) {
  for (char c = '1'; c <= '9'; ++c) text("boot/blobs/" + std::string(64, c));
  EXPECT_EQ(blobs.finds, 9);
  text("boot/blobs/" + std::string(64, '2'));
  EXPECT_EQ(blobs.finds, 9);
  const auto held = files.find("boot/blobs/" + std::string(64, '3'));
  text("boot/blobs/" + std::string(64, '1'));
  EXPECT_EQ(blobs.finds, 10) << "it was the oldest";
  for (char c = 'c'; c <= 'k'; ++c) text("boot/blobs/" + std::string(64, c));
  EXPECT_EQ(held->bytes, "bytes of " + std::string(64, '3')) << "a transfer keeps what it sends";
}

TEST_F(TftpFilesTest, LoadersAreServedAsBefore) {
  loaders.put("shimx64.efi", "shim");
  EXPECT_EQ(text("shimx64.efi"), "shim");
  EXPECT_EQ(text("grub/x86_64-efi/http.mod"), "none");
}

}  // namespace
}  // namespace drover::daemons
