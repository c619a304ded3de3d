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
             .check_daemon = [this](const Principal& daemon) -> Status {
               checked_ = daemon.role + "/" + daemon.name + " " + daemon.key_sha256;
               if (revoked_) return fail(Code::denied, "revoked");
               return {};
             },
             .bearer =
                 [](std::string_view token, Callback<void(Result<Principal>)> done) {
                   if (token != "t1") return done(fail(Code::unauthenticated, "no such token"));
                   Principal out;
                   out.kind = PrincipalKind::credential;
                   out.name = token;
                   done(out);
                 },
             .check_person =
                 [this](const Principal& shown) {
                   return person_ ? person_(shown) : Result<std::optional<Principal>>();
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
  Callback<Result<std::optional<Principal>>(const Principal&)> person_;
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
}

TEST_F(Authenticators, APersonsCertificateMustBeOnRecord) {
  net::HttpRequest direct;
  direct.peer.certificate_uri = "drover://alpha/admin/bob";
  direct.peer.certificate_key_sha256 = "k1";
  EXPECT_EQ(make().identify(direct).error().code, Code::unauthenticated);
  person_ = [](const Principal& shown) -> Result<std::optional<Principal>> {
    if (shown.key_sha256 == "k2") return fail(Code::unauthenticated, "revoked");
    Principal known = shown;
    known.nodes = "n1";
    return std::optional(known);
  };
  const Principal bob = make().identify(direct).value();
  EXPECT_EQ(bob.text(), "person:bob");
  EXPECT_EQ(bob.nodes, "n1");
  direct.peer.certificate_key_sha256 = "k2";
  EXPECT_EQ(make().identify(direct).error().message, "revoked");
}

TEST_F(Authenticators, ATokenSpeaksForItsBearerAloneAndGoesNoFurther) {
  const auto ask = [this](net::HttpRequest& request) {
    std::optional<Result<Principal>> out;
    make().identify(request, [&out](Result<Principal> found) { out = std::move(found); });
    return *out;
  };
  net::HttpRequest request;
  request.peer.certificate_uri = "drover://alpha/compute/n1";
  request.headers.set("authorization", "bearer t1");
  EXPECT_EQ(ask(request).value().text(), "credential:t1");
  EXPECT_FALSE(request.headers.has("Authorization")) << "nobody further on needs the secret";
  // A bad proof is an error, not the next best identity.
  for (const char* bad : {"Bearer bad", "Bearer", "Bearer ", "Basic YTpi", ""}) {
    request.headers.set("Authorization", bad);
    EXPECT_EQ(ask(request).error().code, Code::unauthenticated) << bad;
  }
  EXPECT_EQ(ask(request).value().text(), "daemon:compute/n1");
  net::HttpRequest through_daemon = forwarded({1000, 100, "alice", false});
  through_daemon.headers.set("Authorization", "Bearer t1");
  EXPECT_EQ(ask(through_daemon).error().code, Code::unauthenticated);
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
