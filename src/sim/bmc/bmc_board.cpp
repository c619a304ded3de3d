#include "sim/bmc/bmc_board.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace drover::sim {
namespace {

constexpr size_t kMostEntries = 500;
constexpr std::string_view kBios = "BIOS";

std::string first_version(std::string_view id) {
  if (id == kBios) return "2.1.7";
  return id == "BMC" || id == "CPLD" ? "1.64.00" : "";
}

/// "2.2.0" of ".../bios-2.2.0.bin"; empty when there is none.
std::string version_in(std::string_view image) {
  const size_t dash = image.rfind('-');
  const size_t dot = image.rfind('.');
  if (dash == std::string_view::npos || dot == std::string_view::npos || dot <= dash + 1) return {};
  return std::string(image.substr(dash + 1, dot - dash - 1));
}

}  // namespace

BmcBoard::BmcBoard(const BmcTraits& traits, Clock& clock) : traits_(traits), clock_(clock) {
  log("OK", "The management controller has started.");
  log("Warning", "Power supply 1 lost its input and has it again.");
}

void BmcBoard::log(std::string_view severity, std::string_view message) {
  if (log_.size() >= kMostEntries) log_.pop_front();
  log_.push_back({next_entry_++, clock_.wall(), std::string(severity), std::string(message)});
}

void BmcBoard::clear_log() {
  log_.clear();
  next_entry_ = 1;
  log("OK", "The log was cleared.");
}

std::vector<std::string> BmcBoard::firmware() {
  return {std::string(kBios), "BMC", "CPLD"};
}

std::string BmcBoard::version(const std::string& id) const {
  std::string version = first_version(id);
  for (const BmcUpdate& update : updates_) {
    const bool meant = std::ranges::find(update.firmware, id) != update.firmware.end();
    if (meant && is_over(update) && !update.fails) version = update.version;
  }
  return version;
}

Result<uint64_t> BmcBoard::update(const std::string& image,
                                  const std::vector<std::string>& targets) {
  const bool known =
      image.starts_with("http://") || image.starts_with("https://") || image.starts_with("tftp://");
  BmcUpdate update;
  update.version = version_in(image);
  if (!known || update.version.empty()) {
    return fail(Code::invalid_argument, "ImageURI is nothing that can be fetched");
  }
  if (!updates_.empty() && !is_over(updates_.back())) {
    return fail(Code::conflict, "another update is under way");
  }
  for (const std::string& path : targets) {
    std::string id = path.substr(path.rfind('/') + 1);
    if (first_version(id).empty() || !path.starts_with("/redfish/v1/UpdateService/")) {
      return fail(Code::invalid_argument, fmt::format("there is no firmware at {}", path));
    }
    update.firmware.push_back(std::move(id));
  }
  if (targets.empty()) update.firmware.emplace_back(kBios);
  update.image = image;
  update.fails = traits_.update_fails;
  update.begin = clock_.now();
  update.end = update.begin + traits_.update_time;
  updates_.push_back(std::move(update));
  return updates_.size();
}

const BmcUpdate* BmcBoard::find_update(uint64_t number) const {
  return number == 0 || number > updates_.size() ? nullptr : &updates_[number - 1];
}

int BmcBoard::percent(const BmcUpdate& update) const {
  if (is_over(update)) return 100;
  return static_cast<int>(100 * (clock_.now() - update.begin) / (update.end - update.begin));
}

}  // namespace drover::sim
