// The codec's writer (struct to JSON text, without a document in between) and reader (document to
// struct, the first error wins and names its path).
#include "base/describe.hpp"

#include "base/json_reader.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace drover {
namespace {

/// Length of the valid UTF-8 sequence at the front of `text`, 0 when it is not one.
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  size_t length = 0;
  if (lead >= 0xC2 && lead <= 0xDF) length = 2;
  if (lead >= 0xE0 && lead <= 0xEF) length = 3;
  if (lead >= 0xF0 && lead <= 0xF4) length = 4;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and values beyond U+10FFFF (RFC 3629 section 4).
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) > 0x9F) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

size_t append_escaped(std::string& out, std::string_view rest) {
  const auto lead = static_cast<unsigned char>(rest.front());
  switch (rest.front()) {
    case '"':
      out += "\\\"";
      return 1;
    case '\\':
      out += "\\\\";
      return 1;
    case '\n':
      out += "\\n";
      return 1;
    case '\r':
      out += "\\r";
      return 1;
    case '\t':
      out += "\\t";
      return 1;
    default:
      break;
  }
  if (lead < 0x80) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(lead));
    return 1;
  }
  const size_t length = utf8_length(rest);
  if (length == 0) {
    out += "\xEF\xBF\xBD";
    return 1;
  }
  out.append(rest.substr(0, length));
  return length;
}

/// Appends `text` as a JSON string (RFC 8259 section 7). Bytes that are not UTF-8 are replaced by
/// U+FFFD, since text of other hosts ends up here and no output may be invalid.
void append_string(std::string& out, std::string_view text) {
  out.push_back('"');
  size_t done = 0;
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c < 0x7F && c != '"' && c != '\\') {
      ++i;
      continue;
    }
    out.append(text.substr(done, i - done));
    i += append_escaped(out, text.substr(i));
    done = i;
  }
  out.append(text.substr(done));
  out.push_back('"');
}

template <typename T>
void append_number(std::string& out, T value) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  out.append(buffer.data(), end.ptr);
}

class Writer final : public Visitor {
 public:
  explicit Writer(std::string& out) : out_(out) {}

 private:
  bool enter_field(std::string_view name, std::string_view, Presence) override {
    separate();
    out_.push_back('"');
    out_.append(name);  // field names are ours and need no escapes
    out_ += "\":";
    return true;
  }
  void leave_field() override {}
  void string(std::string& value) override { append_string(out_, value); }
  void boolean(bool& value) override { out_ += value ? "true" : "false"; }
  void integer(int64_t& value, int64_t, int64_t) override { append_number(out_, value); }
  void natural(uint64_t& value, uint64_t) override { append_number(out_, value); }
  void number(double& value) override {
    // JSON has no infinity and no NaN.
    if (std::isfinite(value)) {
      append_number(out_, value);
    } else {
      out_ += "null";
    }
  }
  void time(WallTime& value) override {
    if (value == WallTime{}) {
      out_ += "null";
    } else {
      out_.push_back('"');
      out_ += to_rfc3339(value);
      out_.push_back('"');
    }
  }
  void choice(size_t& index, std::span<const std::string_view> names) override {
    append_string(out_, names[index]);
  }
  void raw(RawJson& value) override { out_ += value.text; }
  bool begin_object(std::string_view) override { return open('{'); }
  void end_object() override { close('}'); }
  size_t begin_list(size_t held) override {
    open('[');
    return held;
  }
  void element(size_t) override { separate(); }
  void end_list() override { close(']'); }
  size_t begin_map(size_t held) override {
    open('{');
    return held;
  }
  std::string key(size_t, std::string_view held) override {
    separate();
    append_string(out_, held);
    out_.push_back(':');
    return {};
  }
  void end_map() override { close('}'); }
  [[nodiscard]] bool fills() const override { return false; }
  bool begin_optional(bool held) override {
    if (!held) out_ += "null";
    return held;
  }
  void end_optional() override {}

  bool open(char bracket) {
    out_.push_back(bracket);
    first_ = true;
    return true;
  }
  void close(char bracket) {
    out_.push_back(bracket);
    first_ = false;
  }
  void separate() {
    if (!first_) out_.push_back(',');
    first_ = false;
  }

  std::string& out_;
  bool first_ = true;
};

/// What a value is, for "expected .., got ..": its kind, and its text when it is short.
std::string show(const json::value& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  if (value.is_null()) return "null";
  constexpr size_t kLongestShown = 60;
  std::string text = json::serialize(value);
  if (text.size() <= kLongestShown) return text;
  return fmt::format("a {} of {} bytes", value.is_string() ? "string" : "number", text.size());
}

class Reader final : public Visitor {
 public:
  Reader(const json::value& root, Unknown unknown) : current_(&root), unknown_(unknown) {}

  Status finish() {
    if (error_) return tl::unexpected<Error>(std::move(*error_));
    return {};
  }

 private:
  struct Level {
    const json::value* value;
    std::vector<std::string_view> known;  ///< objects: the fields described so far
  };

  bool enter_field(std::string_view name, std::string_view, Presence presence) override {
    if (error_) return false;
    Level& level = levels_.back();
    if (unknown_ == Unknown::refuse) level.known.push_back(name);
    const json::value* found = level.value->get_object().if_contains(name);
    if (found == nullptr) {
      if (presence == Presence::required) {
        path_.emplace_back(name);
        refuse("is required");
        path_.pop_back();
      }
      return false;
    }
    path_.emplace_back(name);
    current_ = found;
    if (presence == Presence::patch && found->is_null()) {
      refuse("cannot be removed; give a value or leave it out");
    }
    return true;
  }
  void leave_field() override { path_.pop_back(); }

  void string(std::string& value) override {
    if (error_) return;
    const auto* text = current_->if_string();
    if (text == nullptr) return expected("a string");
    value.assign(text->data(), text->size());
  }
  void boolean(bool& value) override {
    if (error_) return;
    const bool* truth = current_->if_bool();
    if (truth == nullptr) return expected("true or false");
    value = *truth;
  }
  void integer(int64_t& value, int64_t least, int64_t most) override {
    if (error_) return;
    const int64_t* number = current_->if_int64();
    if (number == nullptr || *number < least || *number > most) {
      return expected(fmt::format("a whole number from {} to {}", least, most));
    }
    value = *number;
  }
  void natural(uint64_t& value, uint64_t most) override {
    if (error_) return;
    boost::system::error_code error;
    const auto number = current_->to_number<uint64_t>(error);
    const bool whole = current_->is_int64() || current_->is_uint64();
    if (error || !whole || number > most) {
      return expected(most == UINT64_MAX ? std::string("a whole number, 0 or more")
                                         : fmt::format("a whole number from 0 to {}", most));
    }
    value = number;
  }
  void number(double& value) override {
    if (error_) return;
    if (!current_->is_number()) return expected("a number");
    boost::system::error_code error;
    value = current_->to_number<double>(error);
  }
  void time(WallTime& value) override {
    if (error_) return;
    if (current_->is_null()) {
      value = WallTime{};
      return;
    }
    const auto* text = current_->if_string();
    if (text == nullptr) return expected("a time (RFC 3339)");
    const auto parsed = from_rfc3339({text->data(), text->size()});
    if (!parsed) return expected("a time like 2026-11-21T21:33:17.123Z");
    value = *parsed;
  }
  void choice(size_t& index, std::span<const std::string_view> names) override {
    if (error_) return;
    const auto* text = current_->if_string();
    for (size_t i = 0; text != nullptr && i < names.size(); ++i) {
      if (std::string_view(*text) == names[i]) {
        index = i;
        return;
      }
    }
    expected(fmt::format("one of {}", fmt::join(names, ", ")));
  }
  void raw(RawJson& value) override {
    if (!error_) value.text = json::serialize(*current_);
  }

  bool begin_object(std::string_view) override {
    if (error_) return false;
    if (!current_->is_object()) {
      expected("an object");
      return false;
    }
    levels_.push_back({current_, {}});
    return true;
  }
  void end_object() override {
    const Level level = std::move(levels_.back());
    levels_.pop_back();
    if (error_ || unknown_ == Unknown::ignore) return;
    for (const auto& member : level.value->get_object()) {
      const std::string_view name = member.key();
      if (std::ranges::find(level.known, name) != level.known.end()) continue;
      return refuse_unknown(name, level.known);
    }
  }
  size_t begin_list(size_t) override {
    if (error_) return 0;
    const auto* list = current_->if_array();
    if (list == nullptr) {
      expected("a list");
      return 0;
    }
    levels_.push_back({current_, {}});
    path_.emplace_back();
    return list->size();
  }
  void element(size_t index) override {
    if (error_) return;
    path_.back() = fmt::format("[{}]", index);
    current_ = &levels_.back().value->get_array()[index];
  }
  void end_list() override { leave_container(); }
  size_t begin_map(size_t) override {
    if (error_) return 0;
    const auto* object = current_->if_object();
    if (object == nullptr) {
      expected("an object");
      return 0;
    }
    levels_.push_back({current_, {}});
    path_.emplace_back();
    return object->size();
  }
  std::string key(size_t index, std::string_view) override {
    if (error_) return {};
    const auto& member =
        *(levels_.back().value->get_object().begin() + static_cast<ptrdiff_t>(index));
    current_ = &member.value();
    path_.back() = member.key();
    return path_.back();
  }
  void end_map() override { leave_container(); }
  [[nodiscard]] bool fills() const override { return true; }
  bool begin_optional(bool) override { return !error_ && !current_->is_null(); }
  void end_optional() override {}

  /// Ends a list or map. One that was refused at its start has not been entered.
  void leave_container() {
    if (error_) return;
    levels_.pop_back();
    path_.pop_back();
  }

  void expected(std::string_view what) {
    refuse(fmt::format("expected {}, got {}", what, show(*current_)));
  }
  void refuse_unknown(std::string_view name, std::span<const std::string_view> known) {
    path_.emplace_back(name);
    const std::string_view near = nearest(name, known);
    refuse(near.empty() ? fmt::format("is not a known field; known are {}", fmt::join(known, ", "))
                        : fmt::format("is not a known field; did you mean '{}'?", near));
    path_.pop_back();
  }
  void refuse(std::string_view why) {
    if (error_) return;
    std::string path;
    for (const std::string& part : path_) {
      if (!path.empty() && !part.starts_with('[')) path.push_back('.');
      path += part;
    }
    error_ = Error{Code::invalid_argument,
                   path.empty() ? std::string(why) : fmt::format("{}: {}", path, why),
                   {},
                   {}};
  }

  const json::value* current_;
  Unknown unknown_;
  std::vector<Level> levels_;
  std::vector<std::string> path_;
  std::optional<Error> error_;
};

}  // namespace

namespace describe_detail {

void write(std::string& out, void* object, Visit visit) {
  Writer writer(out);
  visit(object, writer);
}

Status read(const json::value& value, void* object, Visit visit, Unknown unknown) {
  Reader reader(value, unknown);
  visit(object, reader);
  return reader.finish();
}

Status read_text(std::string_view text, void* object, Visit visit, Unknown unknown) {
  // Everything that is stored is read here: what is dropped at once needs no memory of its own.
  thread_local JsonReader reader;
  DROVER_TRY(const json::value* const value, reader.read(text));
  return read(*value, object, visit, unknown);
}

}  // namespace describe_detail

}  // namespace drover
