// Secrets at rest: sealed with a key of the master's own, which lies beside the CA's and in no
// database.
#pragma once

#include "base/disk.hpp"
#include "base/random.hpp"
#include "base/result.hpp"

#include <array>
#include <string>
#include <string_view>

namespace drover::auth {

/// AES-256-GCM (NIST SP 800-38D) with a fresh nonce of 96 bits for each value. Immutable once it is
/// open; seal() draws from `random` and is for one thread.
class SecretBox {
 public:
  /// Opens the key in `dir` (made 0700 when absent; file "key", 0600), or makes one. corrupt when
  /// the file holds none.
  static Result<SecretBox> open_or_create(Disk& disk, Random& random, const std::string& dir);

  /// "v1." and base64 of nonce, sealed bytes and tag. `label` says what it is and must be given
  /// again to open it, so that one value cannot stand in another's place.
  [[nodiscard]] Result<std::string> seal(std::string_view plain, std::string_view label,
                                         Random& random) const;
  /// corrupt when it was changed, sealed under another label, or with another key.
  [[nodiscard]] Result<std::string> open(std::string_view sealed, std::string_view label) const;

 private:
  using Key = std::array<unsigned char, 32>;
  explicit SecretBox(const Key& key) : key_(key) {}
  Key key_;
};

}  // namespace drover::auth
