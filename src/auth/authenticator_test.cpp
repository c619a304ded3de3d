#include "auth/authenticator.hpp"

#include "auth/caller_header.hpp"
#include "auth/test_support.hpp"

#include <gtest/gtest.h>

namespace drover::auth {
namespace {

using testing::HandClock;
using testing::SeededRandom;
using testing::TestCa;

class Authenticators : public ::testing::Test {
 protected:
  Authenticators() { EXPECT_TRUE(signer_.use(key_, ca_.certify(key_, "utility", "login1"))); }

  Authenticator make() {
    return {{.cluster = "alpha",
             .role = tree::Role::master,
             .name = "m1",
             .own_uid = 990,
             .user_name = [](uint32_t uid) { return uid == 0 ? "root" : ""; },
             .check_daemon = [this](const std::string& role, const std::string& name,
                                    const std::string& key) -> Status {
               checked_ = role + "/" + name + " " + key;
               if (revoked_) return fail(Code::denied, "revoked");
               return {};
             }},
            verifier_};
  }
  net::HttpRequest forwarded(const Claim& claim) {
    net::HttpRequest request;
    request.method = "POST";
    request.target = "/api/v1/tokens";
    request.body = "{}";
    const auto vouched =
        signer_.sign(claim, request_hash(request.method, request.target, request.body));
    request.headers.set(std::string(kCallerHeader), caller_header(vouched.value()));
    return request;
  }

  TestCa ca_;
  KeyPair key_ = KeyPair::make().value();
  HandClock clock_;
  SeededRandom random_;
  CertificateSigner signer_{clock_, random_};
  CertificateVerifier verifier_{clock_, Trust::from_pem(ca_.authority().ca_pem()).value(), "alpha"};
  std::string checked_;
  bool revoked_ = false;
};

TEST_F(Authenticators, TheKernelSpeaksForTheOwnSocket) {
  net::HttpRequest request;
  request.peer.local = net::LocalCaller{990, 990, 1};
  revoked_ = true;  // nobody revokes the master that is asked
  const Principal caller = make().identify(request).value();
  EXPECT_EQ(caller.text(), "user:#990@master/m1");
  EXPECT_TRUE(caller.owns_daemon);
}

TEST_F(Authenticators, ALocalCallerCannotPretendToBeForwarded) {
  net::HttpRequest request = forwarded({0, 0, "root", false});
  request.peer.local = net::LocalCaller{1000, 1000, 1};
  EXPECT_EQ(make().identify(request).value().text(), "user:#1000@master/m1");
}

TEST_F(Authenticators, ADaemonSpeaksForItsCallers) {
  EXPECT_EQ(make().identify(forwarded({1000, 100, "alice", false})).value().text(),
            "user:alice@utility/login1");
  EXPECT_EQ(checked_, "utility/login1 " + key_.public_key().sha256());
}

TEST_F(Authenticators, AndForItselfWithItsKey) {
  const Principal daemon = make().identify(forwarded({0, 0, "", true})).value();
  EXPECT_EQ(daemon.text(), "daemon:utility/login1");
  EXPECT_EQ(daemon.key_sha256, key_.public_key().sha256());
}

TEST_F(Authenticators, ARevokedDaemonSpeaksForNobody) {
  revoked_ = true;
  EXPECT_EQ(make().identify(forwarded({1000, 100, "alice", false})).error().code, Code::denied);
  net::HttpRequest direct;
  direct.peer.certificate_uri = "drover://alpha/utility/login1";
  EXPECT_EQ(make().identify(direct).error().code, Code::denied);
  direct.peer.certificate_uri = "drover://alpha/admin/bob";
  EXPECT_EQ(make().identify(direct).value().text(), "person:bob");
}

TEST_F(Authenticators, AChangedRequestOrHeaderIsRefused) {
  net::HttpRequest request = forwarded({1000, 100, "alice", false});
  request.body = "{ }";
  EXPECT_EQ(make().identify(request).error().code, Code::unauthenticated);
  for (const char* header : {"", ".", "..", "a.b.c", "!!.!!.!!"}) {
    request.headers.set(std::string(kCallerHeader), header);
    EXPECT_EQ(make().identify(request).error().code, Code::unauthenticated) << header;
  }
}

TEST_F(Authenticators, WithoutAnyProofACallerIsAnonymous) {
  EXPECT_EQ(make().identify({}).value().kind, PrincipalKind::anonymous);
}

}  // namespace
}  // namespace drover::auth
