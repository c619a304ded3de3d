// What was read out of bodies, kept from the write of a body to the next look at it: a change of
// ten thousand nodes would else parse each of them twice (docs/decisions/0026).
#pragma once

#include "store/store.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace drover::store {

/// The newest reading of each object, for as long as somebody else keeps it. One thread's at a
/// time: the store's worker, and before its first job whoever loads.
///
/// Right over undone mutations too: a revision that was undone is given again, but never without
/// a keep() or forget() of the same object in between.
class Readings {
 public:
  /// `reading` may be null: then the object has none from here on.
  void keep(std::string_view kind, std::string_view key, uint64_t revision,
            const std::shared_ptr<const Reading>& reading);
  /// Null: nobody has read this revision, or it is gone.
  [[nodiscard]] std::shared_ptr<const Reading> find(std::string_view kind, std::string_view key,
                                                    uint64_t revision) const;

 private:
  struct Kept {
    uint64_t revision = 0;
    std::weak_ptr<const Reading> reading;
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using ByKey = std::unordered_map<std::string, Kept, Hash, std::equal_to<>>;

  std::map<std::string, ByKey, std::less<>> kinds_;
};

}  // namespace drover::store
