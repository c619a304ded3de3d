// What nodes would boot, and what they boot once, from request to answer.
#include "api/test_master.hpp"
#include "cluster/image_mutations.hpp"

#include <string>

#include <gtest/gtest.h>

namespace drover::api {
namespace {

using testing::person;
using testing::Recorded;
using testing::TestMaster;

class BootApi : public ::testing::Test {
 protected:
  BootApi() {
    EXPECT_TRUE(master.write([](store::Transaction& tx) -> Status {
      cluster::ImageVersion version;
      version.digest = std::string(64, 'd');
      version.arch = "x86_64";
      version.kernel = {std::string(64, 'a'), 100, "6.1.0"};
      version.initrds = {{std::string(64, 'b'), 50, "drover"}};
      DROVER_CHECK_OK(put_image_version(tx, "lean", "", version));
      return {};
    }));
    post("/api/v1/networks", R"({"name":"boot","prefix":"10.77.0.0/24","gateway":"10.77.0.1"})");
    post("/api/v1/profiles", R"({"name":"default","attributes":{"image":"lean"}})");
    post("/api/v1/profiles", R"({"name":"memtest","attributes":{"kernel_args":"memtest=4"}})");
    post("/api/v1/nodes", R"({"name":"n1","spec":{"interfaces":[{"name":"eth0",
         "mac":"52:54:00:77:00:01","addresses":["10.77.0.11"]}]}})");
    post("/api/v1/nodes", R"({"name":"n2","spec":{"attributes":{"image":"other"}}})");
  }
  void post(const std::string& path, const std::string& body) {
    const Recorded made = master.ask("POST", path, body);
    EXPECT_EQ(made.status, 201) << made.body;
  }
  static bool has(const Recorded& answer, const std::string& part) {
    return answer.body.find(part) != std::string::npos;
  }
  TestMaster master;
};

TEST_F(BootApi, ShowsThePlanItsOriginsAndTheScript) {
  const Recorded shown = master.get("/api/v1/nodes/n1/boot?server=10.77.0.9");
  ASSERT_EQ(shown.status, 200) << shown.body;
  for (const char* part :
       {R"("problem":"")", R"("mode":"lean")", R"("image":"lean")", R"("interface":"eth0")",
        R"("network":"boot")", R"({"name":"image","value":"lean","origin":"profile default"})",
        R"({"name":"drover.ip","value":"10.77.0.11/24","origin":"interface eth0"})",
        R"({"name":"drover.gw","value":"10.77.0.1","origin":"network boot"})",
        "drover.boot=10.77.0.9:8443", "drover.token=TOKEN", "#!ipxe"}) {
    EXPECT_TRUE(has(shown, part)) << part << "\n" << shown.body;
  }
  EXPECT_TRUE(
      has(master.get("/api/v1/nodes/n1/boot?loader=grub"), "linux '(tftp,SERVER)/boot/blobs/"));
  EXPECT_EQ(master.get("/api/v1/nodes/n1/boot?loader=lilo").status, 400);
  EXPECT_EQ(master.get("/api/v1/nodes/n9/boot").status, 404);
}

TEST_F(BootApi, SaysWhyANodeCannotBoot) {
  const Recorded shown = master.get("/api/v1/nodes/n2/boot");
  ASSERT_EQ(shown.status, 200) << shown.body;
  EXPECT_TRUE(has(shown, R"("problem":"there is no image 'other'")")) << shown.body;
  EXPECT_TRUE(has(shown, "n2 cannot boot: there is no image"));
}

TEST_F(BootApi, BootsOnceWhatWasSaid) {
  const Recorded set = master.ask("POST", "/api/v1/boot-next?nodes=n[1-2]",
                                  R"({"profile":"memtest","image":"lean","why":"DIMM"})");
  ASSERT_EQ(set.status, 200) << set.body;
  EXPECT_TRUE(has(master.get("/api/v1/boot-next"), R"("node":"n2","image":"lean")"));
  const Recorded shown = master.get("/api/v1/nodes/n2/boot");
  EXPECT_TRUE(has(shown, R"("once":true)")) << shown.body;
  EXPECT_TRUE(has(shown, R"({"name":"image","value":"lean","origin":"boot-next"})"));
  EXPECT_TRUE(has(shown, R"x({"name":"kernel_args","value":"memtest=4",)x"
                         R"x("origin":"profile memtest of node (boot-next)"})x"))
      << shown.body;
  // A renamed node takes it along, a removed one loses it.
  ASSERT_EQ(master.ask("POST", "/api/v1/nodes/n2/rename", R"({"to":"m2"})").status, 200);
  EXPECT_TRUE(master.model.boot_nexts().contains("m2"));
  ASSERT_EQ(master.ask("DELETE", "/api/v1/nodes/m2").status, 204);
  EXPECT_EQ(master.model.boot_nexts().size(), 1U);
  ASSERT_EQ(master.ask("DELETE", "/api/v1/boot-next?nodes=n1").status, 200);
  EXPECT_TRUE(master.model.boot_nexts().empty());
}

TEST_F(BootApi, RefusesWhatCannotBe) {
  const auto set = [&](const std::string& body, const char* role = "operator") {
    return master.ask("POST", "/api/v1/boot-next?nodes=n1", body, {}, person(role)).status;
  };
  EXPECT_EQ(set(R"({"image":"nosuch"})"), 404);
  EXPECT_EQ(set(R"({"profile":"nosuch"})"), 207);
  EXPECT_EQ(set("{}"), 207) << "nothing is said";
  EXPECT_EQ(set(R"({"mode":"maybe"})"), 400);
  EXPECT_EQ(set(R"({"mode":"lean"})", "user"), 403);
  EXPECT_EQ(set(R"({"mode":"lean"})", "viewer"), 403);
  EXPECT_EQ(master.ask("POST", "/api/v1/boot-next", R"({"mode":"lean"})").status, 400);
  EXPECT_EQ(
      master.ask("POST", "/api/v1/boot-next?nodes=n1&dry_run=true", R"({"mode":"lean"})").status,
      200);
  EXPECT_TRUE(master.model.boot_nexts().empty());
}

}  // namespace
}  // namespace drover::api
