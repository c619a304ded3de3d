// A key that cannot be read is never replaced: what it sealed would be lost without a word.
#include "auth/secret_box.hpp"

#include "auth/openssl.hpp"
#include "base/base64.hpp"

#include <fmt/format.h>
#include <openssl/err.h>

namespace drover::auth {
namespace {

constexpr std::string_view kVersion = "v1.";
constexpr size_t kNonce = 12;
constexpr size_t kTag = 16;
using CipherPtr = std::unique_ptr<EVP_CIPHER_CTX, Freed<EVP_CIPHER_CTX_free>>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

tl::unexpected<Error> broken() {
  return fail(Code::corrupt, "a secret cannot be unsealed: it was changed, or the key is another",
              "set it again, or restore the folder secrets of the backup it came with");
}

}  // namespace

Result<SecretBox> SecretBox::open_or_create(Disk& disk, Random& random, const std::string& dir) {
  const std::string path = dir + "/key";
  Key key{};
  DROVER_TRY(const bool there, disk.exists(path));
  if (!there) {
    random.fill(key);
    DROVER_CHECK_OK(disk.make_dirs(dir, 0700));
    const std::string_view bytes(reinterpret_cast<const char*>(key.data()), key.size());
    DROVER_CHECK_OK(disk.write_atomic(path, to_base64url(bytes) + "\n", 0600));
    return SecretBox(key);
  }
  DROVER_TRY(std::string text, disk.read_all(path, 4096));
  while (text.ends_with('\n')) text.pop_back();
  const auto bytes = from_base64url(text);
  if (!bytes || bytes->size() != key.size()) {
    return fail(Code::corrupt, fmt::format("{} holds no key for secrets", path),
                "restore it from the backup");
  }
  std::copy(bytes->begin(), bytes->end(), key.begin());
  return SecretBox(key);
}

Result<std::string> SecretBox::seal(std::string_view plain, std::string_view label,
                                    Random& random) const {
  std::array<unsigned char, kNonce> nonce{};
  random.fill(nonce);
  std::string out(reinterpret_cast<const char*>(nonce.data()), nonce.size());
  out.resize(kNonce + plain.size() + kTag);
  unsigned char* const body = bytes_of(out) + kNonce;
  const CipherPtr cipher(EVP_CIPHER_CTX_new());
  int size = 0;
  const bool done =
      cipher &&
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(), nonce.data()) ==
          1 &&
      EVP_EncryptUpdate(cipher.get(), nullptr, &size, bytes_of(label),
                        static_cast<int>(label.size())) == 1 &&
      EVP_EncryptUpdate(cipher.get(), body, &size, bytes_of(plain),
                        static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(cipher.get(), body + plain.size(), &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTag, body + plain.size()) == 1;
  if (!done) return openssl_fail(Code::internal, "sealing a secret");
  return std::string(kVersion) + to_base64url(out);
}

Result<std::string> SecretBox::open(std::string_view sealed, std::string_view label) const {
  if (!sealed.starts_with(kVersion)) return broken();
  auto bytes = from_base64url(sealed.substr(kVersion.size()));
  if (!bytes || bytes->size() < kNonce + kTag) return broken();
  const size_t plain_size = bytes->size() - kNonce - kTag;
  unsigned char* const nonce = bytes_of(*bytes);
  std::string out(plain_size, '\0');
  const CipherPtr cipher(EVP_CIPHER_CTX_new());
  int size = 0;
  std::array<unsigned char, kTag> none{};
  const bool whole =
      cipher &&
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(), nonce) == 1 &&
      EVP_DecryptUpdate(cipher.get(), nullptr, &size, bytes_of(label),
                        static_cast<int>(label.size())) == 1 &&
      EVP_DecryptUpdate(cipher.get(), bytes_of(out), &size, nonce + kNonce,
                        static_cast<int>(plain_size)) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTag, nonce + kNonce + plain_size) ==
          1 &&
      EVP_DecryptFinal_ex(cipher.get(), none.data(), &size) == 1;
  if (whole) return out;
  ERR_clear_error();
  return broken();
}

}  // namespace drover::auth
