// Callback<R(Args...)>: a move-only function object (std::move_only_function is C++23).
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace drover {

template <typename Signature>
class Callback;

/// Owns a callable that may itself be move-only. Empty by default; calling an empty one is a
/// defect.
template <typename R, typename... Args>
class Callback<R(Args...)> {
 public:
  Callback() = default;
  Callback(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): reads as "none"
  template <typename F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, Callback> &&
             std::is_invocable_r_v<R, std::remove_cvref_t<F>&, Args...>)
  Callback(F&& f)  // NOLINT(google-explicit-constructor,bugprone-forwarding-reference-overload):
                   // takes lambdas
      : target_(std::make_unique<Model<std::remove_cvref_t<F>>>(std::forward<F>(f))) {}

  explicit operator bool() const { return target_ != nullptr; }
  R operator()(Args... args) { return target_->call(std::forward<Args>(args)...); }

 private:
  struct Concept {
    Concept() = default;
    Concept(const Concept&) = delete;
    Concept& operator=(const Concept&) = delete;
    virtual ~Concept() = default;
    virtual R call(Args... args) = 0;
  };
  template <typename F>
  struct Model final : Concept {
    explicit Model(F f) : f_(std::move(f)) {}
    R call(Args... args) override { return static_cast<R>(f_(std::forward<Args>(args)...)); }
    F f_;
  };
  std::unique_ptr<Concept> target_;
};

}  // namespace drover
