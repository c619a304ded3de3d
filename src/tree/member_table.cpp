#include "tree/member_table.hpp"

namespace drover::tree {
namespace {

constexpr uint64_t kFnvPrime = 1099511628211ULL;

uint64_t fnv1a(uint64_t hash, std::string_view text) {
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= kFnvPrime;
  }
  return hash * kFnvPrime;  // ends the field, so that "ab","c" and "a","bc" differ
}

uint64_t fnv1a(uint64_t hash, uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) {
    hash ^= (value >> shift) & 0xff;
    hash *= kFnvPrime;
  }
  return hash;
}

uint64_t fingerprint(const MemberFacts& facts) {
  uint64_t hash = 14695981039346656037ULL;
  for (const std::string* text :
       {&facts.node, &facts.role, &facts.boot_id, &facts.version, &facts.address, &facts.why}) {
    hash = fnv1a(hash, *text);
  }
  hash = fnv1a(hash, facts.incarnation);
  hash = fnv1a(hash, facts.starts);
  hash = fnv1a(hash, static_cast<uint64_t>(facts.state));
  hash = fnv1a(hash, facts.path_epoch);
  return fnv1a(hash, static_cast<uint64_t>(to_unix_ms(facts.since)));
}

}  // namespace

std::string_view name(MemberState state) {
  switch (state) {
    case MemberState::lost:
      return "lost";
    case MemberState::secondary:
      return "secondary";
    case MemberState::primary:
      return "primary";
  }
  return "lost";
}

size_t digest_bucket(std::string_view node) {
  return fnv1a(14695981039346656037ULL, node) % kDigestBuckets;
}

bool MemberTable::put(const MemberFacts& facts) {
  auto& bucket = digest_.at(digest_bucket(facts.node));
  const auto [it, added] = members_.try_emplace(facts.node, facts);
  if (!added) {
    if (it->second == facts) return false;
    bucket -= fingerprint(it->second);
    it->second = facts;
  }
  // A sum, unlike a hash chain, does not depend on the order in which nodes came.
  bucket += fingerprint(facts);
  return true;
}

bool MemberTable::forget(const std::string& node) {
  const auto it = members_.find(node);
  if (it == members_.end()) return false;
  digest_.at(digest_bucket(node)) -= fingerprint(it->second);
  members_.erase(it);
  return true;
}

const MemberFacts* MemberTable::find(const std::string& node) const {
  const auto it = members_.find(node);
  return it == members_.end() ? nullptr : &it->second;
}

std::vector<uint32_t> MemberTable::differing(const MembersDigest& other) const {
  std::vector<uint32_t> out;
  for (uint32_t i = 0; i < kDigestBuckets; ++i) {
    if (digest_[i] != other[i]) out.push_back(i);
  }
  return out;
}

}  // namespace drover::tree
