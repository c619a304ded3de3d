// One Redfish resource as it was read: looked at without trust in types, lengths or links.
#pragma once

#include "base/json.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drover::hardware {

/// The path that a link of a BMC leads to, without fragment and slash at the end: at most 512
/// bytes, below /redfish/v1, of URL characters alone, without "." and ".." steps, with a query
/// where `query` allows it. Empty for anything else: links to other hosts are never followed.
std::string redfish_path(std::string_view link, bool query = false);

/// A value within a document, which outlives it. One that is not there, or of another type than is
/// asked for, answers with nothing.
class RedfishNode {
 public:
  RedfishNode() = default;
  explicit RedfishNode(const json::value* value) : value_(value) {}

  [[nodiscard]] bool exists() const { return value_ != nullptr; }
  /// A member of an object.
  [[nodiscard]] RedfishNode at(std::string_view name) const;
  /// Elements of the list `name`, at most 4096.
  [[nodiscard]] std::vector<RedfishNode> items(std::string_view name) const;
  /// Fit to be kept (cluster::bmc_text); a number's digits where a text is expected.
  [[nodiscard]] std::string text(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> texts(std::string_view name) const;
  /// A finite number, also one that is written as a text.
  [[nodiscard]] std::optional<double> number(std::string_view name) const;
  /// The same, whole, not negative, at most 2^53.
  [[nodiscard]] std::optional<uint64_t> natural(std::string_view name) const;
  [[nodiscard]] std::optional<uint32_t> natural32(std::string_view name) const;
  [[nodiscard]] std::optional<bool> boolean(std::string_view name) const;
  /// Where {"@odata.id": ..} at `name` leads, as of redfish_path().
  [[nodiscard]] std::string link(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> links(std::string_view name) const;
  /// Its own "@odata.id".
  [[nodiscard]] std::string path() const;
  /// Whether it is an object with more members than its link.
  [[nodiscard]] bool is_whole() const;

 private:
  [[nodiscard]] const json::value* member(std::string_view name) const;
  const json::value* value_ = nullptr;
};

class RedfishDocument {
 public:
  /// corrupt for what is not one JSON object.
  static Result<RedfishDocument> parse(std::string_view text);
  RedfishDocument(RedfishDocument&&) noexcept;
  RedfishDocument& operator=(RedfishDocument&&) noexcept;
  ~RedfishDocument();
  [[nodiscard]] RedfishNode root() const { return RedfishNode(value_.get()); }

 private:
  explicit RedfishDocument(std::unique_ptr<json::value> value);
  std::unique_ptr<json::value> value_;
};

/// What an error's body says, in one printable line of at most 200 bytes (DSP0266, error
/// responses); empty when it says nothing.
std::string redfish_error_text(std::string_view body);

}  // namespace drover::hardware
