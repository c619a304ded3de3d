// What a read asks of its answer: which fields, in which order, which page. It works on the encoded
// answer, for every route alike.
#pragma once

#include "api/field_tree.hpp"
#include "base/result.hpp"
#include "net/http/target.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api {

/// A page token: opaque to clients, bound to its list, refused when it is not one of ours. It holds
/// the place behind which the next page begins, so items that come and go meanwhile shift nothing.
std::string make_page_token(std::string_view list, std::string_view position);
/// The position; invalid_argument for anything but a token of this list.
Result<std::string> read_page_token(std::string_view list, std::string_view token);

/// Largest `limit` of a sorted list.
inline constexpr uint64_t kMostSorted = 10'000;

class AnswerShape {
 public:
  /// Of which answer.
  struct Subject {
    std::string_view list;        ///< the route's path when it answers a list, else empty
    bool pages = false;           ///< the handler does `limit` and `page` itself
    const FieldTree* known = {};  ///< of the answer, or of a list's items
  };
  /// What the query of a request asks. Where the handler does not page, or cannot because the order
  /// is another one, it must give every item: `limit` and `page` are taken out of `target` and done
  /// here. A `page` that stays is turned into its position. Null when there is nothing to do.
  static Result<std::shared_ptr<const AnswerShape>> take(net::Target& target, Subject subject);

  /// Gives `body`, what the handler wrote, its shape. A body that is no list or object stays as it
  /// is.
  void apply(std::string& body) const;
  /// Whether it needs every item of the list.
  [[nodiscard]] bool sorts() const { return sorts_; }

 private:
  struct SortKey {
    std::string path;
    bool descending = false;
  };
  struct Item {
    std::string_view text;
    std::vector<std::string_view> keys;
  };
  [[nodiscard]] bool before(const std::vector<std::string_view>& a,
                            const std::vector<std::string_view>& b) const;
  [[nodiscard]] std::vector<std::string_view> keys_of(std::string_view item) const;
  Status read_sort(std::string_view text, const FieldTree& known);
  void take_pages(net::Target& target);
  void apply_to_list(std::string& body, std::string_view items, std::string_view next) const;

  std::string list_;
  std::optional<FieldChoice> fields_;
  bool sorts_ = false;
  std::vector<SortKey> sort_;       ///< before the item's own name, which decides last
  std::string place_;               ///< what page tokens are bound to: the list and its order
  std::vector<std::string> after_;  ///< keys of the last item of the page before; empty: none
  uint64_t limit_ = kMostSorted;
};

}  // namespace drover::api
