// The codec's quick reader: what our own writer has written is read from its text in one pass, with
// no document in between.
#include "base/describe.hpp"

#include <charconv>

namespace drover::describe_detail {
namespace {

/// Walks text and description side by side. It knows the plain form of JSON alone, that of the
/// codec's writer: fields in described order, strings of ASCII without escapes, maps sorted, whole
/// numbers. The first thing that is otherwise ends it: the careful reader starts over and decides.
class StraightReader final : public Visitor {
 public:
  explicit StraightReader(std::string_view text)
      : at_(text.data()), end_(text.data() + text.size()) {}

  /// Whether all of the text was read.
  bool finish() {
    skip_space();
    return good_ && at_ == end_;
  }

 private:
  // --- text ---
  void give_up() { good_ = false; }
  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n')) ++at_;
  }
  bool take(char wanted) {
    if (at_ == end_ || *at_ != wanted) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view wanted) {
    if (!rest().starts_with(wanted)) return false;
    at_ += wanted.size();
    return true;
  }
  void demand(char wanted) {
    skip_space();
    if (!take(wanted)) give_up();
  }
  [[nodiscard]] std::string_view rest() const { return {at_, static_cast<size_t>(end_ - at_)}; }

  /// A whole string; what is not plain gives up.
  std::string_view plain_string() {
    if (!take('"')) {
      give_up();
      return {};
    }
    const char* const begin = at_;
    while (at_ != end_ && is_plain(*at_)) ++at_;
    const std::string_view found(begin, static_cast<size_t>(at_ - begin));
    if (!take('"')) give_up();
    return found;
  }
  static bool is_plain(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
  }

  /// How many elements the list or map has that begins at the cursor, behind its bracket. Only
  /// counts: what is wrong in them is found when they are read.
  size_t count_elements() {
    size_t depth = 0;
    size_t commas = 0;
    bool empty = true;
    for (const char* c = at_; c != end_; ++c) {
      switch (*c) {
        case '"':
          empty = false;
          for (++c; c != end_ && *c != '"'; ++c) {
            if (*c == '\\') return give_up(), 0;
          }
          if (c == end_) return give_up(), 0;
          break;
        case '[':
        case '{':
          empty = false;
          ++depth;
          break;
        case ']':
        case '}':
          if (depth-- == 0) return empty ? 0 : commas + 1;
          break;
        case ',':
          commas += depth == 0 ? 1 : 0;
          break;
        case ' ':
        case '\n':
          break;
        default:
          empty = false;
      }
    }
    return give_up(), 0;
  }

  void separate() {
    if (!first_) demand(',');
    first_ = false;
    skip_space();
  }
  bool open(char bracket) {
    if (!good_ || !take(bracket)) {
      give_up();
      return false;
    }
    first_ = true;
    return true;
  }
  void close(char bracket) {
    if (!good_) return;
    demand(bracket);
    first_ = false;
  }

  // --- description ---
  bool enter_field(std::string_view name, std::string_view, Presence presence) override {
    if (!good_) return false;
    const char* const before = at_;
    const bool first = first_;
    if (next_is(name)) {
      skip_space();
      if (presence == Presence::patch && rest().starts_with("null")) give_up();
      return good_;
    }
    // It may stand elsewhere: then end_object() finds what is left over.
    at_ = before;
    first_ = first;
    if (presence == Presence::required) give_up();
    return false;
  }
  bool next_is(std::string_view name) {
    skip_space();
    if (!first_ && !take(',')) return false;
    first_ = false;
    skip_space();
    return take('"') && take(name) && take('"') && take(':');
  }
  void leave_field() override {}

  void string(std::string& value) override {
    if (good_) value = plain_string();
  }
  void boolean(bool& value) override {
    if (take("true")) {
      value = true;
    } else if (take("false")) {
      value = false;
    } else {
      give_up();
    }
  }
  template <typename T>
  bool whole(T& value) {
    if (!good_) return false;
    const auto [behind, error] = std::from_chars(at_, end_, value);
    const size_t length = static_cast<size_t>(behind - at_);
    // "-0", "007", 1.5 and 1e3 are the careful reader's.
    const bool zero_led = length > 1 && (*at_ == '0' || (*at_ == '-' && at_[1] == '0'));
    const bool goes_on = behind != end_ && (*behind == '.' || *behind == 'e' || *behind == 'E');
    if (error != std::errc() || zero_led || goes_on) {
      give_up();
      return false;
    }
    at_ = behind;
    return true;
  }
  void integer(int64_t& value, int64_t least, int64_t most) override {
    int64_t number = 0;
    if (!whole(number)) return;
    if (number < least || number > most) return give_up();
    value = number;
  }
  void natural(uint64_t& value, uint64_t most) override {
    uint64_t number = 0;
    if (!whole(number)) return;
    if (number > most) return give_up();
    value = number;
  }
  void number(double& value) override {
    constexpr int64_t kExact = int64_t{1} << 53;
    int64_t number = 0;
    if (!whole(number)) return;
    if (number > kExact || number < -kExact) return give_up();
    value = static_cast<double>(number);
  }
  void time(WallTime& value) override {
    if (!good_) return;
    if (take("null")) {
      value = WallTime{};
      return;
    }
    const auto parsed = from_rfc3339(plain_string());
    if (!parsed) return give_up();
    value = *parsed;
  }
  void choice(size_t& index, std::span<const std::string_view> names) override {
    if (!good_) return;
    const std::string_view text = plain_string();
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i] != text) continue;
      index = i;
      return;
    }
    give_up();
  }
  void raw(RawJson& value) override {
    for (const std::string_view text : {"null", "true", "false", "{}", "[]"}) {
      if (!take(text)) continue;
      value.text = text;
      return;
    }
    give_up();
  }

  bool begin_object(std::string_view) override { return open('{'); }
  void end_object() override { close('}'); }
  size_t begin_list(size_t) override { return open('[') ? count_elements() : 0; }
  void element(size_t) override {
    if (good_) separate();
  }
  void end_list() override { close(']'); }
  size_t begin_map(size_t) override {
    last_keys_.emplace_back();
    return open('{') ? count_elements() : 0;
  }
  std::string key(size_t, std::string_view) override {
    if (!good_) return {};
    separate();
    const std::string_view found = plain_string();
    auto& last = last_keys_.back();
    if (last && *last >= found) give_up();  // twice, or not as the writer sorts them
    last = found;
    demand(':');
    skip_space();
    return std::string(found);
  }
  void end_map() override {
    close('}');
    last_keys_.pop_back();
  }
  [[nodiscard]] bool fills() const override { return true; }
  bool begin_optional(bool) override { return good_ && !take("null"); }
  void end_optional() override {}

  const char* at_;
  const char* end_;
  bool good_ = true;
  bool first_ = true;
  std::vector<std::optional<std::string_view>> last_keys_;  // of the maps being read
};

}  // namespace

bool read_straight(std::string_view text, void* object, Visit visit) {
  StraightReader reader(text);
  visit(object, reader);
  return reader.finish();
}

}  // namespace drover::describe_detail
