// A restored master says once who restored what.
#include "daemons/restore_record.hpp"

#include "sim/fabric.hpp"
#include "sim/sim_disk.hpp"
#include "sim/world.hpp"
#include "store/sqlite/sqlite_store.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace drover::daemons {
namespace {

class RestoreRecord : public ::testing::Test {
 protected:
  RestoreRecord() {
    EXPECT_TRUE(disk.make_dirs("/state", 0700));
    open();
  }
  void open() {
    store.reset();
    store =
        store::open_sqlite(process.executor(), disk, process.log(), "/state/drover.db", {}).value();
  }
  void note(const std::string& id) {
    auth::RestoreNote out;
    out.id = id;
    out.restored = world.wall();
    out.by = "root";
    out.host = "admin2";
    out.file = "/safe/drover.backup";
    out.master = "m1";
    out.head = 7;
    EXPECT_TRUE(auth::write_restore_note(disk, "/state", out));
  }
  /// As a master does when it starts.
  void start() {
    record_restore(disk, "/state", *store, process.log(),
                   [this](const auth::RestoreNote& taken) { recorded.push_back(taken); });
    EXPECT_TRUE(world.run_for(std::chrono::seconds(1)));
  }

  sim::World world{1};
  sim::Fabric fabric{world};
  sim::SimDisk disk;
  sim::SimProcess process{world, {.name = "master", .host = "h1", .disk = &disk}};
  std::unique_ptr<store::Store> store;
  std::vector<auth::RestoreNote> recorded;
};

TEST_F(RestoreRecord, IsWrittenOnceHoweverOftenTheMasterStarts) {
  start();
  EXPECT_EQ(store->head(), 0U) << "nothing was restored";
  note("r1");
  start();
  ASSERT_EQ(store->head(), 1U);
  const auto objects = store->load(auth::kRestoreKind);
  ASSERT_TRUE(objects);
  ASSERT_EQ(objects->size(), 1U);
  EXPECT_NE(objects->front().body.find(R"("file":"/safe/drover.backup")"), std::string::npos);
  EXPECT_FALSE(disk.exists("/state/restored").value());
  ASSERT_EQ(recorded.size(), 1U);
  const auth::AuditRecord audit = audit_of(recorded[0], "master/m1");
  EXPECT_EQ(audit.principal, "user:root");
  EXPECT_EQ(audit.address, "admin2");
  EXPECT_EQ(audit.target, "/safe/drover.backup");
  start();
  EXPECT_EQ(store->head(), 1U);
  EXPECT_EQ(recorded.size(), 1U);
}

TEST_F(RestoreRecord, AMasterThatDiedBeforeTheNoteWasGoneDoesNotWriteItAgain) {
  note("r1");
  start();
  note("r1");
  start();
  EXPECT_EQ(store->head(), 1U);
  EXPECT_EQ(recorded.size(), 1U);
  EXPECT_FALSE(disk.exists("/state/restored").value());
  note("r2");
  start();
  EXPECT_EQ(store->head(), 2U) << "restored once more is another restore";
}

TEST_F(RestoreRecord, ANoteThatCannotBeReadStopsNobody) {
  ASSERT_TRUE(disk.write_atomic("/state/restored", "{\"id\":", 0600));
  start();
  EXPECT_EQ(store->head(), 0U);
  EXPECT_NE(world.trace().tail().find("the note of a restore cannot be read"), std::string::npos);
}

}  // namespace
}  // namespace drover::daemons
