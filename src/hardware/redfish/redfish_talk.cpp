#include "hardware/redfish/redfish_talk.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace drover::hardware {
namespace {

/// Ids that an error names.
constexpr size_t kShownIds = 16;

Result<std::string> choose_system(std::vector<std::string> paths, const std::string& wanted) {
  std::ranges::sort(paths, NaturalLess());
  if (wanted.empty() && paths.size() == 1) return paths.front();
  for (const std::string& path : paths) {
    if (!wanted.empty() && redfish_id(path) == wanted) return path;
  }
  std::vector<std::string_view> ids;
  for (const std::string& path : paths) ids.push_back(redfish_id(path));
  if (ids.size() > kShownIds) ids.resize(kShownIds);
  if (paths.empty()) return fail(Code::not_found, "the BMC lists no machine");
  if (wanted.empty()) {
    return fail(Code::conflict,
                fmt::format("the BMC has {} machines: {}", paths.size(), fmt::join(ids, ", ")),
                "say which one: drover node set NODE bmc_system=ID");
  }
  return fail(Code::not_found, fmt::format("the BMC has no machine '{}', but {}", printable(wanted),
                                           fmt::join(ids, ", ")));
}

}  // namespace

std::string_view redfish_id(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

void RedfishTalk::send(BmcRequest request, BmcClient::Done then) {
  client_.send(std::move(request),
               [alive = alive_, then = std::move(then)](Result<BmcAnswer> answer) mutable {
                 if (!*alive) return;
                 if (answer && answer->status >= 300) answer = tl::unexpected(bmc_error(*answer));
                 then(std::move(answer));
               });
}

void RedfishTalk::get(const std::string& path, BmcClient::Done then) {
  BmcRequest request;
  request.target = path;
  send(std::move(request), std::move(then));
}

void RedfishTalk::post(const std::string& path, std::string body, BmcClient::Done then) {
  BmcRequest request;
  request.method = "POST";
  request.target = path;
  request.body = std::move(body);
  send(std::move(request), std::move(then));
}

void RedfishTalk::read(const std::string& path, Callback<void(Result<RedfishResource>)> then) {
  get(path, [then = std::move(then)](Result<BmcAnswer> answer) mutable {
    if (!answer) return then(tl::unexpected(std::move(answer).error()));
    auto document = RedfishDocument::parse(answer->body);
    if (!document) return then(tl::unexpected(std::move(document).error()));
    then(RedfishResource{*std::move(document), std::move(answer->etag)});
  });
}

void RedfishTalk::patch(const std::string& path, std::string body, std::string etag,
                        BmcClient::Done then) {
  BmcRequest request;
  request.method = "PATCH";
  request.target = path;
  request.body = body;
  request.if_match = etag;
  send(std::move(request), [this, path, body = std::move(body), etag = std::move(etag),
                            then = std::move(then)](Result<BmcAnswer> answer) mutable {
    const bool weak = etag.starts_with("W/");
    if (!answer && answer.error().code == Code::conflict && weak) {
      return patch(path, std::move(body), etag.substr(2), std::move(then));
    }
    then(std::move(answer));
  });
}

void RedfishTalk::find_system(const std::string& id, Callback<void(Result<std::string>)> then) {
  read("/redfish/v1/Systems",
       [id, then = std::move(then)](Result<RedfishResource> systems) mutable {
         if (!systems) return then(tl::unexpected(std::move(systems).error()));
         then(choose_system(systems->document.root().links("Members"), id));
       });
}

}  // namespace drover::hardware
