#include "auth/assertion.hpp"

#include "auth/test_support.hpp"

#include <gtest/gtest.h>

namespace drover::auth {
namespace {

using testing::HandClock;
using testing::kNow;
using testing::SeededRandom;
using testing::TestCa;

const Claim kAlice{1000, 100, "alice", false};

class Assertions : public ::testing::Test {
 protected:
  Assertions() { EXPECT_TRUE(signer_.use(key_, ca_.certify(key_, "utility", "login1"))); }

  [[nodiscard]] Trust trust() const { return Trust::from_pem(ca_.authority().ca_pem()).value(); }
  [[nodiscard]] SignedAssertion signed_by_login1(const std::string& request = "r") {
    return signer_.sign(kAlice, request).value();
  }
  /// Why `assertion` is refused; "accepted" when it is not.
  std::string refusal(const SignedAssertion& assertion, const std::string& request = "r") {
    auto verified = verifier_.verify(assertion, request);
    if (verified) return "accepted";
    EXPECT_EQ(verified.error().code, Code::unauthenticated);
    return verified.error().text();
  }

  TestCa ca_;
  KeyPair key_ = KeyPair::make().value();
  HandClock clock_;
  SeededRandom random_;
  CertificateSigner signer_{clock_, random_};
  CertificateVerifier verifier_{clock_, trust(), "alpha"};
};

TEST_F(Assertions, WhatWasSignedIsVerified) {
  const Assertion verified = verifier_.verify(signed_by_login1(), "r").value();
  EXPECT_EQ(verified.daemon_uri, "drover://alpha/utility/login1");
  EXPECT_EQ(verified.claim.uid, 1000U);
  EXPECT_EQ(verified.claim.gid, 100U);
  EXPECT_EQ(verified.claim.user, "alice");
  EXPECT_FALSE(verified.claim.daemon_itself);
  EXPECT_EQ(verified.time, kNow);
}

TEST_F(Assertions, ACertificateThatWasGoodStillHasItsEnd) {
  EXPECT_EQ(refusal(signed_by_login1()), "accepted");
  const WallTime end = Certificate::from_pem(signed_by_login1().certificate_pem)->not_after();
  clock_.set_wall(end - std::chrono::seconds(1));
  EXPECT_EQ(refusal(signed_by_login1()), "accepted");
  clock_.set_wall(end);
  EXPECT_NE(refusal(signed_by_login1()).find("expired"), std::string::npos);
}

TEST_F(Assertions, WhoseTextIsNotTheKnownOneIsLookedAtAnew) {
  SignedAssertion assertion = signed_by_login1();
  EXPECT_EQ(refusal(assertion), "accepted");
  TestCa other("alpha", 2);
  ASSERT_TRUE(signer_.use(key_, other.certify(key_, "utility", "login1")));
  EXPECT_NE(refusal(signed_by_login1()), "accepted");
}

TEST_F(Assertions, OnceOnly) {
  const SignedAssertion assertion = signed_by_login1();
  EXPECT_EQ(refusal(assertion), "accepted");
  EXPECT_NE(refusal(assertion).find("was used before"), std::string::npos);
  EXPECT_EQ(refusal(signed_by_login1()), "accepted");
}

TEST_F(Assertions, ARefusedOneIsNotSpent) {
  const SignedAssertion assertion = signed_by_login1();
  EXPECT_NE(refusal(assertion, "other").find("vouched for another request"), std::string::npos);
  EXPECT_EQ(refusal(assertion), "accepted");
}

TEST_F(Assertions, FreshWithinTheSkewInBothDirections) {
  const SignedAssertion now = signed_by_login1();
  clock_.set_wall(kNow + kAssertionSkew);
  EXPECT_EQ(refusal(now), "accepted");
  const SignedAssertion ahead = signed_by_login1();
  clock_.set_wall(kNow);
  EXPECT_EQ(refusal(ahead), "accepted");
  const SignedAssertion old = signed_by_login1();
  clock_.set_wall(kNow + kAssertionSkew + std::chrono::milliseconds(1));
  EXPECT_NE(refusal(old).find("more than 60 s apart"), std::string::npos);
  clock_.set_wall(kNow - kAssertionSkew - std::chrono::milliseconds(1));
  EXPECT_NE(refusal(old).find("more than 60 s apart"), std::string::npos);
}

TEST_F(Assertions, NoChangedByteIsAccepted) {
  const SignedAssertion good = signed_by_login1();
  for (size_t i = 0; i < good.assertion.size(); ++i) {
    SignedAssertion bad = good;
    bad.assertion[i] = static_cast<char>(bad.assertion[i] ^ 1);
    EXPECT_NE(refusal(bad), "accepted") << "byte " << i;
  }
  SignedAssertion bad = good;
  bad.signature.pop_back();
  EXPECT_NE(refusal(bad), "accepted");
  bad = good;
  bad.certificate_pem = "";
  EXPECT_NE(refusal(bad), "accepted");
}

TEST_F(Assertions, NobodySignsForAnother) {
  const KeyPair n1 = KeyPair::make().value();
  SignedAssertion swapped = signed_by_login1();
  swapped.certificate_pem = ca_.certify(n1, "compute", "n1");
  EXPECT_NE(refusal(swapped).find("not that of 'drover://alpha/compute/n1'"), std::string::npos);
  swapped.signature = n1.sign(swapped.assertion).value();
  EXPECT_NE(refusal(swapped).find(
                "'drover://alpha/compute/n1' signed as 'drover://alpha/utility/login1'"),
            std::string::npos);
}

TEST_F(Assertions, ForeignExpiredAndPersonsCertificatesAreRefused) {
  TestCa foreign("alpha", 7);
  CertificateSigner signer(clock_, random_);
  ASSERT_TRUE(signer.use(key_, foreign.certify(key_, "utility", "login1")));
  EXPECT_NE(refusal(signer.sign(kAlice, "r").value()).find("not issued by this cluster's CA"),
            std::string::npos);
  ASSERT_TRUE(signer.use(key_, ca_.certify(key_, "admin", "bob")));
  EXPECT_NE(refusal(signer.sign(kAlice, "r").value()).find("is no daemon"), std::string::npos);
  IssueRequest other = ca_.request(key_, "utility", "login1");
  other.cluster = "beta";
  ASSERT_TRUE(signer.use(key_, ca_.authority().issue(other).value().certificate_pem));
  EXPECT_NE(refusal(signer.sign(kAlice, "r").value()).find("cluster 'beta'"), std::string::npos);
  clock_.advance(kDefaultLifetime);
  EXPECT_NE(refusal(signed_by_login1()).find("expired"), std::string::npos);
}

TEST_F(Assertions, TheSignerWantsItsOwnCertificate) {
  CertificateSigner signer(clock_, random_);
  EXPECT_FALSE(signer.sign(kAlice, "r"));
  const KeyPair other = KeyPair::make().value();
  EXPECT_EQ(signer.use(other, ca_.certify(key_, "utility", "login1")).error().code, Code::conflict);
}

TEST(AssertionBytes, OneSpellingPerValue) {
  const Assertion assertion{"drover://alpha/utility/login1",
                            {0xffffffff, 0, "", true},
                            std::string(64, 'a'),
                            kNow,
                            std::string(32, '0')};
  const std::string bytes = canonical_bytes(assertion);
  const Assertion read = parse_assertion(bytes).value();
  EXPECT_EQ(canonical_bytes(read), bytes);
  EXPECT_EQ(read.claim.uid, 0xffffffffU);
  EXPECT_TRUE(read.claim.daemon_itself);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(parse_assertion(std::string_view(bytes).substr(0, size))) << size;
  }
  EXPECT_FALSE(parse_assertion(bytes + '\0'));
  EXPECT_FALSE(parse_assertion(bytes + std::string(10'000, 'x')));
}

TEST(AssertionBytes, RequestHashKeepsThePartsApart) {
  const std::string hash = request_hash("GET", "/a", "b");
  EXPECT_EQ(hash.size(), 64U);
  EXPECT_NE(hash, request_hash("GET", "/ab", ""));
  EXPECT_NE(hash, request_hash("GET/", "a", "b"));
  EXPECT_NE(hash, request_hash("PUT", "/a", "b"));
  EXPECT_EQ(hash, request_hash("GET", "/a", "b"));
}

TEST(ReplayGuard, BoundedInTimeAndNumber) {
  ReplayGuard guard(std::chrono::seconds(10), {.per_daemon = 2, .total = 3});
  MonoTime now{};
  WallTime made{};
  EXPECT_TRUE(guard.admit(now, made, "a", "1"));
  EXPECT_TRUE(guard.admit(now, made, "a", "2"));
  EXPECT_EQ(guard.admit(now, made, "a", "1").error().code, Code::unauthenticated);
  EXPECT_EQ(guard.admit(now, made, "a", "3").error().code, Code::exhausted);
  now += std::chrono::seconds(5);
  EXPECT_TRUE(guard.admit(now, made, "b", "1"));
  EXPECT_EQ(guard.admit(now, made, "c", "1").error().code, Code::exhausted);
  now += std::chrono::seconds(5);
  made += std::chrono::seconds(10);
  EXPECT_TRUE(guard.admit(now, made, "a", "3"));
  EXPECT_EQ(guard.admit(now, made, "b", "1").error().code, Code::unauthenticated);
  EXPECT_EQ(guard.size(), 2U);
}

TEST(ReplayGuard, AClockThatIsSetBackLetsNoReplayThrough) {
  ReplayGuard guard(std::chrono::seconds(10));
  MonoTime now{};
  const WallTime noon = from_unix_ms(1'800'000'000'000);
  EXPECT_TRUE(guard.admit(now, noon, "a", "1"));
  now += std::chrono::seconds(11);
  EXPECT_TRUE(guard.admit(now, noon + std::chrono::seconds(11), "a", "2"));
  // The clock goes back by 11 s: the first is as fresh as when it was used, and its nonce is gone.
  EXPECT_EQ(guard.admit(now, noon, "a", "1").error().code, Code::unauthenticated);
  EXPECT_EQ(guard.admit(now, noon - std::chrono::seconds(1), "a", "3").error().code,
            Code::unauthenticated);
  EXPECT_TRUE(guard.admit(now, noon + std::chrono::milliseconds(1), "a", "4"));
}

}  // namespace
}  // namespace drover::auth
