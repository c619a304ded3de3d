// The keys that sign the cluster's own bearer tokens: kept in files beside the CA's, rotated with a
// key id, public for whoever wants to check such tokens.
#pragma once

#include "auth/jwk.hpp"
#include "auth/keys.hpp"
#include "base/clock.hpp"
#include "base/disk.hpp"
#include "base/result.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace drover::auth {

/// On files of one folder: KID.key (0600) for each key, and `index`, the list of those in force,
/// newest first; the first one signs, all check. The index is written after the keys that it names
/// and is the only thing that counts, so a crash at any point leaves the old set or the new one.
///
/// Not synchronised: open and change it on one thread at a time. Copies of the values that it gives
/// may be used on any.
class SigningKeys {
 public:
  /// A key that was replaced still checks the tokens that it signed for this long.
  static constexpr Duration kKept = std::chrono::hours(24 * 367);

  /// Opens the keys in `dir` (made 0700 when absent) or makes the first one. corrupt when the index
  /// names a key that is not there or is another.
  static Result<SigningKeys> open_or_create(Disk& disk, const std::string& dir, WallTime now);

  /// Signs with the newest key: the compact form.
  [[nodiscard]] Result<std::string> sign(std::string_view payload) const;
  [[nodiscard]] const KeySet& checking() const { return checking_; }
  /// Id of the key that signs.
  [[nodiscard]] const std::string& current() const { return keys_.front().id; }
  /// The public halves as a JWKS document.
  [[nodiscard]] Result<std::string> jwks() const;

  /// The keys with a new one in front, durable by the time this returns. Keys that were replaced
  /// longer ago than kKept are dropped, with `forget_old` all of them, which ends every token that
  /// they signed.
  [[nodiscard]] Result<SigningKeys> rotated(Disk& disk, WallTime now, bool forget_old) const;

 private:
  struct Entry {
    std::string id;  ///< first 16 hex digits of the public key's SHA-256
    WallTime made{};
    KeyPair key;
  };
  SigningKeys(std::string dir, std::vector<Entry> keys);
  static Result<Entry> make_key(Disk& disk, const std::string& dir, WallTime now);
  [[nodiscard]] Status write_index(Disk& disk) const;

  std::string dir_;
  std::vector<Entry> keys_;  ///< newest first, never empty
  KeySet checking_;
};

}  // namespace drover::auth
