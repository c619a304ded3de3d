#include "auth/audit.hpp"

#include "base/json_values.hpp"
#include "sim/sim_disk.hpp"
#include "sim/world.hpp"

#include <gtest/gtest.h>

namespace drover::auth {
namespace {

AuditRecord record(const std::string& id) {
  AuditRecord out;
  out.time = from_unix_ms(1'795'000'000'000);
  out.principal = "user:alice@utility/login1";
  out.daemon = "utility/login1";
  out.method = "POST";
  out.target = "/api/v1/tokens";
  out.outcome = "refused";
  out.status = 403;
  out.request_id = id;
  out.why = "it needs role admin\n\"really\"";
  return out;
}

class Audit : public ::testing::Test {
 protected:
  void start(AuditLog::Options options = {}) {
    options.dir = "/audit";
    audit_.reset();
    process_ = std::make_unique<sim::SimProcess>(
        world_, sim::ProcessOptions{.name = "master", .host = "h1", .disk = &disk_});
    worker_ = process_->executor().make_worker("audit");
    audit_ =
        std::make_unique<AuditLog>(process_->executor(), *worker_, disk_, process_->log(), options);
  }
  Status flush() {
    std::optional<Status> result;
    audit_->flush([&result](const Status& status) { result = status; });
    EXPECT_TRUE(
        world_.run_until([&result] { return result.has_value(); }, std::chrono::seconds(10)));
    return *result;
  }
  std::vector<std::string> lines(const std::string& name = "audit.jsonl") {
    const std::string text = disk_.read_all("/audit/" + name).value();
    std::vector<std::string> out;
    for (size_t at = 0; at < text.size();) {
      const size_t end = text.find('\n', at);
      EXPECT_NE(end, std::string::npos);
      out.push_back(text.substr(at, end - at));
      at = end + 1;
    }
    return out;
  }

  sim::World world_{1};
  sim::SimDisk disk_;
  std::unique_ptr<sim::SimProcess> process_;
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<AuditLog> audit_;
};

TEST_F(Audit, OneJsonLinePerRecord) {
  start();
  audit_->append(record("r1"));
  audit_->append(record("r2"));
  ASSERT_TRUE(flush());
  ASSERT_EQ(lines().size(), 2U);
  const json::value first = parse_json(lines()[0]).value();
  EXPECT_EQ(first.at("principal"), "user:alice@utility/login1");
  EXPECT_EQ(first.at("outcome"), "refused");
  EXPECT_EQ(first.at("status"), 403);
  EXPECT_EQ(first.at("why"), "it needs role admin\n\"really\"");
  EXPECT_EQ(first.at("request_id"), "r1");
}

TEST_F(Audit, WrittenWithoutBeingAskedAndWithFewSyncs) {
  start();
  uint64_t syncs = 0;
  disk_.set_fault_hook([&syncs](const sim::DiskOperation& operation) {
    if (operation.kind == sim::DiskOperation::Kind::sync) ++syncs;
    return sim::DiskFault::none;
  });
  for (int i = 0; i < 1000; ++i) audit_->append(record(std::to_string(i)));
  ASSERT_TRUE(world_.run_for(std::chrono::seconds(1)));
  EXPECT_EQ(lines().size(), 1000U);
  EXPECT_LE(syncs, 5U);
}

TEST_F(Audit, RotatesAndForgetsTheOldest) {
  start({.dir = {}, .max_file_bytes = 1000, .max_files = 3});
  for (int i = 0; i < 30; ++i) {
    audit_->append(record(std::to_string(i)));
    ASSERT_TRUE(flush());
  }
  EXPECT_EQ(disk_.list("/audit").value(),
            (std::vector<std::string>{"audit.1.jsonl", "audit.2.jsonl", "audit.jsonl"}));
  EXPECT_NE(lines().back().find("\"request_id\":\"29\""), std::string::npos);
  EXPECT_LE(disk_.bytes(), 3000U);
}

TEST_F(Audit, ATornLineIsEndedAfterACrash) {
  start();
  audit_->append(record("r1"));
  ASSERT_TRUE(flush());
  {
    auto file = disk_.open("/audit/audit.jsonl", false, 0).value();
    ASSERT_TRUE(file->write(file->size().value(), "{\"time\":"));
    ASSERT_TRUE(file->sync());
  }
  disk_.crash(process_->random());
  start();
  audit_->append(record("r2"));
  ASSERT_TRUE(flush());
  ASSERT_EQ(lines().size(), 3U);
  EXPECT_EQ(lines()[1], "{\"time\":");
  EXPECT_TRUE(parse_json(lines()[2]));
}

TEST_F(Audit, SyncedLinesSurviveAPowerCut) {
  start();
  audit_->append(record("r1"));
  ASSERT_TRUE(flush());
  disk_.crash(process_->random());
  EXPECT_EQ(lines().size(), 1U);
}

TEST_F(Audit, AFullDiskIsSaidAndHealsByItself) {
  start();
  disk_.set_fault_hook([](const sim::DiskOperation& operation) {
    return operation.kind == sim::DiskOperation::Kind::write ? sim::DiskFault::full
                                                             : sim::DiskFault::none;
  });
  audit_->append(record("r1"));
  EXPECT_FALSE(flush());
  EXPECT_TRUE(audit_->problem());
  EXPECT_EQ(audit_->lost(), 1U);
  disk_.set_fault_hook({});
  audit_->append(record("r2"));
  EXPECT_TRUE(flush());
  EXPECT_FALSE(audit_->problem());
  EXPECT_EQ(lines().size(), 1U);
}

TEST_F(Audit, AFloodIsBounded) {
  start({.dir = {}, .max_waiting_bytes = 10'000});
  for (int i = 0; i < 1000; ++i) audit_->append(record("r"));
  EXPECT_GT(audit_->lost(), 900U);
  EXPECT_TRUE(flush());
  EXPECT_EQ(lines().size() + audit_->lost(), 1000U);
}

}  // namespace
}  // namespace drover::auth
