// The walk: links to follow, documents that come, the moment at which nothing is left.
#include "hardware/redfish/crawl.hpp"

#include "hardware/redfish/crawl_findings.hpp"

#include <set>
#include <utility>

#include <fmt/format.h>

namespace drover::hardware {
namespace {

constexpr const char* kExpand = "?$expand=.($levels=1)";
constexpr int kMaxPages = 100;  ///< of one collection

}  // namespace

class Crawl::Walk {
 public:
  Walk(BmcGround& ground, BmcAccess access, BmcClientOptions client, CrawlOptions options,
       Callback<void(Result<CrawlResult>)> done)
      : ground_(ground),
        client_(ground, std::move(access), client),
        options_(options),
        done_(std::move(done)) {}

  void start() {
    deadline_.after(ground_.executor(), options_.deadline, [this] {
      findings_.miss("", "the time for looking through this BMC was over");
      stopped_ = true;
      finish();
    });
    BmcRequest request;
    request.target = "/redfish/v1/";
    request.open = true;
    client_.send(std::move(request), [this](Result<BmcAnswer> answer) { root(std::move(answer)); });
  }

 private:
  void root(Result<BmcAnswer> answer) {
    if (!answer) return end(tl::unexpected(std::move(answer).error()));
    if (!answer->ok()) return end(tl::unexpected(bmc_error(*answer)));
    auto document = RedfishDocument::parse(answer->body);
    if (!document) return end(tl::unexpected(std::move(document).error()));
    const RedfishNode root = document->root();
    findings_.take_root(root);
    client_.learn(root);
    const RedfishNode expand = root.at("ProtocolFeaturesSupported").at("ExpandQuery");
    expand_ =
        options_.expand && !client_.quirks().no_expand &&
        (expand.boolean("NoLinks").value_or(false) || expand.boolean("ExpandAll").value_or(false));
    const std::pair<RedfishRole, const char*> all[] = {
        {RedfishRole::systems, "Systems"},
        {RedfishRole::managers, "Managers"},
        {RedfishRole::chassis_list, "Chassis"},
        {RedfishRole::event_service, "EventService"},
        {RedfishRole::update_service, "UpdateService"}};
    for (const auto& [role, name] : all) {
      if (std::string path = root.link(name); !path.empty()) {
        follow({role, std::move(path), ""});
      }
    }
    finish_when_empty();
  }

  /// Each path is asked for once, whatever leads to it.
  void follow(RedfishLink link) {
    if (stopped_ || !seen_.insert(link.path).second) return;
    if (seen_.size() > options_.most_requests) {
      return stop(fmt::format("more than {} resources", options_.most_requests));
    }
    const bool whole = expand_ && member_role(link.role).has_value();
    ask(std::move(link), whole, 0);
  }

  void ask(RedfishLink link, bool expanded, int page, std::string target = {}) {
    ++open_;
    BmcRequest request;
    request.target = !target.empty() ? std::move(target) : link.path + (expanded ? kExpand : "");
    client_.send(std::move(request),
                 [this, link = std::move(link), expanded, page](Result<BmcAnswer> answer) mutable {
                   --open_;
                   if (!stopped_) heard(std::move(link), expanded, page, std::move(answer));
                   finish_when_empty();
                 });
  }

  void heard(RedfishLink link, bool expanded, int page, Result<BmcAnswer> answer) {
    if (!answer) {
      if (answer.error().code == Code::unauthenticated) {
        first_error_ = answer.error();
        return stop(answer.error().message);
      }
      return miss(link.path, answer.error());
    }
    if (!answer->ok() && expanded && page == 0) {  // announced, and yet not understood
      expand_ = false;
      return ask(std::move(link), false, 0);
    }
    if (!answer->ok()) return miss(link.path, bmc_error(*answer));
    bytes_ += answer->body.size();
    if (bytes_ > options_.most_bytes) {
      return stop(fmt::format("more than {} bytes", options_.most_bytes));
    }
    const auto document = RedfishDocument::parse(answer->body);
    if (!document) return miss(link.path, document.error());
    take(link, document->root(), page);
  }

  void take(const RedfishLink& link, const RedfishNode& node, int page) {
    if (const auto role = member_role(link.role)) return take_page(link, *role, node, page);
    std::vector<RedfishLink> next;
    findings_.take(link, node, options_.parts, next);
    for (RedfishLink& found : next) follow(std::move(found));
  }

  void take_page(const RedfishLink& link, RedfishRole role, const RedfishNode& node, int page) {
    for (const RedfishNode& member : node.items("Members")) {
      RedfishLink found{role, member.path(), link.owner};
      if (found.path.empty()) {
        findings_.miss(link.path, "a member without a path that can be followed");
      } else if (member.is_whole()) {
        if (!stopped_ && seen_.insert(found.path).second) take(found, member, 0);
      } else {
        follow(std::move(found));
      }
    }
    const std::string more = node.text("Members@odata.nextLink");
    if (more.empty() || stopped_) return;
    std::string target = redfish_path(more, true);
    if (target.empty() || page + 1 >= kMaxPages || !seen_.insert(target).second) {
      return findings_.miss(link.path, "its next page cannot be followed");
    }
    ask(link, true, page + 1, std::move(target));
  }

  void miss(const std::string& path, const Error& why) {
    if (!first_error_) first_error_ = why;
    findings_.miss(path, why.message);
  }

  void stop(std::string_view why) {
    if (std::exchange(stopped_, true)) return;
    findings_.miss("", fmt::format("stopped: {}", why));
  }

  void finish_when_empty() {
    if (open_ == 0 || stopped_) finish();
  }

  void finish() {
    if (finished_) return;
    if (!findings_.found_anything()) {
      if (first_error_) return end(tl::unexpected(*first_error_));
      return end(fail(Code::timed_out, "nothing could be read from the BMC"));
    }
    finished_ = true;
    // A session left open counts against the few that a BMC has; it gets a moment.
    deadline_.after(ground_.executor(), std::chrono::seconds(5), [this] { told(); });
    client_.sign_out([this] { told(); });
  }

  void told() {
    if (!done_) return;
    CrawlResult result;
    result.inventory = findings_.finish(result.readings);
    result.certificate_key = client_.seen_key();
    result.requests = client_.sent();
    if (Status checked = check(result.inventory); !checked) {
      return end(tl::unexpected(std::move(checked).error()));
    }
    end(std::move(result));
  }

  /// The last thing to do: `done` may end this object.
  void end(Result<CrawlResult> result) {
    if (!done_) return;
    finished_ = true;
    deadline_.cancel();
    ground_.executor().post([done = std::exchange(done_, nullptr), result = std::move(result),
                             alive = std::weak_ptr<bool>(alive_)]() mutable {
      if (!alive.expired()) done(std::move(result));
    });
  }

  BmcGround& ground_;
  BmcClient client_;
  CrawlOptions options_;
  Callback<void(Result<CrawlResult>)> done_;
  CrawlFindings findings_;
  std::set<std::string> seen_;
  size_t open_ = 0;  ///< requests without an answer yet
  size_t bytes_ = 0;
  bool expand_ = false;
  bool stopped_ = false;
  bool finished_ = false;
  std::optional<Error> first_error_;
  Timer deadline_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

Crawl::Crawl(BmcGround& ground, BmcAccess access, BmcClientOptions client, CrawlOptions options,
             Callback<void(Result<CrawlResult>)> done)
    : walk_(std::make_unique<Walk>(ground, std::move(access), client, options, std::move(done))) {
  walk_->start();
}

Crawl::~Crawl() = default;

}  // namespace drover::hardware
