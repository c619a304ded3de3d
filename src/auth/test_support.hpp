// For tests of this room and of those that need a CA: fixed time, seeded lots, certificates at
// will.
#pragma once

#include "auth/authority.hpp"
#include "base/random.hpp"
#include "sim/sim_disk.hpp"

#include <memory>
#include <string>

namespace drover::auth::testing {

inline constexpr WallTime kNow{std::chrono::seconds(1'795'000'000)};  // November 2026

/// Numbers from a seed (SplitMix64): the same in every run.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed = 1) : state_(seed) {}
  void fill(std::span<unsigned char> out) override {
    for (unsigned char& byte : out) {
      state_ += 0x9e3779b97f4a7c15;
      uint64_t z = state_;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
      z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
      byte = static_cast<unsigned char>(z ^ (z >> 31));
    }
  }

 private:
  uint64_t state_;
};

/// A clock that stands still until it is moved; timers never fire.
class HandClock final : public Clock {
 public:
  [[nodiscard]] MonoTime now() const override { return mono_; }
  [[nodiscard]] WallTime wall() const override { return wall_; }
  TimerId arm(MonoTime, Callback<void()>) override { return 0; }
  void disarm(TimerId) override {}
  void advance(Duration by) {
    mono_ += by;
    wall_ += by;
  }
  void set_wall(WallTime wall) { wall_ = wall; }

 private:
  MonoTime mono_{};
  WallTime wall_ = kNow;
};

/// A real CA on a simulated disk.
class TestCa {
 public:
  explicit TestCa(const std::string& cluster = "alpha", uint64_t seed = 1, WallTime now = kNow)
      : cluster_(cluster), random_(seed) {
    authority_ = CertificateAuthority::open_or_create(disk_, random_, "/ca", cluster, now).value();
  }
  [[nodiscard]] const CertificateAuthority& authority() const { return *authority_; }
  /// A request for an ordinary certificate, to be changed by the test.
  [[nodiscard]] IssueRequest request(const KeyPair& key, const std::string& role,
                                     const std::string& name) {
    IssueRequest out;
    out.csr_pem = make_csr(key, name).value();
    out.cluster = cluster_;
    out.role = role;
    out.name = name;
    out.serial = draw_serial(random_);
    out.now = kNow;
    return out;
  }
  [[nodiscard]] std::string certify(const KeyPair& key, const std::string& role,
                                    const std::string& name) {
    return authority_->issue(request(key, role, name)).value().certificate_pem;
  }

 private:
  std::string cluster_;
  sim::SimDisk disk_;
  SeededRandom random_;
  std::unique_ptr<CertificateAuthority> authority_;
};

}  // namespace drover::auth::testing
