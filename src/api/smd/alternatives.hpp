// What SMD's filters want of one member: repeated values are alternatives, and a value behind `!`
// is one that it must not be.
#pragma once

#include "api/smd/manners.hpp"
#include "base/result.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::api::smd {

class Alternatives {
 public:
  /// A value in the form in which it is compared; nothing when it cannot be one.
  using Read = std::optional<std::string> (*)(std::string_view);
  /// Adds the values of `key` (lower case). invalid_argument with `complaint` for one that cannot
  /// be; without a complaint the words name key and value.
  Status take(const Query& query, std::string_view key, Read read, std::string_view complaint = {});

  [[nodiscard]] bool empty() const { return words_.empty(); }
  [[nodiscard]] bool fits(std::string_view value) const;
  /// Of something with several values: one that is wanted is enough, one that is not is too much.
  template <typename List, typename Member>
  [[nodiscard]] bool fits_one_of(const List& list, Member member) const {
    const auto has = [&](const Word& word) {
      return std::ranges::find(list, word.text, member) != std::ranges::end(list);
    };
    return fits_when(has);
  }
  struct Word {
    std::string text;
    bool negated = false;
  };
  [[nodiscard]] const std::vector<Word>& words() const { return words_; }

 private:
  template <typename Has>
  [[nodiscard]] bool fits_when(Has has) const {
    bool wanted = true;
    bool found = false;
    for (const Word& word : words_) {
      if (word.negated) {
        if (has(word)) return false;
        continue;
      }
      wanted = found = found || has(word);
    }
    return wanted;
  }
  std::vector<Word> words_;
};

/// Forms of values that several filters have.
std::optional<std::string> as_any(std::string_view text);
std::optional<std::string> as_lower(std::string_view text);
/// true and false in any case, 1 and 0.
std::optional<std::string> as_truth(std::string_view text);
std::optional<std::string> as_xname(std::string_view text);
/// MACs and addresses in their canonical form; others as they are, which nothing has.
std::optional<std::string> as_mac(std::string_view text);
std::optional<std::string> as_address(std::string_view text);
/// The name of a type of xnames.
std::optional<std::string> as_type(std::string_view text);

}  // namespace drover::api::smd
