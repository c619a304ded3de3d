#include "auth/openssl.hpp"

#include "auth/keys.hpp"
#include "auth/plain_request.hpp"

#include <array>
#include <ctime>
#include <limits>

#include <fmt/core.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>

namespace drover::auth {

tl::unexpected<Error> openssl_fail(Code code, std::string_view what) {
  const unsigned long first = ERR_get_error();
  ERR_clear_error();
  if (first == 0) return fail(code, std::string(what));
  const char* reason = ERR_reason_error_string(first);
  return fail(code, fmt::format("{}: {}", what, reason != nullptr ? reason : "unknown reason"));
}

BioPtr read_from(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string written_to(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  return size > 0 ? std::string(bytes, static_cast<size_t>(size)) : std::string();
}

Result<WallTime> wall_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) {
    return openssl_fail(Code::corrupt, "the certificate holds a time that cannot be read");
  }
  const int64_t seconds = timegm(&parts);
  constexpr int64_t kNewest = std::numeric_limits<int64_t>::max() / 1'000'000'000;
  constexpr int64_t kOldest = std::numeric_limits<int64_t>::min() / 1'000'000'000;
  return WallTime(std::chrono::seconds(std::min(std::max(seconds, kOldest), kNewest)));
}

std::string to_hex(const unsigned char* bytes, size_t size) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(size * 2);
  for (size_t i = 0; i < size; ++i) {
    out.push_back(kDigits[bytes[i] >> 4]);
    out.push_back(kDigits[bytes[i] & 15]);
  }
  return out;
}

namespace {

/// The same bytes as i2d_PUBKEY's; empty where a key has another form.
std::string plain_p256_info(EVP_PKEY* key) {
  const std::string point = plain_p256_point(key);
  return point.empty() ? std::string() : std::string(kP256Info) + point;
}

}  // namespace

std::string plain_p256_point(EVP_PKEY* key) {
  std::array<char, 32> form{};
  std::array<unsigned char, kP256Point> point{};
  size_t length = 0;
  const bool plain =
      require_p256(key) &&
      EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, form.data(),
                                     form.size(), nullptr) == 1 &&
      std::string_view(form.data()) == OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED &&
      EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(),
                                      &length) == 1 &&
      length == point.size() && point.front() == 4;
  ERR_clear_error();
  if (!plain) return {};
  return {reinterpret_cast<const char*>(point.data()), point.size()};
}

Result<PkeyPtr> p256_key(std::string_view point) {
  // Its curve alone is taken from it: a copy costs a quarter of a key that is made from parameters.
  static const PkeyPtr curve(EVP_EC_gen("P-256"));
  PkeyPtr key(EVP_PKEY_new());
  if (!curve || !key || EVP_PKEY_copy_parameters(key.get(), curve.get()) != 1) {
    return openssl_fail(Code::internal, "making a P-256 key");
  }
  const auto* const bytes = reinterpret_cast<const unsigned char*>(point.data());
  if (point.size() != kP256Point ||
      EVP_PKEY_set1_encoded_public_key(key.get(), bytes, point.size()) != 1) {
    return openssl_fail(Code::invalid_argument, "not a point of P-256");
  }
  return key;
}

Result<std::string> public_key_sha256(EVP_PKEY* key) {
  if (const std::string info = plain_p256_info(key); !info.empty()) return sha256_hex(info);
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return openssl_fail(Code::corrupt, "the public key cannot be encoded");
  std::string out = sha256_hex({reinterpret_cast<const char*>(der), static_cast<size_t>(size)});
  OPENSSL_free(der);
  return out;
}

Status require_p256(const EVP_PKEY* key) {
  std::array<char, 64> group{};
  size_t length = 0;
  if (key == nullptr || EVP_PKEY_is_a(key, "EC") != 1 ||
      EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) != 1 ||
      std::string_view(group.data(), length) != SN_X9_62_prime256v1) {
    return fail(Code::invalid_argument, "the key is not an ECDSA P-256 key");
  }
  return {};
}

}  // namespace drover::auth
