// The tree's calls as the API's CallService.
#pragma once

#include "api/services.hpp"
#include "tree/call_dispatch.hpp"

namespace drover::api {

/// `dispatch` outlives it.
class DispatchCalls final : public CallService {
 public:
  explicit DispatchCalls(tree::CallDispatch& dispatch) : dispatch_(dispatch) {}
  Status start(tree::CallSpec spec, Progress progress,
               Callback<void(tree::CallReport)> done) override {
    return dispatch_.start(std::move(spec), std::move(progress), std::move(done));
  }
  Status cancel(const std::string& id) override { return dispatch_.cancel(id); }

 private:
  tree::CallDispatch& dispatch_;
};

}  // namespace drover::api
