// The items of a list, from one JSON text to another without building values in between.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace drover {

/// Takes pages {"items":[..],"next_page":".."} and gives all their items as one document indented
/// like to_pretty_text(), or each as one line. Numbers keep their digits as they came.
class ItemsText {
 public:
  enum class Layout { indented, lines };
  explicit ItemsText(Layout layout) : layout_(layout) {}

  struct Page {
    size_t count = 0;       ///< its items
    std::string next_page;  ///< empty: it is the last
  };
  /// invalid_argument for what is not JSON (depth limit 64), names the byte; corrupt for a document
  /// without a list of items. After an error the text is of no use.
  Result<Page> add(std::string_view document);
  /// The whole text; call it once.
  std::string finish();

 private:
  Layout layout_;
  std::string out_;
  bool any_ = false;
};

}  // namespace drover
