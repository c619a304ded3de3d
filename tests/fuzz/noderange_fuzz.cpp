// Noderanges from the command line and the API: expand, fold, expand again.
#include "base/noderange.hpp"
#include "fuzz.hpp"

#include <string>
#include <vector>

namespace {

/// A small cluster in which every kind of term has something to name.
class SomeNames final : public drover::NodeNames {
 public:
  [[nodiscard]] std::vector<std::string> all() const override {
    return {"n1", "n2", "n10", "rack1n01"};
  }
  [[nodiscard]] bool is_node(std::string_view name) const override {
    return name == "n1" || name == "n2" || name == "n10" || name == "rack1n01";
  }
  [[nodiscard]] std::optional<std::string> node_of_alias(std::string_view alias) const override {
    if (alias == "x0c0s1b0n0") return "n1";
    return std::nullopt;
  }
  [[nodiscard]] std::optional<std::vector<std::string>> members(
      std::string_view group) const override {
    if (group == "rack") return std::vector<std::string>{"n1", "rack1n01"};
    return std::nullopt;
  }
  [[nodiscard]] bool has_attribute(std::string_view attribute) const override {
    return attribute == "role";
  }
  [[nodiscard]] std::optional<std::string> attribute(std::string_view node,
                                                     std::string_view) const override {
    return std::string(node);
  }
};

}  // namespace

DROVER_FUZZ_TARGET(input) {
  // Sets of up to a million names are legal; they would only slow the search for mistakes down.
  if (input.size() > 400) return;
  (void)drover::evaluate(input, SomeNames{});
  (void)drover::find_mistake(input);
  const auto count = drover::count_names(input);
  if (!count || *count > 2000) return;
  const auto names = drover::expand_names(input);
  if (!names) return;
  drover::fuzz::require(names->size() == *count, "count_names() counts");
  const std::string folded = drover::fold_names(*names);
  const auto again = drover::expand_names(folded);
  drover::fuzz::require(again.has_value() && *again == *names, "expand(fold(x)) is x");
}
