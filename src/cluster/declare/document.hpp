// The declarative document: what a cluster should be, in part or in whole. docs/declarative.md.
#pragma once

#include "base/json.hpp"
#include "base/result.hpp"
#include "cluster/declare/fields.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace drover::cluster {

inline constexpr std::string_view kDocumentKind = "drover-cluster";
inline constexpr int64_t kDocumentVersion = 1;
/// Most objects of one document, ranges counted by their nodes.
inline constexpr size_t kMaxDocumentObjects = 100'000;

/// What a document says of one object; the nodes of a range share it.
struct Entry {
  FieldSet set;
  bool removed = false;  ///< a setting whose value is null: it shall have none
  std::string pointer;   ///< where in the document
  bool operator==(const Entry&) const = default;
};

struct Document {
  std::map<ObjectName, std::shared_ptr<const Entry>> objects;
};

/// Reads a document. Every mistake that can be seen in it alone is in `problems`, in its order; the
/// document is whole only when there are none.
Document read_document(const json::value& value, std::vector<Mistake>& problems);

/// The document as it is remembered after it was applied, for the next three-way merge; equal
/// entries once, under their folded names. Stable: the same document gives the same text.
std::string encode_applied(const Document& document);
/// The inverse; corrupt when the text is none. Pointers are not kept.
Result<Document> decode_applied(std::string_view text);

}  // namespace drover::cluster
