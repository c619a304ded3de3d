// drover join: makes this host a member of a cluster: key, signing request, certificate.
#include "auth/certificate.hpp"
#include "auth/identity.hpp"
#include "auth/join_token.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"
#include "os/boot_id.hpp"
#include "tree/hello.hpp"

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

/// What the user asked for, checked.
struct JoinPlan {
  std::string server;
  auth::JoinToken token;
  std::string role;
  std::string name;
  json::array listens;  ///< where others of the tree will dial this daemon
  std::string state;    ///< the daemon's folder for what must survive a restart
  std::string config_path;
  [[nodiscard]] std::string identity_dir() const { return state + "/identity"; }
};

std::string raw_text(const json::value& in, std::string_view path) {
  const json::value* value = find_path(in, path);
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

/// From --token, DROVER_TOKEN, a file (@PATH) or standard input (-); the last three keep the secret
/// out of the process list.
Result<std::string> token_text(Context& context, const Given& given) {
  std::string text = given.has("token") ? given.text("token") : context.variable("DROVER_TOKEN");
  if (text.empty()) {
    return fail(Code::invalid_argument, "a token is missing",
                "on a master: drover token create; here: drover join --token TOKEN, @FILE or -");
  }
  if (text == "-") return context.surroundings().input();
  if (text.starts_with('@')) return context.surroundings().disk.read_all(text.substr(1), 4096);
  return text;
}

Result<JoinPlan> plan_of(Context& context, const Given& given) {
  JoinPlan out;
  DROVER_TRY(const std::string token, token_text(context, given));
  DROVER_TRY(out.token, auth::parse_join_token(token));
  out.server = context.server_option();
  if (out.server.empty()) {
    return fail(Code::invalid_argument, "no master is named",
                "drover join --server https://MASTER:PORT --token TOKEN");
  }
  DROVER_CHECK_OK(parse_server_url(out.server));
  out.role = given.has("role") ? given.text("role") : "compute";
  out.name = given.has("name") ? given.text("name") : os::host_name();
  for (const std::string& listen : split_list(given.text("listen"))) {
    DROVER_CHECK_OK(net::Endpoint::parse(listen));
    out.listens.emplace_back(listen);
  }
  std::string dir = given.text("dir");
  while (dir.size() > 1 && dir.ends_with('/')) dir.pop_back();
  out.state = dir.empty() ? "/var/lib/drover/" + out.role : dir;
  out.config_path = (dir.empty() ? "/etc/drover" : dir) + "/" + out.role + ".toml";
  return out;
}

std::string toml_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "\"";
}

std::string toml_list(const json::value& answer, std::string_view path) {
  std::string out = "[";
  const json::value* items = find_path(answer, path);
  if (items != nullptr && items->is_array()) {
    for (const json::value& item : items->get_array()) {
      if (!item.is_string()) continue;
      if (out.size() > 1) out += ", ";
      out += toml_text(printable({item.get_string().data(), item.get_string().size()}));
    }
  }
  return out + "]";
}

/// A compute dials aggregators, everybody else masters; each daemon refuses what it does not know.
std::string config_text(const JoinPlan& plan, const json::value& answer) {
  const std::string up = plan.role == "compute" ? "aggregators" : "masters";
  return fmt::format(
      "# Written by `drover join`. Flags and DROVER_* variables are stronger than this file.\n"
      "cluster = {}\nname = {}\nstate = {}\n{} = {}\n",
      toml_text(printable(raw_text(answer, "cluster"))), toml_text(plan.name),
      toml_text(plan.state), up, toml_list(answer, up));
}

/// What an earlier join of this folder left; nothing when there was none.
Result<std::optional<auth::IdentityFacts>> earlier_join(Context& context,
                                                        const auth::IdentityFiles& files) {
  DROVER_TRY(const auto identity, files.load());
  if (!identity) return std::nullopt;
  auth::OpensslIdentityTool tool;
  DROVER_TRY(auto facts, tool.check(*identity));
  if (facts.not_after <= context.now()) return std::nullopt;
  return facts;
}

/// The answer must be what was asked for: this key, this role and name, the CA of the token.
Result<auth::IdentityFacts> checked(const JoinPlan& plan, const auth::Identity& identity) {
  auth::OpensslIdentityTool tool;
  DROVER_TRY(auto facts, tool.check(identity));
  DROVER_TRY(const auto who, tree::parse_certificate_uri(facts.uri));
  if (who.role != plan.role || who.name != plan.name) {
    return fail(Code::corrupt, fmt::format("the master made a certificate for {}, not for {} {}",
                                           printable(facts.uri), plan.role, plan.name));
  }
  DROVER_TRY(const auto ca, auth::Certificate::from_pem(identity.ca_pem));
  if (ca.fingerprint() != plan.token.ca_sha256) {
    return fail(Code::denied, "the master's answer names another CA than the token");
  }
  return facts;
}

Result<int> enrol(Context& context, const JoinPlan& plan, const auth::IdentityFiles& files) {
  auth::OpensslIdentityTool tool;
  DROVER_TRY(const std::string key, files.pending_key(tool));
  DROVER_TRY(const std::string csr, tool.make_csr(key, plan.name));
  DROVER_TRY(const auto client,
             Client::make_pinned(plan.server, plan.token.ca_sha256, context.surroundings()));
  json::object host{{"hostname", os::host_name()}};
  if (const auto boot_id = os::read_boot_id()) host["boot_id"] = *boot_id;
  const json::object request{{"token", plan.token.text()}, {"csr_pem", csr},
                             {"role", plan.role},          {"name", plan.name},
                             {"listens", plan.listens},    {"host", std::move(host)}};
  auto answer = client->send("POST", "/api/v1/join", request, context.timeout());
  if (!answer) return fail_in("joining through " + plan.server, std::move(answer).error());
  const auth::Identity identity{key, raw_text(*answer, "certificate_pem"),
                                raw_text(*answer, "ca_pem")};
  DROVER_TRY(const auto facts, checked(plan, identity));
  // The configuration first: once the identity is there, the join counts as done.
  Disk& disk = context.surroundings().disk;
  const std::string folder = plan.config_path.substr(0, plan.config_path.rfind('/'));
  DROVER_CHECK_OK(disk.make_dirs(folder, 0755));
  DROVER_CHECK_OK(disk.write_atomic(plan.config_path, config_text(plan, *answer), 0644));
  DROVER_CHECK_OK(files.save(identity));
  context.print(fmt::format("joined as {}; certificate until {}\nwritten: {}, {}\n", facts.uri,
                            to_rfc3339(facts.not_after), files.path(), plan.config_path));
  context.warn(fmt::format("next: drover-{} --config {}", plan.role, plan.config_path));
  return 0;
}

Result<int> join(Context& context, const Given& given) {
  DROVER_TRY(const JoinPlan plan, plan_of(context, given));
  const auth::IdentityFiles files(context.surroundings().disk, plan.identity_dir());
  DROVER_TRY(const auto earlier, earlier_join(context, files));
  if (earlier && !given.has("again")) {
    DROVER_TRY(const auto who, tree::parse_certificate_uri(earlier->uri));
    if (who.role != plan.role || who.name != plan.name) {
      return fail(
          Code::conflict,
          fmt::format("{} holds the identity of {} already", plan.identity_dir(), earlier->uri),
          "use another --dir, or --again to replace it");
    }
    context.print(fmt::format("already joined as {}; certificate until {}; nothing to do\n",
                              earlier->uri, to_rfc3339(earlier->not_after)));
    return 0;
  }
  if (given.has("dry-run")) {
    context.print(fmt::format("would join {} as {} {} with token {} (CA {}) and write {} and {}\n",
                              plan.server, plan.role, printable(plan.name), plan.token.id,
                              plan.token.ca_sha256.substr(0, 16), files.path(), plan.config_path));
    return 0;
  }
  return enrol(context, plan, files);
}

}  // namespace

std::vector<Command> join_commands() {
  return {
      {"join",
       "",
       "Make this host a member of a cluster: key, certificate, configuration",
       {{"token", Kind::option, "TOKEN, @FILE or - for standard input [DROVER_TOKEN]"},
        {"role",
         Kind::option,
         "What this host is to be [compute]",
         {"compute", "aggregator", "utility", "boot"}},
        {"name", Kind::option, "Its name in the cluster [host name]"},
        {"dir", Kind::option,
         "One folder for all [state in /var/lib/drover/ROLE, settings in /etc/drover]"},
        {"listen", Kind::option, "Where others will dial it, for aggregators: HOST:PORT,.."},
        {"again", Kind::flag, "Join even though this folder holds an identity"},
        {"dry-run", Kind::flag, "Show what would be done"}},
       {"drover join --server https://master1:9443 --role aggregator --name agg1 --token @token",
        "drover token create --names n1 | "
        "ssh n1 drover join --server https://master1:9443 --token -"},
       join}};
}

}  // namespace drover::cli
