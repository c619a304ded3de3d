#include "api/snapshot_line.hpp"

namespace drover::api {

void SnapshotLine::describe(Visitor& v) {
  v.field("kind", kind, "Kind of the thing; `sequence` on the last line.");
  v.field("key", key, "Its key.");
  v.field("revision", revision,
          "The change that made it so; on the last line the one to watch from.");
  v.field("body", body, "The thing itself; null on the last line.");
}

}  // namespace drover::api
