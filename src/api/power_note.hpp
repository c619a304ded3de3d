// What a call that ends nodes makes of their phases, as each node takes it.
#pragma once

#include "api/services.hpp"
#include "store/store.hpp"
#include "tree/call.hpp"

#include <set>
#include <string>

namespace drover::api {

/// Kept with the call; does nothing for calls of other methods. One executor's thread.
class PowerNote {
 public:
  PowerNote(Services& services, std::string method, std::string why, store::Author author)
      : services_(services),
        method_(std::move(method)),
        why_(std::move(why)),
        author_(std::move(author)) {}

  /// Nodes that answered with `done`, each noted once however often it is told.
  void take(const tree::CallReport& report);

 private:
  Services& services_;
  std::string method_;
  std::string why_;
  store::Author author_;
  std::set<std::string> noted_;
};

}  // namespace drover::api
