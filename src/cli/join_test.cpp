// drover join and --server over real TLS, with a real certificate authority behind the server.
#include "auth/authority.hpp"
#include "auth/identity.hpp"
#include "auth/join_token.hpp"
#include "base/json_values.hpp"
#include "cli/output.hpp"
#include "cli/test_daemon.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace drover::cli {
namespace {

using testing::CommandLine;
using testing::json_response;
using testing::problem;
using testing::Ran;
using testing::TestDaemon;

/// A cluster's authority and a server that answers joins with it.
class JoinTest : public ::testing::Test {
 protected:
  JoinTest() {
    authority_ =
        auth::CertificateAuthority::open_or_create(disk_, random_, folder_ / "ca", "demo", now())
            .value();
    token_ = auth::make_join_token(random_, authority_->ca_fingerprint()).value();
  }

  static WallTime now() { return net::Loop::make().value()->wall(); }

  auth::Identity identity(const std::string& role, const std::string& name) {
    auth::OpensslIdentityTool tool;
    auth::Identity out;
    out.key_pem = tool.make_key().value();
    out.ca_pem = authority_->ca_pem();
    out.certificate_pem = issue(tool.make_csr(out.key_pem, name).value(), role, name);
    return out;
  }

  std::string issue(const std::string& csr, const std::string& role, const std::string& name) {
    auth::IssueRequest request;
    request.csr_pem = csr;
    request.cluster = "demo";
    request.role = role;
    request.name = name;
    request.serial = auth::draw_serial(random_);
    request.now = now();
    return authority_->issue(request).value().certificate_pem;
  }

  net::SecurityConfig server_security(const std::string& role, const std::string& name) {
    net::SecurityConfig out = auth::security_config(identity(role, name));
    out.verify_peer = false;
    // Chains end in the root, as a master's do, so that a host that knows the digest alone can
    // check.
    out.certificate_pem += authority_->ca_pem();
    return out;
  }

  /// Signs what comes, as `role`/`name` where given.
  TestDaemon::Handler signer(std::string role = {}, std::string name = {}) {
    return [this, role, name](const net::HttpRequest& request, const auto& exchange) {
      const json::value body = parse_json(request.body).value_or(json::object{});
      if (text_at(body, "token") != token_.text()) {
        return exchange->respond(problem(403, "denied", "no such token", "drover token create"));
      }
      const std::string csr(body.at("csr_pem").as_string());
      const json::object answer{
          {"certificate_pem", issue(csr, role.empty() ? text_at(body, "role") : role,
                                    name.empty() ? text_at(body, "name") : name)},
          {"ca_pem", authority_->ca_pem()},
          {"cluster", "demo"},
          {"name", text_at(body, "name")},
          {"masters", json::array{"127.0.0.1:7440"}},
          {"aggregators", json::array{"127.0.0.1:7441", "127.0.0.1:7442"}}};
      exchange->respond(json_response(to_text(answer)));
    };
  }

  [[nodiscard]] std::string dir() const { return folder_ / "etc"; }
  [[nodiscard]] std::vector<std::string> words(const TestDaemon& daemon) const {
    return {"join",   "--token", token_.text(), "--server", daemon.url(),
            "--name", "n1",      "--dir",       dir()};
  }
  static mode_t mode_of(const std::string& path) {
    struct stat facts{};
    EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
    return facts.st_mode & 0777;
  }

  os::testing::TestFolder folder_;
  os::RealDisk disk_;
  os::RealRandom random_;
  std::unique_ptr<auth::CertificateAuthority> authority_;
  auth::JoinToken token_;
  CommandLine drover_;
};

TEST_F(JoinTest, WritesIdentityAndConfigurationOnce) {
  TestDaemon daemon(signer(), server_security("master", "m1"));
  const Ran first = drover_(words(daemon));
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_NE(first.out.find("joined as drover://demo/compute/n1"), std::string::npos) << first.out;
  EXPECT_EQ(mode_of(dir() + "/identity/identity.pem"), 0600U);
  const auto identity = auth::IdentityFiles(disk_, dir() + "/identity").load().value();
  ASSERT_TRUE(identity);
  EXPECT_EQ(auth::OpensslIdentityTool().check(*identity)->uri, "drover://demo/compute/n1");
  EXPECT_EQ(
      disk_.read_all(dir() + "/compute.toml").value(),
      "# Written by `drover join`. Flags and DROVER_* variables are stronger than this file.\n"
      "cluster = \"demo\"\nname = \"n1\"\nstate = \"" +
          dir() + "\"\naggregators = [\"127.0.0.1:7441\", \"127.0.0.1:7442\"]\n");
  const Ran again = drover_(words(daemon));
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_NE(again.out.find("already joined as drover://demo/compute/n1"), std::string::npos);
  EXPECT_EQ(daemon.requests().size(), 1U);
  auto other = words(daemon);
  other[6] = "n2";
  EXPECT_EQ(drover_(other).code, 5);
}

TEST_F(JoinTest, TakesTheTokenFromInputFileOrEnvironment) {
  TestDaemon daemon(signer(), server_security("master", "m1"));
  auto from_input = words(daemon);
  from_input[2] = "-";
  from_input.emplace_back("--dry-run");
  drover_.input = token_.text() + "\n";
  EXPECT_NE(drover_(from_input).out.find("would join"), std::string::npos);
  folder_.write("token", token_.text() + "\n");
  auto from_file = from_input;
  from_file[2] = "@" + (folder_ / "token");
  EXPECT_EQ(drover_(from_file).code, 0);
  auto from_environment = from_input;
  from_environment.erase(from_environment.begin() + 1, from_environment.begin() + 3);
  EXPECT_EQ(drover_(from_environment).code, 2);
  drover_.environment["DROVER_TOKEN"] = token_.text();
  EXPECT_EQ(drover_(from_environment).code, 0);
  EXPECT_TRUE(daemon.requests().empty());
  EXPECT_FALSE(disk_.exists(dir()).value());
}

TEST_F(JoinTest, ARefusalKeepsTheKeyForTheNextTry) {
  TestDaemon daemon(signer(), server_security("master", "m1"));
  auto wrong = words(daemon);
  wrong[2] = auth::make_join_token(random_, authority_->ca_fingerprint()).value().text();
  const Ran refused = drover_(wrong);
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_NE(refused.err.find("no such token\nnext: drover token create"), std::string::npos);
  EXPECT_EQ(mode_of(dir() + "/identity/pending.key"), 0600U);
  const std::string key = disk_.read_all(dir() + "/identity/pending.key").value();
  ASSERT_EQ(drover_(words(daemon)).code, 0);
  EXPECT_EQ(auth::IdentityFiles(disk_, dir() + "/identity").load().value()->key_pem, key);
}

TEST_F(JoinTest, SendsNothingToAServerOfAnotherAuthority) {
  auto foreign =
      auth::CertificateAuthority::open_or_create(disk_, random_, folder_ / "foreign", "demo", now())
          .value();
  std::swap(authority_, foreign);
  TestDaemon daemon(signer(), server_security("master", "m1"));
  const Ran ran = drover_(words(daemon));
  EXPECT_NE(ran.code, 0);
  EXPECT_TRUE(daemon.requests().empty());
}

TEST_F(JoinTest, SendsNothingToADaemonThatIsNoMaster) {
  TestDaemon daemon(signer(), server_security("compute", "n9"));
  const Ran ran = drover_(words(daemon));
  EXPECT_EQ(ran.code, 4);
  EXPECT_NE(ran.err.find("proved to be drover://demo/compute/n9, not a master"), std::string::npos)
      << ran.err;
  EXPECT_TRUE(daemon.requests().empty());
}

TEST_F(JoinTest, RefusesACertificateForSomebodyElse) {
  TestDaemon daemon(signer("compute", "n2"), server_security("master", "m1"));
  const Ran ran = drover_(words(daemon));
  EXPECT_NE(ran.code, 0);
  EXPECT_NE(ran.err.find("made a certificate for drover://demo/compute/n2"), std::string::npos);
  EXPECT_FALSE(disk_.exists(dir() + "/identity/identity.pem").value());
}

TEST_F(JoinTest, BadTokensAndServersAreUsageErrors) {
  EXPECT_EQ(
      drover_({"join", "--token", "drover-join-v1.nonsense", "--server", "https://127.0.0.1:1"})
          .code,
      2);
  EXPECT_EQ(drover_({"join", "--token", token_.text()}).code, 2);
  EXPECT_EQ(drover_({"join", "--token", token_.text(), "--server", "http://127.0.0.1:1"}).code, 2);
  EXPECT_EQ(drover_({"join", "--token", token_.text(), "--server", "https://127.0.0.1:1", "--role",
                     "king"})
                .code,
            2);
  const Ran dead = drover_(
      {"join", "--token", token_.text(), "--server", "https://127.0.0.1:1", "--dir", dir()});
  EXPECT_EQ(dead.code, 3) << dead.err;
}

TEST_F(JoinTest, ServerOptionAsksAMasterOverTls) {
  net::SecurityConfig security = server_security("master", "m1");
  security.verify_peer = true;
  TestDaemon daemon(
      [](const net::HttpRequest& request, const auto& exchange) {
        exchange->respond(
            json_response(R"({"items":[{"name":")" + request.peer.certificate_uri + "\"}]}"));
      },
      security);
  const auth::Identity person = identity("admin", "alice");
  folder_.write("alice.pem", auth::to_bundle(person));
  const std::string bundle = folder_ / "alice.pem";
  const Ran ran = drover_({"node", "list", "-o", "name", "--server", daemon.url(), "--cert", bundle,
                           "--key", bundle, "--ca", bundle});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "drover://demo/admin/alice\n");
  EXPECT_EQ(drover_({"node", "list", "--server", daemon.url()}).code, 2);
  EXPECT_NE(drover_({"node", "list", "--server", daemon.url(), "--ca", "/nonexistent"}).code, 0);
}

}  // namespace
}  // namespace drover::cli
