// drover boot leases: the addresses that boot daemons deal out, and who has them.
#include "base/json_values.hpp"
#include "cli/boot/stream.hpp"
#include "cli/context.hpp"
#include "cli/nouns/boot_nouns.hpp"

#include <optional>
#include <string>

#include <fmt/core.h>

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

const ListView& lease_view() {
  static const ListView view{{{"ADDRESS", "address"},
                              {"STATE", "state", Show::state},
                              {"CLIENT", "client"},
                              {"NAME", "name"},
                              {"SINCE", "since", Show::age},
                              {"UNTIL", "until"},
                              {"DAEMON", "daemon", Show::text, true}},
                             "",
                             "address"};
  return view;
}

class LeaseReader {
 public:
  LeaseReader(Context& context, Client& client, std::string path)
      : context_(context),
        client_(client),
        stream_(client, {[path = std::move(path)] { return path; },
                         [this](const json::value& event, const net::SseEvent&) { take(event); },
                         [this](bool there, const std::string& why) {
                           if (!there) broke_off(why);
                         }}) {}

  Result<int> run() {
    stream_.connect();
    client_.loop().run();
    if (stream_.refused()) return tl::unexpected<Error>(*stream_.refused());
    if (broken_) return tl::unexpected<Error>(*std::move(broken_));
    return context_.print_list(std::move(leases_), lease_view(), complete_ ? 0 : 1);
  }

 private:
  void take(const json::value& event) {
    const json::value* const lease = find_path(event, "lease");
    if (lease != nullptr && lease->is_object()) leases_.push_back(*lease);
    const json::value* const problem = find_path(event, "problem");
    if (problem != nullptr && problem->is_object()) {
      const std::string daemon = text_at(*problem, "daemon");
      context_.warn(fmt::format("{}{}", daemon.empty() ? "" : "boot daemon " + daemon + " ",
                                text_at(*problem, "why")));
      complete_ = false;
    }
    const json::value* const end = find_path(event, "end");
    if (end != nullptr && end->is_bool() && end->get_bool()) stop();
  }
  void broke_off(const std::string& why) {
    broken_ = Error{Code::unreachable, "the list broke off: " + why, {}, "ask again"};
    stop();
  }
  void stop() {
    stream_.finish();
    client_.loop().stop();
  }

  Context& context_;
  Client& client_;
  ApiStream stream_;
  json::array leases_;
  bool complete_ = true;
  std::optional<Error> broken_;
};

Result<int> leases(Context& context, const Given& given) {
  DROVER_TRY(Client* const client, context.client());
  // Finds the daemon that is alive, and says in the usual words when there is none.
  DROVER_CHECK_OK(client->get("/api/v1/version", context.timeout()));
  return LeaseReader(context, *client,
                     given.has("all") ? "/api/v1/boot/leases?all=true" : "/api/v1/boot/leases")
      .run();
}

}  // namespace

std::vector<Command> boot_lease_commands() {
  return {{"boot",
           "leases",
           "Show the addresses that are dealt out, and who has them",
           {{"all", Kind::flag, "Also those that are free now and that somebody had"}},
           {"drover boot leases", "drover boot leases --filter state=quarantined",
            "drover boot leases --all -o csv"},
           leases}};
}

}  // namespace drover::cli
