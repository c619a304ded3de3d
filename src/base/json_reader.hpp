// Reading many small JSON documents one after the other in the same memory.
#pragma once

#include "base/json.hpp"

#include <memory>
#include <string_view>

namespace drover {

/// For documents that are looked at and dropped: their values cost no allocation each. One thread.
class JsonReader {
 public:
  JsonReader();
  ~JsonReader();
  JsonReader(const JsonReader&) = delete;
  JsonReader& operator=(const JsonReader&) = delete;

  /// The document's value, changeable, valid until the next call: what shall last is copied with
  /// memory of its own. Errors as of parse_json().
  Result<json::value*> read(std::string_view text);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover
