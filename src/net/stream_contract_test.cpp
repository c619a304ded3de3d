// The contract of the Net seam over real sockets; the simulated network keeps the same one.
#include "sim/stream_contract.hpp"

#include "net/certificates_for_tests.hpp"
#include "net/real_net.hpp"

#include <filesystem>
#include <memory>
#include <string>

#include <stdlib.h>

namespace drover::sim {
namespace {

enum class Kind { tcp4, tcp6, unix_socket, tls };

class RealRig final : public StreamRig {
 public:
  explicit RealRig(Kind kind) : kind_(kind) {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "drover-contract-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    if (kind == Kind::tls) security_ = net_->make_security(ca_.config()).value();
  }
  ~RealRig() override { std::filesystem::remove_all(folder_); }
  RealRig(const RealRig&) = delete;
  RealRig& operator=(const RealRig&) = delete;

  net::Net& client_net() override { return *net_; }
  net::Net& server_net() override { return *net_; }
  Executor& executor() override { return *loop_; }
  bool run_until(Callback<bool()> done, Duration limit) override {
    return loop_->run_until(std::move(done), limit);
  }
  net::Endpoint listen_at() override {
    if (kind_ == Kind::unix_socket) return {{}, 0, folder_ + "/socket"};
    return {kind_ == Kind::tcp6 ? "::1" : "127.0.0.1", 0, {}};
  }
  net::Endpoint nobody() override {
    if (kind_ == Kind::unix_socket) return {{}, 0, folder_ + "/nobody"};
    // Port 1 (tcpmux) is privileged and unused.
    return {kind_ == Kind::tcp6 ? "::1" : "127.0.0.1", 1, {}};
  }
  std::shared_ptr<net::Security> server_security() override { return security_; }
  std::shared_ptr<net::Security> client_security() override { return security_; }
  std::string server_uri() override { return security_ ? "drover://test/compute/n1" : ""; }
  std::string client_uri() override { return server_uri(); }

 private:
  Kind kind_;
  std::string folder_;
  net::testing::TestCa ca_;
  std::unique_ptr<net::Loop> loop_ = net::Loop::make().value();
  std::unique_ptr<net::RealNet> net_ = std::make_unique<net::RealNet>(*loop_);
  std::shared_ptr<net::Security> security_;
};

template <Kind kind>
std::unique_ptr<StreamRig> rig() {
  return std::make_unique<RealRig>(kind);
}

INSTANTIATE_TEST_SUITE_P(Real, StreamContract,
                         testing::Values(StreamRigFactory{"tcp4", rig<Kind::tcp4>},
                                         StreamRigFactory{"tcp6", rig<Kind::tcp6>},
                                         StreamRigFactory{"unix", rig<Kind::unix_socket>},
                                         StreamRigFactory{"tls", rig<Kind::tls>}),
                         StreamRigFactory::name_of);

}  // namespace
}  // namespace drover::sim
