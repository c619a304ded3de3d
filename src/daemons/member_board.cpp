#include "daemons/member_board.hpp"

#include "daemons/member_messages.hpp"
#include "proto/paths.pb.h"

namespace drover::daemons {
namespace {

/// Members in one message: about 200 bytes each, far below the frame limit.
constexpr int kMembersPerMessage = 2000;

/// .. and at most this many bytes, well below the frame limit: a node with long words about itself
/// must not keep the others' changes from the master.
constexpr size_t kBytesPerMessage = size_t{512} << 10;

}  // namespace

MemberBoard::MemberBoard(Executor& executor, Duration flush, tree::Peers& masters,
                         Callback<std::vector<std::string>()> ready)
    : executor_(executor), flush_after_(flush), masters_(masters), ready_(std::move(ready)) {}

void MemberBoard::put(const tree::MemberFacts& facts) {
  if (!table_.put(facts)) return;
  changed_.insert(facts.node);
  schedule();
}

void MemberBoard::forget(const std::string& node) {
  if (!table_.forget(node)) return;
  changed_.insert(node);
  schedule();
}

void MemberBoard::schedule() {
  if (armed_) return;
  armed_ = true;
  timer_.after(executor_, flush_after_, [this] { flush(); });
}

void MemberBoard::flush() {
  armed_ = false;
  const std::vector<std::string> masters = ready_();
  proto::Members message;
  size_t size = 0;
  const auto send = [&] {
    size = 0;
    const std::string bytes = message.SerializeAsString();
    for (const std::string& master : masters) {
      (void)masters_.send(master, tree::MessageType::members, bytes);
    }
    message.Clear();
  };
  for (const std::string& node : changed_) {
    const tree::MemberFacts* facts = table_.find(node);
    if (facts == nullptr) {
      message.add_forgotten(node);
    } else {
      proto::Member& member = *message.add_members();
      encode(*facts, member);
      size += member.ByteSizeLong();
    }
    const bool many = message.members_size() + message.forgotten_size() >= kMembersPerMessage;
    if (many || size >= kBytesPerMessage) send();
  }
  if (message.members_size() + message.forgotten_size() > 0) send();
  changed_.clear();
}

void MemberBoard::greet(const std::string& master) {
  if (!changed_.empty()) flush();  // so that the digest speaks of what the others know too
  proto::MembersDigest message;
  for (const uint64_t bucket : table_.digest()) message.add_buckets(bucket);
  (void)masters_.send(master, tree::MessageType::members_digest, message.SerializeAsString());
}

void MemberBoard::on_wanted(const std::string& master, std::string_view payload) {
  proto::MembersWanted wanted;
  if (!wanted.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return;
  const std::set<uint32_t> buckets(wanted.buckets().begin(), wanted.buckets().end());
  proto::Members message;
  size_t size = 0;
  for (const auto& [node, facts] : table_.all()) {
    if (!buckets.contains(static_cast<uint32_t>(tree::digest_bucket(node)))) continue;
    proto::Member& member = *message.add_members();
    encode(facts, member);
    size += member.ByteSizeLong();
    if (message.members_size() >= kMembersPerMessage || size >= kBytesPerMessage) {
      size = 0;
      (void)masters_.send(master, tree::MessageType::members, message.SerializeAsString());
      message.Clear();
    }
  }
  for (const uint32_t bucket : buckets) message.add_buckets(bucket);
  message.set_complete(true);
  (void)masters_.send(master, tree::MessageType::members, message.SerializeAsString());
}

}  // namespace drover::daemons
