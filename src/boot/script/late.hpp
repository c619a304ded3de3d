// A text that is finished but for what is known only when it is served: the server's address as the
// machine sees it, its token, how often it has tried.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drover::boot::script {

/// What is put in last.
enum class Late : uint8_t {
  server,   ///< the address by which the machine reached this server
  token,    ///< of this boot
  source,   ///< the machine's own address, as the request came from it
  mac,      ///< that the machine was asked for by
  tries,    ///< how often it has tried before: 0, 1, ..
  again,    ///< tries + 1
  delay,    ///< seconds to wait before the next try
  address,  ///< `server` without the brackets that URLs have around an IPv6 address
};
inline constexpr size_t kLates = 8;

/// A mark that stands for a late value inside any text; ordinary text has none, as it holds no
/// control characters.
std::string mark(Late late);

/// A text of ours may have names in it that people or machines gave: what a loader would take for
/// more than text is taken out.
std::string harmless(std::string_view text);

struct LateValues {
  std::string_view server;  ///< as in a URL: IPv6 in brackets
  std::string_view token;
  std::string_view source;
  std::string_view mac;
  uint32_t tries = 0;
};

/// Seconds between tries: 1, 2, 4, 8, 16 and then always 30.
uint32_t delay_after(uint32_t tries);

/// A text with its marks found once; rendering copies it piece by piece. Immutable, so any number
/// of threads may render one.
class LateText {
 public:
  LateText() = default;
  explicit LateText(std::string_view text);
  void append_to(std::string& out, const LateValues& values) const;
  [[nodiscard]] std::string render(const LateValues& values) const {
    std::string out;
    append_to(out, values);
    return out;
  }
  [[nodiscard]] bool empty() const { return text_.empty() && holes_.empty(); }

 private:
  struct Hole {
    size_t at;  ///< in text_, before which the value stands
    Late what;
  };
  std::string text_;  ///< without the marks
  std::vector<Hole> holes_;
};

}  // namespace drover::boot::script
