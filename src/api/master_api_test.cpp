// The API behind a real HTTP server, asked by a real client, over the simulated network.
#include "api/master_api.hpp"

#include "api/test_master.hpp"
#include "net/http/http_client.hpp"
#include "net/http/http_server.hpp"
#include "sim/sim_net.hpp"

#include <fmt/format.h>

namespace drover::api {
namespace {

using std::chrono::seconds;

class MasterApiTest : public ::testing::Test {
 protected:
  MasterApiTest() {
    const auto bound = server_.listen({"", 0, "/run/drover.sock"});
    EXPECT_TRUE(bound);
  }
  void answer(net::HttpRequest request, std::shared_ptr<net::HttpExchange> exchange) {
    Result<auth::Principal> who = auth::Principal{};
    if (request.peer.local) {
      who = auth::local_principal(*request.peer.local, "root", 0, tree::Role::master, "m1");
    }
    master_.api->serve(std::move(request), std::move(who),
                       std::make_unique<ExchangeAnswer>(std::move(exchange)));
  }
  net::HttpResponse ask(const std::string& method, const std::string& target,
                        const std::string& body = "") {
    std::optional<Result<net::HttpResponse>> response;
    const auto call =
        client_.request({"", 0, "/run/drover.sock"}, nullptr, {method, target, {}, body, {}},
                        seconds(60), [&](Result<net::HttpResponse> r) { response = std::move(r); });
    EXPECT_TRUE(master_.world.run_until([&] { return response.has_value(); }, seconds(61)));
    return response && *response ? **response : net::HttpResponse{};
  }

  testing::TestMaster master_;
  sim::SimNet net_{master_.fabric, master_.process};
  sim::SimProcess user_{master_.world, {.name = "drover", .host = "h1", .disk = &master_.disk}};
  sim::SimNet user_net_{master_.fabric, user_};
  net::HttpServer server_{
      master_.process.executor(), net_, master_.process.log("http"),
      [this](net::HttpRequest request, std::shared_ptr<net::HttpExchange> exchange) {
        answer(std::move(request), std::move(exchange));
      }};
  net::HttpClient client_{user_.executor(), user_net_};
};

TEST_F(MasterApiTest, RootOnTheMastersSocketIsAdmin) {
  const auto made = ask("POST", "/api/v1/tokens", R"({"role":"compute"})");
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(ask("GET", "/api/v1/nope").status, 404);
}

TEST_F(MasterApiTest, AWatcherSeesAChangeAsItIsMade) {
  master_.add_node("n1");
  std::string stream;
  const auto watching = client_.stream(
      {"", 0, "/run/drover.sock"}, nullptr, {"GET", "/api/v1/watch", {}, "", {}}, seconds(5), {},
      {.on_head = [](const net::HttpResponse& head) { EXPECT_EQ(head.status, 200); },
       .on_chunk = [&](std::string_view chunk) { stream += chunk; },
       .on_end = [](const Status&) {}});
  ASSERT_TRUE(master_.world.run_until([&] { return stream.find("bookmark") != std::string::npos; },
                                      seconds(5)));
  ASSERT_EQ(ask("PATCH", "/api/v1/nodes/n1", R"({"service":"in_service"})").status, 200);
  ASSERT_TRUE(master_.world.run_until(
      [&] { return stream.find("in_service") != std::string::npos; }, seconds(5)));
  EXPECT_NE(stream.find("id: 2\nevent: change\n"), std::string::npos) << stream;
}

TEST_F(MasterApiTest, AListOfThousandsArrivesWhole) {
  for (int i = 0; i < 3000; ++i) {
    master_.store->write("test",
                         [i](store::Transaction& tx) -> Status {
                           const auto made = cluster::ensure_node(
                               tx, fmt::format("n{}", i), cluster::NodeRole::compute, "id", "test");
                           return made ? Status() : tl::unexpected<Error>(made.error());
                         },
                         {});
  }
  master_.add_node("last");
  const auto listed = ask("GET", "/api/v1/noderange/expand?nodes=*");
  EXPECT_NE(listed.body.find("\"count\":3001"), std::string::npos);
}

}  // namespace
}  // namespace drover::api
