// Bearer tokens from text to claims, and the keys that sign and check them.
#include "auth/jwk.hpp"
#include "auth/jws.hpp"
#include "auth/jwt.hpp"
#include "auth/signing_keys.hpp"
#include "auth/test_support.hpp"
#include "base/base64.hpp"
#include "sim/sim_disk.hpp"

#include <gtest/gtest.h>

namespace drover::auth {
namespace {

using testing::kNow;

std::string compact(const std::string& header, const std::string& payload,
                    const std::string& signature = "s") {
  return to_base64url(header) + "." + to_base64url(payload) + "." + to_base64url(signature);
}

Claims good_claims() {
  Claims claims;
  claims.issuer = "https://id.example";
  claims.subject = "carol";
  claims.audience = {"alpha"};
  claims.id = "t1";
  claims.issued = claims.not_before = kNow;
  claims.expires = kNow + std::chrono::hours(1);
  return claims;
}

TEST(Jws, OnlyOneFormIsTaken) {
  EXPECT_TRUE(parse_jws(compact(R"({"alg":"ES256"})", "{}")));
  EXPECT_TRUE(parse_jws(compact(R"({"alg":"RS256","typ":"at+jwt","kid":"a b"})", "{}")));
  const std::vector<std::string> refused = {
      "",
      "a.b",
      "..",
      "a.b.c.d",
      compact("{}", "{}"),
      compact("[]", "{}"),
      compact("nonsense", "{}"),
      compact(R"({"alg":"none"})", "{}", ""),
      compact(R"({"alg":"None"})", "{}"),
      compact(R"({"alg":"HS256"})", "{}"),
      compact(R"({"alg":"ES384"})", "{}"),
      compact(R"({"alg":["ES256"]})", "{}"),
      compact(R"({"alg":"ES256","crit":["exp"]})", "{}"),
      compact(R"({"alg":"ES256","b64":false})", "{}"),
      compact(R"({"alg":"ES256","cty":"JWT"})", "{}"),
      compact(R"({"alg":"ES256","typ":"JOSE"})", "{}"),
      compact(R"({"alg":"ES256","kid":""})", "{}"),
      compact(R"({"alg":"ES256","kid":7})", "{}"),
      compact(R"({"alg":"ES256","kid":"a\n"})", "{}"),
      compact(R"({"alg":"ES256"})", "{}") + "=",
      " " + compact(R"({"alg":"ES256"})", "{}"),
  };
  for (const std::string& text : refused) EXPECT_FALSE(parse_jws(text)) << text;
  EXPECT_EQ(parse_jws(std::string(kMaxBearer + 1, 'a')).error().code, Code::too_large);
}

TEST(Jws, WhatIsSignedIsCheckedAndNothingElse) {
  const KeyPair key = KeyPair::make().value();
  const KeyPair other = KeyPair::make().value();
  const VerificationKey checks("k1", key.public_key());
  const std::string token = sign_jws(key, "k1", R"({"a":1})").value();
  const Jws jws = parse_jws(token).value();
  EXPECT_EQ(jws.key_id, "k1");
  EXPECT_EQ(jws.payload, R"({"a":1})");
  EXPECT_EQ(jws.signature.size(), 64U);
  EXPECT_TRUE(checks.verify(jws));
  EXPECT_EQ(VerificationKey("k1", other.public_key()).verify(jws).error().code,
            Code::unauthenticated);
  Jws changed = jws;
  changed.signing_input.back() ^= 1;
  EXPECT_FALSE(checks.verify(changed));
  changed = jws;
  changed.signature = changed.signature.substr(1);
  EXPECT_FALSE(checks.verify(changed));
  changed.signature = std::string(64, '\0');  // CVE-2022-21449: r = s = 0
  EXPECT_FALSE(checks.verify(changed));
  changed = jws;
  changed.algorithm = JwsAlgorithm::rs256;
  EXPECT_FALSE(checks.verify(changed));
}

/// RFC 7515 appendix A.3 and A.2: the vectors of the standard.
constexpr const char* kEcKey =
    R"({"kty":"EC","crv":"P-256","kid":"ec","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
constexpr const char* kEcToken =
    "eyJhbGciOiJFUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
constexpr const char* kRsaKey =
    R"({"kty":"RSA","kid":"rsa","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"})";
constexpr const char* kRsaToken =
    "eyJhbGciOiJSUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
    "O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_"
    "nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_"
    "eSN9383LcOLn6_dO--xi12jzDwusC-"
    "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igc"
    "N_IoypGlUPQGe77Rw";

std::string key_set(const std::string& keys) {
  return R"({"keys":[)" + keys + "]}";
}

TEST(KeySet, TheStandardsVectorsHold) {
  const KeySet keys = KeySet::parse(key_set(std::string(kEcKey) + "," + kRsaKey)).value();
  ASSERT_EQ(keys.keys().size(), 2U);
  EXPECT_TRUE(keys.find("ec", JwsAlgorithm::es256)->verify(parse_jws(kEcToken).value()));
  EXPECT_TRUE(keys.find("rsa", JwsAlgorithm::rs256)->verify(parse_jws(kRsaToken).value()));
  EXPECT_EQ(keys.find("", JwsAlgorithm::rs256)->id(), "rsa");
  EXPECT_EQ(keys.find("ec", JwsAlgorithm::rs256), nullptr) << "a key is for one algorithm";
  EXPECT_EQ(keys.find("x", JwsAlgorithm::es256), nullptr);
  // An RSA token presented to the EC key and the other way about.
  EXPECT_FALSE(keys.find("ec", JwsAlgorithm::es256)->verify(parse_jws(kRsaToken).value()));
}

TEST(KeySet, OtherPurposesArePassedOver) {
  const std::string others =
      R"({"kty":"EC","crv":"P-384","x":"a","y":"b"},{"kty":"oct","k":"c2VjcmV0"},)"
      R"({"kty":"RSA","use":"enc","n":"AQ","e":"AQAB"},{"kty":"RSA","alg":"PS256","n":"AQ","e":"AQAB"})";
  EXPECT_EQ(KeySet::parse(key_set(others + "," + kEcKey)).value().keys().size(), 1U);
  EXPECT_FALSE(KeySet::parse(key_set(others)));
}

TEST(KeySet, BrokenSetsAreRefusedWithTheReason) {
  for (const std::string text :
       {"", "[]", "{}", R"({"keys":{}})", R"({"keys":[7]})", R"({"keys":[]})"}) {
    EXPECT_EQ(KeySet::parse(text).error().code, Code::invalid_argument) << text;
  }
  const auto why = [](const std::string& key) {
    return KeySet::parse(key_set(key)).error().text();
  };
  EXPECT_NE(why(R"({"kty":"RSA","kid":"r","n":"AQAB","e":"AQAB"})").find("RSA of 17 bits"),
            std::string::npos);
  EXPECT_NE(why(R"({"kty":"EC","crv":"P-256","kid":"e","x":"AQ","y":"AQ"})").find("32 bytes"),
            std::string::npos);
  const std::string zero(43, 'A');  // (0, 0) is not on the curve
  EXPECT_NE(why(R"({"kty":"EC","crv":"P-256","kid":"e","x":")" + zero + R"(","y":")" + zero + "\"}")
                .find("no sound public key"),
            std::string::npos);
  EXPECT_NE(why(std::string(kEcKey) + "," + kEcKey).find("two of this name"), std::string::npos);
  std::string many = kEcKey;
  for (size_t i = 0; i < kMostJwks; ++i) many += ",{}";
  EXPECT_EQ(KeySet::parse(key_set(many)).error().code, Code::too_large);
  EXPECT_EQ(KeySet::parse(std::string(kMaxJwks + 1, ' ')).error().code, Code::too_large);
}

TEST(KeySet, AWrittenKeyReadsBack) {
  const KeyPair key = KeyPair::make().value();
  const KeySet keys = KeySet::parse(key_set(to_jwk(key.public_key(), "k1").value())).value();
  EXPECT_TRUE(keys.find("k1", JwsAlgorithm::es256)
                  ->verify(parse_jws(sign_jws(key, "k1", "x").value()).value()));
}

TEST(Claims, AreReadAndChecked) {
  const Claims read = read_claims(write_claims(good_claims())).value();
  EXPECT_EQ(read.subject, "carol");
  EXPECT_EQ(read.id, "t1");
  EXPECT_EQ(read.expires, kNow + std::chrono::hours(1));
  EXPECT_TRUE(check_claims(read, "https://id.example", "alpha", kNow));
  EXPECT_EQ(check_claims(read, "https://evil.example", "alpha", kNow).error().code,
            Code::unauthenticated);
  EXPECT_EQ(check_claims(read, "https://id.example", "beta", kNow).error().message,
            "the token is for 'alpha', this is 'beta'");
  EXPECT_TRUE(check_claims(read, "https://id.example", "alpha",
                           read.expires + kTokenSkew - std::chrono::seconds(1)));
  EXPECT_NE(check_claims(read, "https://id.example", "alpha", read.expires + kTokenSkew)
                .error()
                .message.find("expired at"),
            std::string::npos);
  EXPECT_TRUE(check_claims(read, "https://id.example", "alpha", kNow - kTokenSkew));
  EXPECT_FALSE(check_claims(read, "https://id.example", "alpha",
                            kNow - kTokenSkew - std::chrono::seconds(1)));
}

TEST(Claims, BadOnesAreRefused) {
  for (const std::string payload :
       {R"([])", R"({})", R"({"iss":"x"})", R"({"exp":1})", R"({"iss":7,"exp":1})",
        R"({"iss":"x","exp":"1"})", R"({"iss":"x","exp":-1})", R"({"iss":"x","exp":1e300})",
        R"({"iss":"x","exp":1,"nbf":null})", R"({"iss":"x","exp":1,"aud":7})",
        R"({"iss":"x","exp":1,"aud":["a",7]})", R"({"iss":"x","exp":1,"sub":[]})"}) {
    EXPECT_FALSE(read_claims(payload)) << payload;
  }
  EXPECT_FALSE(read_claims(R"({"iss":"x","exp":1,"sub":")" + std::string(600, 'a') + "\"}"));
  // No audience is for nobody.
  EXPECT_FALSE(
      check_claims(read_claims(R"({"iss":"x","exp":9000000000})").value(), "x", "alpha", kNow));
  EXPECT_EQ(read_claims(R"({"iss":"x","exp":1.5})").value().expires,
            WallTime(std::chrono::milliseconds(1500)));
}

TEST(Claims, TextsAreFoundByPath) {
  const std::string payload =
      R"({"groups":["a",7,"b"],"realm_access":{"roles":["admin"]},"x.y":"whole","x":{"y":"part"},"n":1})";
  EXPECT_EQ(claim_texts(payload, "groups"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(claim_texts(payload, "realm_access.roles"), std::vector<std::string>{"admin"});
  EXPECT_EQ(claim_texts(payload, "x.y"), std::vector<std::string>{"whole"});
  for (const char* none : {"", "n", "groups.a", "realm_access", "nothing", ".", "realm_access."}) {
    EXPECT_TRUE(claim_texts(payload, none).empty()) << none;
  }
}

TEST(SigningKeysTest, SurviveARestartAndRotate) {
  sim::SimDisk disk;
  const SigningKeys first = SigningKeys::open_or_create(disk, "/state/signing", kNow).value();
  const std::string token = first.sign("{}").value();
  const SigningKeys again = SigningKeys::open_or_create(disk, "/state/signing", kNow).value();
  EXPECT_EQ(again.current(), first.current());
  const SigningKeys rotated = again.rotated(disk, kNow, false).value();
  EXPECT_NE(rotated.current(), first.current());
  const Jws old = parse_jws(token).value();
  const SigningKeys reopened = SigningKeys::open_or_create(disk, "/state/signing", kNow).value();
  EXPECT_EQ(reopened.current(), rotated.current());
  EXPECT_TRUE(reopened.checking().find(old.key_id, old.algorithm)->verify(old));
  EXPECT_EQ(KeySet::parse(reopened.jwks().value()).value().keys().size(), 2U);
  // A key that was replaced long ago checks nothing any more.
  const SigningKeys later =
      reopened.rotated(disk, kNow + SigningKeys::kKept + std::chrono::hours(1), false).value();
  EXPECT_EQ(later.checking().find(old.key_id, old.algorithm), nullptr);
  EXPECT_NE(later.checking().find(rotated.current(), JwsAlgorithm::es256), nullptr);
  const SigningKeys alone = later.rotated(disk, kNow, true).value();
  EXPECT_EQ(alone.checking().keys().size(), 1U);
  EXPECT_EQ(disk.list("/state/signing").value().size(), 2U);
}

TEST(SigningKeysTest, DamageIsSaidNotRepaired) {
  sim::SimDisk disk;
  const SigningKeys keys = SigningKeys::open_or_create(disk, "/s", kNow).value();
  ASSERT_TRUE(disk.remove("/s/" + keys.current() + ".key"));
  EXPECT_EQ(SigningKeys::open_or_create(disk, "/s", kNow).error().code, Code::corrupt);
  ASSERT_TRUE(KeyPair::make().value().save(disk, "/s/" + keys.current() + ".key"));
  EXPECT_EQ(SigningKeys::open_or_create(disk, "/s", kNow).error().code, Code::corrupt);
  for (const char* index : {"", "nonsense\n", "0123456789abcdef\n", "0123456789abcdef x\n"}) {
    ASSERT_TRUE(disk.write_atomic("/s/index", index, 0600));
    EXPECT_EQ(SigningKeys::open_or_create(disk, "/s", kNow).error().code, Code::corrupt) << index;
  }
}

}  // namespace
}  // namespace drover::auth
