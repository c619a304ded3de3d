// SHA-256 of bytes, at once or as they come.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace drover::net {

/// Digest of bytes as they come. One thread at a time.
class Sha256 {
 public:
  Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  ~Sha256();
  void add(std::string_view bytes);
  /// 64 lower-case hex digits; once.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// 64 lower-case hex digits.
std::string sha256_hex(std::string_view bytes);

}  // namespace drover::net
