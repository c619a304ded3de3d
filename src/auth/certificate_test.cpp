#include "auth/certificate.hpp"

#include "auth/test_support.hpp"

#include <gtest/gtest.h>

namespace drover::auth {
namespace {

using testing::kNow;
using testing::TestCa;

class Certificates : public ::testing::Test {
 protected:
  [[nodiscard]] Trust trust() const { return Trust::from_pem(ca_.authority().ca_pem()).value(); }
  [[nodiscard]] Certificate leaf() {
    return Certificate::from_pem(ca_.certify(key_, "compute", "n1")).value();
  }
  TestCa ca_;
  KeyPair key_ = KeyPair::make().value();
};

TEST_F(Certificates, IdentityIsReadFromTheUri) {
  const tree::CertificateName name = leaf().identity().value();
  EXPECT_EQ(name.cluster, "alpha");
  EXPECT_EQ(name.role, "compute");
  EXPECT_EQ(name.name, "n1");
}

TEST_F(Certificates, PemReadsBackAsTheSame) {
  const Certificate first = leaf();
  EXPECT_EQ(Certificate::from_pem(first.pem().value()).value().fingerprint(), first.fingerprint());
}

TEST_F(Certificates, ValidFromItsFirstToItsLastSecond) {
  const Certificate certificate = leaf();
  EXPECT_TRUE(trust().verify(certificate, certificate.not_before()));
  EXPECT_TRUE(trust().verify(certificate, certificate.not_after() - std::chrono::seconds(1)));
  auto late = trust().verify(certificate, certificate.not_after());
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::unauthenticated);
  EXPECT_NE(late.error().message.find("'drover://alpha/compute/n1' expired at 2026-"),
            std::string::npos);
  auto early = trust().verify(certificate, certificate.not_before() - std::chrono::seconds(1));
  ASSERT_FALSE(early);
  EXPECT_NE(early.error().message.find("not valid before"), std::string::npos);
}

TEST_F(Certificates, AForeignCaIsRefusedEvenWithTheSameName) {
  TestCa other("alpha", 2);
  const Certificate foreign = Certificate::from_pem(other.certify(key_, "compute", "n1")).value();
  auto refused = trust().verify(foreign, kNow);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::unauthenticated);
  EXPECT_NE(refused.error().message.find("not issued by this cluster's CA"), std::string::npos);
}

TEST_F(Certificates, TheCaItselfIsNobody) {
  const Certificate ca = Certificate::from_pem(ca_.authority().ca_pem()).value();
  EXPECT_EQ(trust().verify(ca, kNow).error().code, Code::unauthenticated);
}

TEST_F(Certificates, SeveralCasCanBeTrusted) {
  TestCa other("alpha", 2);
  const Trust both = Trust::from_pem(ca_.authority().ca_pem() + other.authority().ca_pem()).value();
  EXPECT_TRUE(both.verify(leaf(), kNow));
  EXPECT_TRUE(
      both.verify(Certificate::from_pem(other.certify(key_, "compute", "n1")).value(), kNow));
}

TEST_F(Certificates, TruncatedAndForeignTextIsRefused) {
  const std::string pem = ca_.certify(key_, "compute", "n1");
  for (size_t size = 0; size + 2 < pem.size(); size += 5) {
    EXPECT_EQ(Certificate::from_pem(pem.substr(0, size)).error().code, Code::invalid_argument)
        << size;
  }
  EXPECT_FALSE(Certificate::from_pem(key_.pem().value()));
  EXPECT_FALSE(Certificate::from_pem(std::string(100'000, 'x')));
}

TEST_F(Certificates, EveryChangedByteIsNoticed) {
  const std::string pem = ca_.certify(key_, "compute", "n1");
  const size_t begin = pem.find('\n') + 1;
  // The last group of Base64 may hold bits that mean nothing.
  const size_t end = pem.find("-----END") - 5;
  for (size_t i = begin; i < end; i += 11) {
    std::string broken = pem;
    broken[i] = broken[i] == 'A' ? 'B' : 'A';
    auto certificate = Certificate::from_pem(broken);
    if (!certificate) continue;
    EXPECT_FALSE(trust().verify(*certificate, kNow)) << "byte " << i;
  }
}

TEST_F(Certificates, TrustNeedsOneWholeCertificate) {
  EXPECT_FALSE(Trust::from_pem(""));
  EXPECT_FALSE(Trust::from_pem("hello"));
  const std::string pem = ca_.authority().ca_pem();
  EXPECT_FALSE(
      Trust::from_pem(pem + pem.substr(0, pem.size() / 2) + "\n-----END CERTIFICATE-----\n"));
}

}  // namespace
}  // namespace drover::auth
