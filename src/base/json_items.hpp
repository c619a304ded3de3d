// The items of a list, from one text to another without building values in between.
#pragma once

#include "base/callback.hpp"
#include "base/json_events.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace drover {

/// Takes pages {"items":[..],"next_page":".."} and gives all their items as one document indented
/// like to_pretty_text(), as one line each, or as to_yaml() writes them. In JSON numbers keep their
/// digits as they came.
class ItemsText {
 public:
  enum class Layout { indented, lines, yaml };
  /// `to` gets the text in pieces, each ending where an item does: a list of any length takes no
  /// more memory than a page.
  ItemsText(Layout layout, Callback<void(std::string)> to);
  ItemsText(const ItemsText&) = delete;
  ItemsText& operator=(const ItemsText&) = delete;

  struct Page {
    size_t count = 0;       ///< its items
    std::string next_page;  ///< empty: it is the last
  };
  /// invalid_argument for what is not JSON (depth limit 64), names the byte; corrupt for a document
  /// without a list of items. After an error what was given is not the whole text.
  Result<Page> add(std::string_view document);
  /// The end of the text; call it once.
  void finish();

 private:
  void hand_over();

  Layout layout_;
  Callback<void(std::string)> to_;
  std::string out_;
  std::unique_ptr<JsonEvents> writer_;
};

}  // namespace drover
