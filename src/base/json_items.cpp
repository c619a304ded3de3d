// A SAX handler of Boost's parser that writes the items as they are parsed.
#include "base/json_items.hpp"

#include "base/json_values.hpp"

#include <cmath>
#include <cstdint>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

namespace drover {
namespace {

using Layout = ItemsText::Layout;

/// Appends what stands between the quotes of a JSON string (RFC 8259 section 7).
void append_escaped(std::string& out, std::string_view text) {
  size_t done = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    out.append(text.substr(done, i - done));
    done = i + 1;
    constexpr std::string_view kNamed = "\"\\\b\f\n\r\t";
    constexpr std::string_view kLetters = "\"\\bfnrt";
    if (const size_t at = kNamed.find(text[i]); at != std::string_view::npos) {
      out.append({'\\', kLetters[at]});
    } else {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(byte));
    }
  }
  out.append(text.substr(done));
}

/// Events inside the list go to the text, those beside it are looked at for next_page.
class Handler {
 public:
  static constexpr size_t max_object_size = SIZE_MAX;
  static constexpr size_t max_array_size = SIZE_MAX;
  static constexpr size_t max_key_size = SIZE_MAX;
  static constexpr size_t max_string_size = SIZE_MAX;

  Handler(Layout layout, std::string& out, bool& any) : layout_(layout), out_(out), any_(any) {}

  [[nodiscard]] bool has_items() const { return has_items_; }
  [[nodiscard]] ItemsText::Page page() { return {count_, std::move(next_page_)}; }

  using Text = json::string_view;
  using Error = json::error_code;
  bool on_document_begin(Error& /*error*/) { return true; }
  bool on_document_end(Error& /*error*/) { return true; }
  bool on_object_begin(Error& /*error*/) { return open('{'); }
  bool on_object_end(size_t count, Error& /*error*/) { return close('}', count); }
  bool on_array_begin(Error& /*error*/) { return open('['); }
  bool on_array_end(size_t count, Error& /*error*/) { return close(']', count); }
  bool on_key_part(Text text, size_t /*size*/, Error& /*error*/) { return key(text, false); }
  bool on_key(Text text, size_t /*size*/, Error& /*error*/) { return key(text, true); }
  bool on_string_part(Text text, size_t /*size*/, Error& /*error*/) { return string(text, false); }
  bool on_string(Text text, size_t /*size*/, Error& /*error*/) { return string(text, true); }
  bool on_number_part(Text text, Error& /*error*/) { return number(text, false); }
  bool on_int64(int64_t /*value*/, Text text, Error& /*error*/) { return number(text, true); }
  bool on_uint64(uint64_t /*value*/, Text text, Error& /*error*/) { return number(text, true); }
  bool on_double(double value, Text text, Error& error) {
    if (!std::isfinite(value)) error = json::error::exponent_overflow;
    return !error && number(text, true);
  }
  bool on_bool(bool value, Error& /*error*/) { return word(value ? "true" : "false"); }
  bool on_null(Error& /*error*/) { return word("null"); }
  bool on_comment_part(Text /*text*/, Error& /*error*/) { return true; }
  bool on_comment(Text /*text*/, Error& /*error*/) { return true; }

 private:
  /// The containers around what comes next: 0 outside of all, 1 in the document, 2 in the list.
  [[nodiscard]] size_t depth() const { return empty_.size(); }
  [[nodiscard]] bool writes() const { return in_items_; }

  void indent() {
    out_.push_back('\n');
    out_.append(depth() * 2, ' ');
  }

  /// Before a key, and before a value that has none.
  void separate() {
    if (depth() == 2) {  // an item
      ++count_;
      const bool first = !std::exchange(any_, true);
      if (layout_ == Layout::lines) return;
      if (!first) out_.push_back(',');
      return indent();
    }
    if (!empty_.back()) out_.push_back(',');
    empty_.back() = false;
    if (layout_ == Layout::indented) indent();
  }
  void begin_value() {
    if (!std::exchange(after_key_, false)) separate();
  }
  void end_value() {
    if (depth() == 2 && layout_ == Layout::lines) out_.push_back('\n');
  }

  bool open(char bracket) {
    if (writes()) {
      begin_value();
      out_.push_back(bracket);
    } else if (bracket == '[' && depth() == 1 && key_ == "items") {
      in_items_ = true;
      has_items_ = true;
    }
    empty_.push_back(true);
    return true;
  }
  bool close(char bracket, size_t count) {
    empty_.pop_back();
    if (writes() && depth() == 1) {
      in_items_ = false;
    } else if (writes()) {
      if (count > 0 && layout_ == Layout::indented) indent();
      out_.push_back(bracket);
      end_value();
    }
    if (depth() == 1) key_.clear();
    return true;
  }

  bool key(std::string_view text, bool whole) {
    if (!writes()) {
      if (depth() != 1) return true;
      if (!std::exchange(in_text_, !whole)) key_.clear();
      key_.append(text);
      return true;
    }
    if (!std::exchange(in_text_, !whole)) {
      separate();
      out_.push_back('"');
    }
    append_escaped(out_, text);
    if (!whole) return true;
    out_ += layout_ == Layout::indented ? "\": " : "\":";
    after_key_ = true;
    return true;
  }
  bool string(std::string_view text, bool whole) {
    if (!writes()) {
      if (depth() == 1 && key_ == "next_page") next_page_.append(text);
      return true;
    }
    if (!std::exchange(in_text_, !whole)) {
      begin_value();
      out_.push_back('"');
    }
    append_escaped(out_, text);
    if (!whole) return true;
    out_.push_back('"');
    end_value();
    return true;
  }
  bool number(std::string_view text, bool whole) {
    if (!writes()) return true;
    if (!std::exchange(in_text_, !whole)) begin_value();
    out_.append(text);
    if (whole) end_value();
    return true;
  }
  bool word(std::string_view text) { return number(text, true); }

  Layout layout_;
  std::string& out_;
  bool& any_;
  std::vector<bool> empty_;  ///< of each container around, whether nothing stands in it yet
  std::string key_;          ///< the last one of the document itself
  std::string next_page_;
  size_t count_ = 0;
  bool has_items_ = false;
  bool in_items_ = false;
  bool after_key_ = false;
  bool in_text_ = false;  ///< the last part of a key, string or number is yet to come
};

}  // namespace

Result<ItemsText::Page> ItemsText::add(std::string_view document) {
  json::parse_options options;
  options.max_depth = 64;
  json::basic_parser<Handler> parser(options, layout_, out_, any_);
  // Indentation and the blanks behind colons add about a half.
  if (layout_ == Layout::indented) out_.reserve(out_.size() + document.size() * 3 / 2);
  json::error_code error;
  const size_t used = parser.write_some(false, document.data(), document.size(), error);
  if (!error && used < document.size()) error = json::error::extra_data;
  if (error) {
    return fail(Code::invalid_argument,
                fmt::format("not valid JSON at byte {}: {}", used, error.message()));
  }
  if (!parser.handler().has_items()) return fail(Code::corrupt, "it is not a list");
  return parser.handler().page();
}

std::string ItemsText::finish() {
  if (layout_ == Layout::lines) return std::move(out_);
  out_.insert(0, "{\n  \"items\": [");
  out_ += any_ ? "\n  ]\n}\n" : "]\n}\n";
  return std::move(out_);
}

}  // namespace drover
