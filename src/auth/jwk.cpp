#include "auth/jwk.hpp"

#include "auth/openssl.hpp"
#include "base/base64.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"

#include <array>
#include <optional>

#include <fmt/core.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

namespace drover::auth {
namespace {

constexpr size_t kCoordinate = 32;  // bytes of a P-256 field element, RFC 7518 section 6.2.1.2

using ParamBuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;
using PkeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using EcdsaSigPtr = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

tl::unexpected<Error> bad_key(std::string_view id, std::string_view why) {
  return fail(Code::invalid_argument,
              fmt::format("key '{}' of the key set: {}", printable(id.substr(0, 64)), why));
}

std::string_view member(const json::object& key, std::string_view name) {
  const json::value* value = key.if_contains(name);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                : std::string_view();
}

/// An unsigned number as JWKs write it: base64url of its bytes, big-endian.
Result<std::string> number_of(const json::object& key, std::string_view name, std::string_view id) {
  auto bytes = from_base64url(member(key, name));
  if (!bytes || bytes->empty()) return bad_key(id, fmt::format("'{}' is no number", name));
  return bytes;
}

Result<PkeyPtr> key_from(const char* type, OSSL_PARAM* params, std::string_view id) {
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* made = nullptr;
  const bool ok = context && EVP_PKEY_fromdata_init(context.get()) == 1 &&
                  EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params) == 1;
  PkeyPtr key(made);
  const PkeyContextPtr checking(ok ? EVP_PKEY_CTX_new(key.get(), nullptr) : nullptr);
  const bool sound = checking && EVP_PKEY_public_check(checking.get()) == 1;
  ERR_clear_error();
  if (!sound) return bad_key(id, "it is no sound public key");
  return key;
}

Result<PkeyPtr> ec_key(const json::object& key, std::string_view id) {
  DROVER_TRY(const std::string x, number_of(key, "x", id));
  DROVER_TRY(const std::string y, number_of(key, "y", id));
  if (x.size() != kCoordinate || y.size() != kCoordinate) {
    return bad_key(id, "a coordinate is not 32 bytes");
  }
  const std::string point = "\x04" + x + y;  // uncompressed, SEC 1 section 2.3.3
  const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) !=
          1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return openssl_fail(Code::internal, "preparing a key");
  }
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder.get()));
  return key_from("EC", params.get(), id);
}

Result<PkeyPtr> rsa_key(const json::object& key, std::string_view id) {
  DROVER_TRY(const std::string n, number_of(key, "n", id));
  DROVER_TRY(const std::string e, number_of(key, "e", id));
  constexpr size_t kLongestExponent = 8;
  const BignumPtr modulus(BN_bin2bn(bytes_of(n), static_cast<int>(n.size()), nullptr));
  const BignumPtr exponent(BN_bin2bn(bytes_of(e), static_cast<int>(e.size()), nullptr));
  if (!modulus || !exponent) return openssl_fail(Code::internal, "preparing a key");
  const int bits = BN_num_bits(modulus.get());
  if (bits < kLeastRsaBits || bits > kMostRsaBits) {
    return bad_key(id, fmt::format("RSA of {} bits; from {} to {} are taken", bits, kLeastRsaBits,
                                   kMostRsaBits));
  }
  if (e.size() > kLongestExponent || BN_is_odd(exponent.get()) != 1 ||
      BN_is_one(exponent.get()) == 1) {
    return bad_key(id, "its exponent is not usable");
  }
  const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
    return openssl_fail(Code::internal, "preparing a key");
  }
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder.get()));
  return key_from("RSA", params.get(), id);
}

/// The algorithm of a key that may check signatures of ours; nothing for other purposes.
std::optional<JwsAlgorithm> purpose_of(const json::object& key) {
  const std::string_view use = member(key, "use");
  const std::string_view algorithm = member(key, "alg");
  if (!use.empty() && use != "sig") return std::nullopt;
  const std::string_view type = member(key, "kty");
  const bool ec = type == "EC" && member(key, "crv") == "P-256";
  if (ec && (algorithm.empty() || algorithm == "ES256")) return JwsAlgorithm::es256;
  if (type == "RSA" && (algorithm.empty() || algorithm == "RS256")) return JwsAlgorithm::rs256;
  return std::nullopt;
}

/// The 64 bytes r and s (RFC 7518 section 3.4) as the DER form that OpenSSL takes.
Result<std::string> der_signature(std::string_view raw) {
  const EcdsaSigPtr signature(ECDSA_SIG_new());
  BignumPtr r(BN_bin2bn(bytes_of(raw.substr(0, kCoordinate)), kCoordinate, nullptr));
  BignumPtr s(BN_bin2bn(bytes_of(raw.substr(kCoordinate)), kCoordinate, nullptr));
  if (!signature || !r || !s || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) {
    return openssl_fail(Code::internal, "reading a signature");
  }
  static_cast<void>(r.release());  // the signature owns both now
  static_cast<void>(s.release());
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  if (size <= 0) return openssl_fail(Code::internal, "reading a signature");
  std::string out(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return out;
}

Result<std::string> raw_signature(const std::string& der) {
  const unsigned char* at = bytes_of(der);
  const EcdsaSigPtr signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  std::string out(2 * kCoordinate, '\0');
  auto* bytes = reinterpret_cast<unsigned char*>(out.data());
  if (!signature ||
      BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), bytes, kCoordinate) != kCoordinate ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), bytes + kCoordinate, kCoordinate) !=
          kCoordinate) {
    return openssl_fail(Code::internal, "writing a signature");
  }
  return out;
}

}  // namespace

VerificationKey::VerificationKey(std::string key_id, const PublicKey& key)
    : id_(std::move(key_id)), algorithm_(JwsAlgorithm::es256), handle_(key.shared_handle()) {}

Status VerificationKey::verify(const Jws& jws) const {
  const auto refused = [] {
    ERR_clear_error();
    return fail(Code::unauthenticated, "the token's signature does not fit its issuer's key");
  };
  if (jws.algorithm != algorithm_) return refused();
  std::string signature = jws.signature;
  if (algorithm_ == JwsAlgorithm::es256) {
    if (signature.size() != 2 * kCoordinate) return refused();
    DROVER_TRY(signature, der_signature(jws.signature));
  }
  const MdContextPtr context(EVP_MD_CTX_new());
  if (!context || EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr,
                                       handle_->key.get()) != 1) {
    return openssl_fail(Code::internal, "preparing to verify a token");
  }
  if (EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(),
                       bytes_of(jws.signing_input), jws.signing_input.size()) != 1) {
    return refused();
  }
  return {};
}

Result<std::string> sign_jws(const KeyPair& key, std::string_view key_id,
                             std::string_view payload) {
  std::string text = signing_input(key_id, payload);
  DROVER_TRY(const std::string der, key.sign(text));
  DROVER_TRY(const std::string raw, raw_signature(der));
  text += "." + to_base64url(raw);
  return text;
}

Result<KeySet> KeySet::parse(std::string_view text) {
  if (text.size() > kMaxJwks) {
    return fail(Code::too_large, fmt::format("a key set of more than {} bytes", kMaxJwks));
  }
  const auto document = parse_json(text);
  const json::object* object = document ? document->if_object() : nullptr;
  const json::value* list = object == nullptr ? nullptr : object->if_contains("keys");
  if (list == nullptr || !list->is_array()) {
    return fail(Code::invalid_argument, "not a key set: a JSON object with the list 'keys'",
                "use what the issuer serves at its jwks_uri");
  }
  const json::array& keys = list->get_array();
  if (keys.size() > kMostJwks) {
    return fail(Code::too_large, fmt::format("a key set of more than {} keys", kMostJwks));
  }
  KeySet out;
  for (const json::value& item : keys) {
    if (!item.is_object()) return fail(Code::invalid_argument, "a key that is no JSON object");
    const json::object& key = item.get_object();
    const auto algorithm = purpose_of(key);
    if (!algorithm) continue;
    const std::string id(member(key, "kid"));
    if (!id.empty() && out.find(id, *algorithm) != nullptr) {
      return bad_key(id, "there are two of this name");
    }
    DROVER_TRY(PkeyPtr made,
               *algorithm == JwsAlgorithm::es256 ? ec_key(key, id) : rsa_key(key, id));
    out.keys_.emplace_back(id, *algorithm,
                           std::make_shared<const KeyHandle>(KeyHandle{std::move(made)}));
  }
  if (out.keys_.empty()) {
    return fail(Code::invalid_argument, "the key set holds no key for ES256 or RS256 signatures");
  }
  return out;
}

const VerificationKey* KeySet::find(std::string_view key_id, JwsAlgorithm algorithm) const {
  const VerificationKey* found = nullptr;
  for (const VerificationKey& key : keys_) {
    if (key.algorithm() != algorithm) continue;
    if (!key_id.empty() && key.id() == key_id) return &key;
    if (!key_id.empty()) continue;
    if (found != nullptr) return nullptr;
    found = &key;
  }
  return found;
}

Result<std::string> to_jwk(const PublicKey& key, std::string_view key_id) {
  std::array<unsigned char, 1 + 2 * kCoordinate> point{};
  size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(key.handle().key.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                      point.size(), &size) != 1 ||
      size != point.size() || point[0] != 4) {
    return openssl_fail(Code::internal, "writing a public key");
  }
  const std::string_view bytes(reinterpret_cast<const char*>(point.data()), point.size());
  return to_text(json::object{{"kty", "EC"},
                              {"crv", "P-256"},
                              {"use", "sig"},
                              {"alg", "ES256"},
                              {"kid", key_id},
                              {"x", to_base64url(bytes.substr(1, kCoordinate))},
                              {"y", to_base64url(bytes.substr(1 + kCoordinate))}});
}

}  // namespace drover::auth
