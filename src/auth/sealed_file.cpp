#include "auth/sealed_file.hpp"

#include "auth/openssl.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/core.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

namespace drover::auth {
namespace {

constexpr std::string_view kMagic = "drover-sealed 1\n";
constexpr size_t kSalt = 16;
constexpr size_t kHead = kMagic.size() + kSalt;
constexpr size_t kChunk = size_t{64} << 10;
constexpr size_t kTag = 16;
constexpr size_t kNonce = 12;
constexpr uint64_t kScryptN = uint64_t{1} << 17;
constexpr uint64_t kScryptR = 8;
constexpr uint64_t kScryptP = 1;
constexpr uint64_t kScryptMemory = uint64_t{192} << 20;  // 128 * N * r, and some

using CipherPtr = std::unique_ptr<EVP_CIPHER_CTX, Freed<EVP_CIPHER_CTX_free>>;
using Nonce = std::array<unsigned char, kNonce>;

unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}
const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// Never the same twice under one key: a number counts up, and a key is for one file.
Nonce nonce_of(uint64_t number, bool last) {
  Nonce out{};
  for (size_t i = 0; i < sizeof number; ++i) {
    out[i] = static_cast<unsigned char>(number >> (8 * (sizeof number - 1 - i)));
  }
  out[sizeof number] = last ? 1 : 0;
  return out;
}

tl::unexpected<Error> broken(std::string_view what) {
  return fail(Code::corrupt, fmt::format("the sealed file is damaged or cut off: {}", what),
              "use another copy of it");
}

}  // namespace

Result<bool> is_sealed(File& file) {
  std::array<char, kMagic.size()> start{};
  DROVER_TRY(const size_t got, file.read(0, start));
  return std::string_view(start.data(), got) == kMagic;
}

SealedFile::~SealedFile() {
  OPENSSL_cleanse(key_.data(), key_.size());
}

Status SealedFile::derive(std::string_view passphrase) {
  const std::string_view salt = std::string_view(head_).substr(kMagic.size());
  if (EVP_PBE_scrypt(passphrase.data(), passphrase.size(), bytes_of(salt), salt.size(), kScryptN,
                     kScryptR, kScryptP, kScryptMemory, key_.data(), key_.size()) != 1) {
    return openssl_fail(Code::exhausted, "making a key of the passphrase");
  }
  return {};
}

Result<std::unique_ptr<SealedFile>> SealedFile::create(std::unique_ptr<File> to,
                                                       std::string_view passphrase,
                                                       Random& random) {
  if (passphrase.size() < kShortestPassphrase) {
    return fail(Code::invalid_argument,
                fmt::format("the passphrase has {} bytes; at least {} are needed",
                            passphrase.size(), kShortestPassphrase),
                "make one: openssl rand -base64 24");
  }
  std::string head(kMagic);
  head.resize(kHead);
  random.fill({bytes_of(head) + kMagic.size(), kSalt});
  std::unique_ptr<SealedFile> out(new SealedFile(std::move(to), std::move(head)));
  DROVER_CHECK_OK(out->derive(passphrase));
  DROVER_CHECK_OK(out->file_->write(0, out->head_));
  return out;
}

Result<std::unique_ptr<SealedFile>> SealedFile::open(std::unique_ptr<File> from,
                                                     std::string_view passphrase) {
  std::string head(kHead, '\0');
  DROVER_TRY(const size_t got, from->read(0, head));
  if (got != kHead || !head.starts_with(kMagic)) return broken("its head is not there");
  std::unique_ptr<SealedFile> out(new SealedFile(std::move(from), std::move(head)));
  DROVER_CHECK_OK(out->derive(passphrase));
  DROVER_TRY(const uint64_t whole, out->file_->size());
  const uint64_t sealed = whole - kHead;
  constexpr uint64_t kStep = kChunk + kTag;
  out->chunks_ = (sealed + kStep - 1) / kStep;
  if (sealed < kTag || sealed - (out->chunks_ - 1) * kStep < kTag) return broken("its end");
  out->size_ = sealed - out->chunks_ * kTag;
  out->ended_ = true;
  if (Status first = out->load_chunk(0); !first) {
    if (first.error().code != Code::corrupt) return tl::unexpected<Error>(first.error());
    return fail(Code::denied,
                "the passphrase is not the one that the file was sealed with, or its beginning is "
                "damaged",
                "name the right file with --passphrase-file");
  }
  // The end first: whoever reads on from here should not find out late that it was cut off.
  DROVER_CHECK_OK(out->load_chunk(out->chunks_ - 1));
  return out;
}

Status SealedFile::put_chunk(std::string_view plain, bool last) {
  const CipherPtr cipher(EVP_CIPHER_CTX_new());
  const Nonce nonce = nonce_of(chunks_, last);
  std::string out(plain.size() + kTag, '\0');
  int size = 0;
  const bool done =
      cipher &&
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(), nonce.data()) ==
          1 &&
      EVP_EncryptUpdate(cipher.get(), nullptr, &size, bytes_of(std::string_view(head_)),
                        static_cast<int>(head_.size())) == 1 &&
      EVP_EncryptUpdate(cipher.get(), bytes_of(out), &size, bytes_of(plain),
                        static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(cipher.get(), bytes_of(out) + plain.size(), &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTag, bytes_of(out) + plain.size()) ==
          1;
  if (!done) return openssl_fail(Code::internal, "sealing");
  DROVER_CHECK_OK(file_->write(kHead + chunks_ * (kChunk + kTag), out));
  ++chunks_;
  return {};
}

Status SealedFile::load_chunk(uint64_t number) {
  if (loaded_ == number) return {};
  loaded_ = UINT64_MAX;
  const bool last = number + 1 == chunks_;
  const size_t plain_size = last ? size_ - number * kChunk : kChunk;
  std::string sealed(plain_size + kTag, '\0');
  DROVER_TRY(const size_t got, file_->read(kHead + number * (kChunk + kTag), sealed));
  if (got != sealed.size()) return broken("it became shorter while it was read");
  const CipherPtr cipher(EVP_CIPHER_CTX_new());
  const Nonce nonce = nonce_of(number, last);
  plain_.resize(plain_size);
  int size = 0;
  std::array<unsigned char, kTag> none{};
  const bool whole =
      cipher &&
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(), nonce.data()) ==
          1 &&
      EVP_DecryptUpdate(cipher.get(), nullptr, &size, bytes_of(std::string_view(head_)),
                        static_cast<int>(head_.size())) == 1 &&
      EVP_DecryptUpdate(cipher.get(), bytes_of(plain_), &size, bytes_of(std::string_view(sealed)),
                        static_cast<int>(plain_size)) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTag,
                          bytes_of(sealed) + plain_size) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), none.data(), &size) == 1;
  if (!whole) {
    ERR_clear_error();
    return broken(fmt::format("in its chunk {}", number + 1));
  }
  loaded_ = number;
  return {};
}

Result<size_t> SealedFile::read(uint64_t offset, std::span<char> out) {
  if (!ended_) return fail(Code::unsupported, "a sealed file is read once it is whole");
  size_t done = 0;
  while (done < out.size() && offset + done < size_) {
    const uint64_t at = offset + done;
    DROVER_CHECK_OK(load_chunk(at / kChunk));
    const size_t from = at % kChunk;
    const size_t take = std::min(out.size() - done, plain_.size() - from);
    std::memcpy(out.data() + done, plain_.data() + from, take);
    done += take;
  }
  return done;
}

Status SealedFile::write(uint64_t offset, std::string_view bytes) {
  if (ended_ || offset != size_) {
    return fail(Code::unsupported, "a sealed file is written from its beginning to its end");
  }
  size_ += bytes.size();
  while (!bytes.empty()) {
    // A full chunk waits until it is known not to be the last one.
    if (pending_.size() == kChunk) {
      DROVER_CHECK_OK(put_chunk(pending_, false));
      pending_.clear();
    }
    const size_t take = std::min(bytes.size(), kChunk - pending_.size());
    pending_ += bytes.substr(0, take);
    bytes.remove_prefix(take);
  }
  return {};
}

Status SealedFile::truncate(uint64_t /*size*/) {
  return fail(Code::unsupported, "a sealed file is not cut");
}

Status SealedFile::sync() {
  if (!ended_) {
    DROVER_CHECK_OK(put_chunk(pending_, true));
    pending_.clear();
    ended_ = true;
  }
  return file_->sync();
}

}  // namespace drover::auth
