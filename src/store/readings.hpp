// The newest rows of objects that somebody keeps a reading of: row, body and reading, from the
// write of a body to the next look at it. A change of ten thousand nodes would else look each of
// them up and parse it twice (docs/decisions/0026).
#pragma once

#include "store/store.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace drover::store {

/// What the database has of an object, for as long as somebody else keeps its reading. One thread's
/// at a time: the store's worker, and before its first job whoever loads.
///
/// It is right because every write passes by here: LoggedTransaction keeps what it writes and
/// forgets what it undoes, QueuedStore clears it when a commit fails and when somebody else added
/// to the log. Debug builds compare it with the database at every use.
class Readings {
 public:
  struct Known {
    int64_t row = 0;  ///< StoredObject::id; 0: not known
    uint64_t revision = 0;
    std::string body;
    std::weak_ptr<const Reading> reading;
  };

  /// `reading` may be null: then the object is not known from here on.
  void keep(std::string_view kind, std::string_view key, int64_t row, uint64_t revision,
            std::string_view body, const std::shared_ptr<const Reading>& reading);
  /// Adds the row of what is known at this revision, if it is.
  void note_row(std::string_view kind, std::string_view key, int64_t row, uint64_t revision);
  void forget(std::string_view kind, std::string_view key);
  void clear();

  /// Null: nobody keeps a reading. Good until the next keep(), forget() or clear().
  [[nodiscard]] const Known* find(std::string_view kind, std::string_view key);
  /// The same, the reading alone.
  [[nodiscard]] std::shared_ptr<const Reading> reading(std::string_view kind, std::string_view key);

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using ByKey = std::unordered_map<std::string, Known, Hash, std::equal_to<>>;
  using Entry = ByKey::value_type;

  [[nodiscard]] Entry* entry(std::string_view kind, std::string_view key);

  std::map<std::string, ByKey, std::less<>> kinds_;
  /// The entry found last, of the kind `last_kind_`: a write asks for the same one several times.
  Entry* last_ = nullptr;
  const std::string* last_kind_ = nullptr;
};

}  // namespace drover::store
