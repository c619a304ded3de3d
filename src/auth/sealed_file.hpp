// A file that is encrypted with a passphrase: for backups, which hold the cluster's keys.
#pragma once

#include "base/disk.hpp"
#include "base/random.hpp"
#include "base/result.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace drover::auth {

inline constexpr size_t kShortestPassphrase = 12;

/// Whether `file` begins as a sealed file does.
Result<bool> is_sealed(File& file);

/// What is written here stands encrypted in another file: "drover-sealed 1\n", 16 bytes of salt,
/// then chunks of 64 KiB, each AES-256-GCM with 16 bytes of tag (NIST SP 800-38D). The key is
/// scrypt (RFC 7914; N 2^17, r 8, p 1: 128 MiB and about half a second for each guess) of
/// passphrase and salt. The nonce is the chunk's number and whether it is the last, the head is
/// authenticated with each: so a changed byte, a chunk out of place and a file cut off anywhere are
/// all found.
///
/// Written from the first byte to the last in one go, then sync(), which ends it; read from then
/// on, or when opened. Not thread-safe.
class SealedFile final : public File {
 public:
  /// Begins a new one in the empty file `to`. invalid_argument for a passphrase of less than 12
  /// bytes.
  static Result<std::unique_ptr<SealedFile>> create(std::unique_ptr<File> to,
                                                    std::string_view passphrase, Random& random);
  /// corrupt when it is none or is cut off; denied when the passphrase is not the one (which cannot
  /// be told from damage of the first chunk).
  static Result<std::unique_ptr<SealedFile>> open(std::unique_ptr<File> from,
                                                  std::string_view passphrase);
  ~SealedFile() override;

  /// corrupt when a chunk was changed.
  Result<size_t> read(uint64_t offset, std::span<char> out) override;
  /// Code::unsupported unless `offset` is the end.
  Status write(uint64_t offset, std::string_view bytes) override;
  Status truncate(uint64_t size) override;  ///< Code::unsupported
  Status sync() override;
  Result<uint64_t> size() override { return size_; }
  Status lock() override { return file_->lock(); }

 private:
  using Key = std::array<unsigned char, 32>;
  SealedFile(std::unique_ptr<File> file, std::string head)
      : file_(std::move(file)), head_(std::move(head)) {}
  Status derive(std::string_view passphrase);
  Status put_chunk(std::string_view plain, bool last);
  Status load_chunk(uint64_t number);

  std::unique_ptr<File> file_;
  std::string head_;
  Key key_{};
  uint64_t size_ = 0;    ///< of the plain bytes
  uint64_t chunks_ = 0;  ///< written, or there
  bool ended_ = false;
  std::string pending_;  ///< plain bytes of the chunk that is being filled
  uint64_t loaded_ = UINT64_MAX;
  std::string plain_;  ///< of the chunk `loaded_`
};

}  // namespace drover::auth
