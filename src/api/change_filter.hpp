// Which changes a list or a watcher wants: by kind and key, who, when, and about which nodes.
#pragma once

#include "base/result.hpp"
#include "cluster/model.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace drover::api {

/// The nodes of a noderange at one moment, by name and by id. Immutable; any thread.
class NodeSet {
 public:
  /// not_found listing unknown names, invalid_argument with the place of a mistake.
  static Result<std::shared_ptr<const NodeSet>> evaluate(std::string_view range,
                                                         const cluster::Model& model);
  /// Whether a change is of one of these nodes, under whatever name it had then, or of something
  /// that belongs to one: its parts, its certificate.
  [[nodiscard]] bool has(const store::Change& change) const;

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Names =
      std::unordered_set<std::string, Hash, std::equal_to<>>;  // lookup only, never walked
  Names names_;
  Names ids_;
};

/// All conditions hold of an accepted change. Any thread.
class ChangeConditions final : public store::ChangeFilter {
 public:
  std::vector<std::string> kinds;  ///< empty: all
  std::string key;                 ///< empty: all
  std::string actor;  ///< a name ("alice"), or an actor's text with * for any run; empty: all
  int64_t from_ms = std::numeric_limits<int64_t>::min();
  int64_t until_ms = std::numeric_limits<int64_t>::max();  ///< not included
  std::shared_ptr<const NodeSet> nodes;                    ///< null: all

  [[nodiscard]] bool accepts(const store::Change& change) const override;
};

/// "alice" fits "user:alice@utility/login1", "person:alice"; a text with : or * is a pattern of the
/// whole.
bool actor_fits(std::string_view actor, std::string_view wanted);

}  // namespace drover::api
