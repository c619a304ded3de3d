// The tree's calls as the API's CallService.
#pragma once

#include "api/services.hpp"
#include "tree/call_dispatch.hpp"

namespace drover::api {

/// `dispatch` outlives it.
class DispatchCalls final : public CallService {
 public:
  explicit DispatchCalls(tree::CallDispatch& dispatch) : dispatch_(dispatch) {}
  Status start(tree::CallSpec spec, Callback<void(tree::CallReport)> done) override {
    return dispatch_.start(std::move(spec), {}, std::move(done));
  }

 private:
  tree::CallDispatch& dispatch_;
};

}  // namespace drover::api
