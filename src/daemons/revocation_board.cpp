#include "daemons/revocation_board.hpp"

#include "base/text.hpp"
#include "proto/paths.pb.h"

#include <algorithm>

#include <fmt/core.h>

namespace drover::daemons {
namespace {

constexpr size_t kEntriesPerMessage = 2000;
/// What is sent of a reason; the whole of it is in the master's records.
constexpr size_t kLongestWhy = 200;

}  // namespace

std::vector<std::string> encode_revocations(const RevocationList& list) {
  std::vector<std::string> out;
  size_t at = 0;
  do {
    proto::Revocations message;
    message.set_version(list.version);
    message.set_first(at == 0);
    const size_t end = std::min(list.entries.size(), at + kEntriesPerMessage);
    for (; at < end; ++at) {
      const auth::Revocation& from = list.entries[at];
      auto* entry = message.add_entries();
      entry->set_role(from.role);
      entry->set_name(from.name);
      entry->set_key_sha256(from.key_sha256);
      entry->set_why(printable(std::string_view(from.why).substr(0, kLongestWhy)));
    }
    message.set_complete(at == list.entries.size());
    out.push_back(message.SerializeAsString());
  } while (at < list.entries.size());
  return out;
}

Result<bool> RevocationBoard::take(const std::string& master, uint64_t incarnation,
                                   std::string_view payload) {
  proto::Revocations message;
  if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size())) ||
      message.version() == 0) {
    return fail(Code::invalid_argument, "a revocation list that cannot be read");
  }
  if (message.first()) {
    const auto heard = heard_.find(master);
    const bool same_process = heard != heard_.end() && heard->second == incarnation;
    if (message.version() < version_ && same_process) return false;
    heard_[master] = incarnation;
    coming_.clear();
    coming_count_ = 0;
    coming_version_ = message.version();
  } else if (coming_version_ != message.version()) {
    return false;
  }
  for (const auto& entry : message.entries()) {
    if (++coming_count_ > kMost) {
      coming_version_ = 0;
      return fail(Code::corrupt, fmt::format("a revocation list of more than {} entries", kMost));
    }
    coming_[{entry.role(), entry.name()}].emplace_back(entry.key_sha256(), entry.why());
  }
  if (!message.complete()) return false;
  version_ = coming_version_;
  entries_ = std::exchange(coming_, {});
  count_ = coming_count_;
  coming_version_ = 0;
  return true;
}

Status RevocationBoard::check(std::string_view role, const std::string& name,
                              std::string_view key_sha256) const {
  const auto known = entries_.find(std::pair(std::string(role), name));
  if (known == entries_.end()) return {};
  for (const auto& [key, why] : known->second) {
    if (!key.empty() && key != key_sha256) continue;
    return fail(Code::denied,
                fmt::format("the certificate of {} {} was revoked: {}", role, name, why),
                "an administrator lets it in again: drover token create --replace");
  }
  return {};
}

}  // namespace drover::daemons
