// What visits to a BMC ask of it beside whole crawls: a resource read, the machine that is meant
// found, something changed. Answers come only while the talk lives.
#pragma once

#include "hardware/redfish/bmc_client.hpp"
#include "hardware/redfish/redfish_document.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace drover::hardware {

/// A resource as it was read. `etag` may be empty.
struct RedfishResource {
  RedfishDocument document;
  std::string etag;
};

/// Executor's thread only. Destroying it forgets what was asked: no callback follows.
class RedfishTalk {
 public:
  /// `client` outlives it.
  explicit RedfishTalk(BmcClient& client) : client_(client) {}
  RedfishTalk(const RedfishTalk&) = delete;
  RedfishTalk& operator=(const RedfishTalk&) = delete;
  ~RedfishTalk() { *alive_ = false; }

  [[nodiscard]] BmcClient& client() { return client_; }
  /// Any request; statuses from 300 on are errors (bmc_error).
  void send(BmcRequest request, BmcClient::Done then);
  void get(const std::string& path, BmcClient::Done then);
  void post(const std::string& path, std::string body, BmcClient::Done then);
  /// A resource; corrupt when it is no JSON object.
  void read(const std::string& path, Callback<void(Result<RedfishResource>)> then);
  /// With If-Match where there is an ETag; a weak one that is refused is tried as a strong one,
  /// since some BMCs give the one and compare the other.
  void patch(const std::string& path, std::string body, std::string etag, BmcClient::Done then);
  /// The path of the machine that is meant: the one with that id, or the only one when `id` is
  /// empty. not_found and conflict (which of several?) say what there is.
  void find_system(const std::string& id, Callback<void(Result<std::string>)> then);

 private:
  BmcClient& client_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// The last step of a path: a resource's id.
std::string_view redfish_id(std::string_view path);

}  // namespace drover::hardware
