// The lease book: stable, fair, bounded, and the same again from its records.
#include "boot/dhcp/lease_book.hpp"

#include <algorithm>
#include <map>
#include <random>

#include <gtest/gtest.h>

namespace drover::boot::dhcp {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr WallTime kNow{std::chrono::hours(500'000)};
constexpr Ipv4 kFirst{0x0a4d0164};  // 10.77.1.100

struct Journal final : LeaseJournal {
  void append(const Lease& lease) override { records.push_back(lease); }
  std::vector<Lease> records;
};

Ipv4 at(uint32_t offset) {
  return {kFirst.value + offset};
}

struct LeaseBookTest : testing::Test {
  Journal journal;
  LeaseBook book{{{at(0), at(3)}, {at(100), at(100)}}, {}, journal};

  bool take(std::string_view client, uint32_t offset, WallTime now = kNow) {
    return book.grant(client, at(offset), client, minutes(10), now);
  }
};

TEST_F(LeaseBookTest, OffersTheSameAddressToTheSameClient) {
  EXPECT_EQ(book.offer(0, "a", {}, kNow), at(0));
  EXPECT_EQ(book.offer(0, "b", {}, kNow), at(1));
  EXPECT_EQ(book.offer(0, "a", at(3), kNow), at(0)) << "what it holds goes before what it wants";
  EXPECT_TRUE(journal.records.empty()) << "an offer need not last";
  ASSERT_TRUE(take("a", 0));
  EXPECT_EQ(book.offer(0, "a", {}, kNow + minutes(5)), at(0));
  EXPECT_EQ(book.offer(0, "a", {}, kNow + minutes(60)), at(0)) << "long after the lease ended";
  EXPECT_EQ(book.held(0, "a", kNow + minutes(61)), nullptr) << "that offer is over too";
}

TEST_F(LeaseBookTest, GivesWhatIsWantedWhereItIsFree) {
  EXPECT_EQ(book.offer(0, "a", at(2), kNow), at(2));
  EXPECT_EQ(book.offer(0, "b", at(2), kNow), at(0)) << "held for another";
  EXPECT_EQ(book.offer(0, "c", at(50), kNow), at(1)) << "not of this pool";
  EXPECT_EQ(book.offer(1, "d", {}, kNow), at(100)) << "the other pool";
  EXPECT_EQ(book.offer(2, "e", {}, kNow), std::nullopt) << "no such pool";
}

TEST_F(LeaseBookTest, RefusesAnAddressThatAnotherHas) {
  ASSERT_TRUE(take("a", 0));
  EXPECT_FALSE(take("b", 0));
  EXPECT_FALSE(book.grant("b", at(7), "", minutes(1), kNow)) << "in no pool";
  EXPECT_TRUE(take("b", 0, kNow + minutes(11))) << "the lease is over";
  EXPECT_EQ(book.find(at(0))->client, "b");
}

TEST_F(LeaseBookTest, OneClientHoldsOneAddressOfAPool) {
  ASSERT_TRUE(take("a", 0));
  ASSERT_TRUE(take("a", 1));
  EXPECT_EQ(book.held(0, "a", kNow)->address, at(1));
  EXPECT_EQ(book.find(at(0))->state, LeaseState::free);
  EXPECT_EQ(book.in_use(), 1U);
}

TEST_F(LeaseBookTest, TakesTheLongestFreeWhenNoneIsFresh) {
  for (uint32_t i = 0; i < 4; ++i) ASSERT_TRUE(take(std::string(1, 'a' + static_cast<char>(i)), i));
  EXPECT_EQ(book.offer(0, "e", {}, kNow), std::nullopt) << "all are taken";
  EXPECT_TRUE(book.release("c", at(2), kNow + seconds(1)));
  EXPECT_TRUE(book.release("b", at(1), kNow + seconds(2)));
  EXPECT_FALSE(book.release("b", at(1), kNow)) << "once";
  EXPECT_FALSE(book.release("b", at(0), kNow)) << "not its own";
  EXPECT_EQ(book.offer(0, "e", {}, kNow + seconds(3)), at(2));
  EXPECT_EQ(book.offer(0, "b", {}, kNow + seconds(3)), at(1)) << "remembers it";
}

TEST_F(LeaseBookTest, AnOfferThatIsNotTakenEnds) {
  EXPECT_EQ(book.offer(1, "a", {}, kNow), at(100));
  EXPECT_EQ(book.offer(1, "b", {}, kNow + seconds(29)), std::nullopt);
  EXPECT_EQ(book.offer(1, "b", {}, kNow + seconds(30)), at(100));
  EXPECT_FALSE(book.grant("a", at(100), "", minutes(1), kNow + seconds(31)));
}

TEST_F(LeaseBookTest, AnAddressInConflictRests) {
  ASSERT_TRUE(take("a", 0));
  EXPECT_FALSE(book.conflict(at(0), "b", kNow)) << "another's word counts for nothing";
  EXPECT_TRUE(book.conflict(at(0), "a", kNow));
  EXPECT_EQ(book.held(0, "a", kNow), nullptr);
  EXPECT_EQ(book.offer(0, "a", at(0), kNow), at(1));
  EXPECT_FALSE(take("a", 0, kNow + minutes(29)));
  EXPECT_TRUE(take("c", 0, kNow + minutes(30)));
  EXPECT_TRUE(book.conflict(at(3), std::nullopt, kNow)) << "found by a probe";
  EXPECT_FALSE(book.conflict(at(50), std::nullopt, kNow));
}

TEST_F(LeaseBookTest, ReservedAddressesAreNotDealtOut) {
  book.set_reserved(at(0), true);
  EXPECT_EQ(book.offer(0, "a", at(0), kNow), at(1));
  EXPECT_FALSE(take("a", 0));
  ASSERT_TRUE(take("b", 2));
  book.set_reserved(at(2), true);
  EXPECT_FALSE(take("b", 2)) << "not renewed";
  EXPECT_EQ(book.find(at(2))->client, "b") << "but it lasts until its end";
  EXPECT_EQ(book.offer(0, "b", {}, kNow), at(3));
  book.set_reserved(at(0), false);
  EXPECT_EQ(book.offer(0, "d", {}, kNow), at(0)) << "passed by before, free now";
  book.set_reserved(at(2), false);
  EXPECT_EQ(book.offer(0, "e", {}, kNow + minutes(11)).has_value(), true);
}

TEST_F(LeaseBookTest, ExpiryIsJournaledAndLasts) {
  ASSERT_TRUE(take("a", 0));
  ASSERT_EQ(book.records(), 1U);
  EXPECT_EQ(book.expire(kNow + minutes(9)), 0U);
  EXPECT_EQ(book.expire(kNow + minutes(10)), 1U);
  EXPECT_EQ(book.records(), 2U);
  EXPECT_EQ(journal.records.back().state, LeaseState::free);
  EXPECT_EQ(journal.records.back().client, "a");
}

TEST_F(LeaseBookTest, RestoresFromSnapshotAndRecords) {
  ASSERT_TRUE(take("a", 0));
  ASSERT_TRUE(take("b", 1));
  (void)book.offer(0, "c", {}, kNow);
  EXPECT_TRUE(book.conflict(at(3), std::nullopt, kNow));
  Journal nothing;
  LeaseBook again({{at(0), at(3)}}, {}, nothing);
  for (const Lease& lease : book.snapshot()) EXPECT_TRUE(again.restore(lease));
  EXPECT_EQ(again.snapshot(), book.snapshot());
  EXPECT_TRUE(nothing.records.empty());
  EXPECT_EQ(again.offer(0, "b", {}, kNow), at(1));
  EXPECT_EQ(again.offer(0, "d", {}, kNow), at(2)) << "the offer to c was not kept";
  EXPECT_EQ(again.offer(0, "e", {}, kNow), std::nullopt);
  Lease elsewhere;
  elsewhere.address = at(100);
  EXPECT_FALSE(again.restore(elsewhere)) << "its pool is gone";
}

TEST(LeaseBookPoolsTest, EmptyAndTopmostPools) {
  Journal journal;
  LeaseBook book({{at(5), at(4)}, {Ipv4{0xfffffffe}, Ipv4{0xffffffff}}}, {}, journal);
  EXPECT_EQ(book.offer(0, "a", at(5), kNow), std::nullopt);
  EXPECT_EQ(book.offer(1, "a", {}, kNow), Ipv4{0xfffffffe});
  EXPECT_EQ(book.offer(1, "b", {}, kNow), Ipv4{0xffffffff});
  EXPECT_EQ(book.offer(1, "c", {}, kNow), std::nullopt);
}

TEST(ClientKeyTest, HardwareBeforeIdentifier) {
  const auto mac = HardwareAddress::parse("52:54:00:77:00:01").value();
  EXPECT_EQ(client_key(mac, "firmware"), client_key(mac, "system"));
  EXPECT_NE(client_key({}, "one"), client_key({}, "two"));
  EXPECT_NE(client_key(mac, ""), client_key({}, std::string("\x01") + std::string(mac.view())));
}

/// Random traffic against a plain model of what a book must never do.
TEST(LeaseBookPropertyTest, NeverGivesOneAddressToTwo) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    std::minstd_rand lots(seed);
    Journal journal;
    LeaseBook book({{at(0), at(9)}}, {}, journal);
    std::map<Ipv4, std::pair<std::string, WallTime>> given;
    WallTime now = kNow;
    for (int step = 0; step < 2000; ++step) {
      now += seconds(lots() % 40);
      const std::string client = "c" + std::to_string(lots() % 15);
      switch (lots() % 6) {
        case 0:
        case 1:
        case 2: {
          const auto offered = book.offer(0, client, at(lots() % 12), now);
          if (!offered || lots() % 4 == 0) break;
          if (!book.grant(client, *offered, "", minutes(2), now)) ADD_FAILURE() << "own offer";
          const auto other = given.find(*offered);
          if (other != given.end() && other->second.second > now) {
            ASSERT_EQ(other->second.first, client) << "seed " << seed << " step " << step;
          }
          given[*offered] = {client, now + minutes(2)};
          break;
        }
        case 3: {
          const Ipv4 address = at(lots() % 10);
          if (book.release(client, address, now) && given[address].first == client) {
            given.erase(address);
          }
          break;
        }
        case 4:
          book.conflict(at(lots() % 10), client, now);
          break;
        default:
          book.set_reserved(at(lots() % 10), lots() % 2 == 0);
      }
    }
    // What the journal says is what the book says, offers aside.
    Journal nothing;
    LeaseBook again({{at(0), at(9)}}, {}, nothing);
    book.expire(now + std::chrono::hours(1));
    for (const Lease& lease : journal.records) again.restore(lease);
    for (const Lease& lease : again.snapshot()) {
      EXPECT_EQ(lease.state, LeaseState::free);
      EXPECT_EQ(book.find(lease.address)->state, LeaseState::free);
    }
  }
}

}  // namespace
}  // namespace drover::boot::dhcp
