// {"items":[..],"next_page":".."}: the form of every list.
#pragma once

#include "base/describe.hpp"

#include <string>
#include <string_view>

namespace drover::api {

class ListWriter {
 public:
  /// `expected` items, so that long lists do not grow by copying themselves.
  explicit ListWriter(size_t expected = 0) : expected_(expected) {}
  /// Starts the next item; the caller appends its JSON to what is returned.
  std::string& next() {
    if (count_ == kSampled && expected_ > kSampled) {
      out_.reserve(out_.size() / kSampled * (expected_ + kSampled));
    }
    if (count_++ > 0) out_.push_back(',');
    return out_;
  }
  template <Described T>
  void add(const T& item) {
    append_json(next(), item);
  }
  [[nodiscard]] size_t count() const { return count_; }
  /// Ends the list. `next_page` is a name or number of ours, without characters to escape; empty
  /// means that nothing follows.
  std::string finish(std::string_view next_page = {}) {
    out_.push_back(']');
    if (!next_page.empty()) out_.append(",\"next_page\":\"").append(next_page).append("\"");
    out_.push_back('}');
    return std::move(out_);
  }

 private:
  static constexpr size_t kSampled = 32;  ///< items whose mean size stands for all
  size_t expected_;
  std::string out_ = "{\"items\":[";
  size_t count_ = 0;
};

}  // namespace drover::api
