// A simulated network with emulated BMCs at one end and a manager at the other, for tests.
#pragma once

#include "hardware/redfish/bmc_client.hpp"
#include "hardware/redfish/crawl.hpp"
#include "sim/bmc/bmc_fleet.hpp"
#include "sim/fabric.hpp"
#include "sim/sim_net.hpp"
#include "sim/world.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace drover::hardware::testing {

using namespace std::chrono_literals;

class BmcGroundTest : public ::testing::Test {
 protected:
  /// A BMC at "bmcs:PORT"; it lives as long as the test.
  sim::BmcServer& add_bmc(sim::BmcTraits traits = {},
                          Callback<std::shared_ptr<net::Security>()> security = {}) {
    traits.number = static_cast<uint32_t>(bmcs_.size());
    bmcs_.push_back(std::make_unique<sim::BmcServer>(
        sim::BmcSeams{far_.executor(), far_net_, far_.random(), far_.log()}, traits));
    auto bound = bmcs_.back()->listen({"bmcs", 0, ""}, std::move(security));
    EXPECT_TRUE(bound);
    endpoints_.push_back({"bmcs", bound->port, ""});
    return *bmcs_.back();
  }
  BmcAccess access(size_t index = 0) const {
    return {endpoints_.at(index), nullptr, "", "root", "calvin"};
  }
  /// Crawls every BMC at once; results in their order.
  std::vector<Result<CrawlResult>> crawl_all(BmcClientOptions client = {},
                                             CrawlOptions options = {}) {
    std::vector<std::optional<Result<CrawlResult>>> results(bmcs_.size());
    std::vector<std::unique_ptr<Crawl>> crawls;
    size_t left = bmcs_.size();
    took_.assign(bmcs_.size(), {});
    const Duration begin = world_.now();
    for (size_t i = 0; i < bmcs_.size(); ++i) {
      crawls.push_back(std::make_unique<Crawl>(ground_, access(i), client, options,
                                               [&, i](Result<CrawlResult> result) {
                                                 results[i] = std::move(result);
                                                 took_[i] = world_.now() - begin;
                                                 --left;
                                               }));
    }
    EXPECT_TRUE(world_.run_until([&] { return left == 0; }, 30min));
    std::vector<Result<CrawlResult>> all;
    for (auto& result : results) {
      all.push_back(result ? *std::move(result) : fail(Code::timed_out, "no result"));
    }
    return all;
  }
  Result<CrawlResult> crawl(BmcClientOptions client = {}, CrawlOptions options = {}) {
    auto all = crawl_all(client, options);
    return std::move(all.back());
  }
  Result<BmcAnswer> ask(BmcClient& client, BmcRequest request) {
    std::optional<Result<BmcAnswer>> answer;
    client.send(std::move(request), [&](Result<BmcAnswer> got) { answer = std::move(got); });
    EXPECT_TRUE(world_.run_until([&] { return answer.has_value(); }, 30min));
    return *std::move(answer);
  }
  Result<BmcAnswer> get(BmcClient& client, const std::string& target) {
    BmcRequest request;
    request.target = target;
    return ask(client, std::move(request));
  }

  sim::World world_{7};
  sim::Fabric fabric_{world_};
  sim::SimProcess far_{world_, {.name = "bmcs", .host = "bmcs"}};
  sim::SimProcess near_{world_, {.name = "manager", .host = "manager"}};
  sim::SimNet far_net_{fabric_, far_};
  sim::SimNet near_net_{fabric_, near_};
  BmcGround ground_{near_.executor(), near_net_, near_.random(), 256};
  std::vector<std::unique_ptr<sim::BmcServer>> bmcs_;
  std::vector<net::Endpoint> endpoints_;
  std::vector<Duration> took_;  ///< of each crawl, in virtual time
};

}  // namespace drover::hardware::testing
