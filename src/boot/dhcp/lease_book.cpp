// Indexes of the lease book: addresses by number, clients by key, endings and the free by time.
#include "boot/dhcp/lease_book.hpp"

#include <algorithm>

namespace drover::boot::dhcp {

std::string_view name(LeaseState state) {
  switch (state) {
    case LeaseState::offered:
      return "offered";
    case LeaseState::leased:
      return "leased";
    case LeaseState::free:
      return "free";
    case LeaseState::quarantined:
      return "quarantined";
  }
  return "free";
}

std::string client_key(const HardwareAddress& hardware, std::string_view client_id) {
  std::string key;
  if (hardware.is_nobody()) {
    key = "i";
    key += client_id;
    return key;
  }
  key.reserve(2 + hardware.length);
  key += 'h';
  key += static_cast<char>(hardware.type);
  key += hardware.view();
  return key;
}

LeaseBook::LeaseBook(const std::vector<Pool>& pools, Times times, LeaseJournal& journal)
    : times_(times), journal_(journal) {
  pools_.reserve(pools.size());
  for (const Pool& pool : pools) {
    PoolState state;
    state.range = pool;
    state.fresh = pool.first.value;
    pools_.push_back(std::move(state));
  }
}

std::optional<size_t> LeaseBook::pool_of(Ipv4 address) const {
  for (size_t i = 0; i < pools_.size(); ++i) {
    if (pools_[i].range.first <= address && address <= pools_[i].range.last) return i;
  }
  return {};
}

bool LeaseBook::is_free(Ipv4 address) const {
  if (reserved_.contains(address.value)) return false;
  const auto found = leases_.find(address.value);
  return found == leases_.end() || found->second.state == LeaseState::free;
}

void LeaseBook::forget(PoolState& pool, const Lease& lease) {
  if (lease.state == LeaseState::free) {
    pool.free.erase({lease.until, lease.address});
  } else {
    ending_.erase({lease.until, lease.address});
  }
  const auto client = pool.by_client.find(lease.client);
  if (client != pool.by_client.end() && client->second == lease.address) {
    pool.by_client.erase(client);
  }
}

const Lease& LeaseBook::put(PoolState& pool, Lease lease) {
  const auto [at, is_new] = leases_.try_emplace(lease.address.value);
  if (!is_new) forget(pool, at->second);
  at->second = std::move(lease);
  const Lease& now = at->second;
  if (now.state != LeaseState::free) {
    ending_.insert({now.until, now.address});
    // A client is known by its latest address; an older one it had is then anybody's.
    if (!now.client.empty()) pool.by_client.insert_or_assign(now.client, now.address);
    return now;
  }
  if (!reserved_.contains(now.address.value)) pool.free.insert({now.until, now.address});
  if (!now.client.empty()) pool.by_client.try_emplace(now.client, now.address);
  return now;
}

void LeaseBook::journal(const Lease& lease) {
  ++records_;
  journal_.append(lease);
}

std::optional<Ipv4> LeaseBook::choose(PoolState& pool, const std::string& client, Ipv4 wanted) {
  const auto mine = pool.by_client.find(client);
  if (mine != pool.by_client.end() && !reserved_.contains(mine->second.value)) {
    const Lease& lease = leases_.at(mine->second.value);
    if (lease.state != LeaseState::quarantined) return lease.address;
  }
  if (pool.range.first <= wanted && wanted <= pool.range.last && is_free(wanted)) return wanted;
  while (pool.fresh <= pool.range.last.value) {
    const Ipv4 address{static_cast<uint32_t>(pool.fresh++)};
    if (!leases_.contains(address.value) && !reserved_.contains(address.value)) return address;
  }
  if (!pool.free.empty()) return pool.free.begin()->second;
  return {};
}

std::optional<Ipv4> LeaseBook::offer(size_t pool, std::string_view client, Ipv4 wanted,
                                     WallTime now) {
  if (pool >= pools_.size()) return {};
  expire(now);
  Lease lease;
  lease.client = client;
  const auto address = choose(pools_[pool], lease.client, wanted);
  if (!address) return {};
  const auto found = leases_.find(address->value);
  if (found != leases_.end() && found->second.state == LeaseState::leased) return address;
  lease.address = *address;
  lease.state = LeaseState::offered;
  lease.since = now;
  lease.until = now + times_.offer;
  put(pools_[pool], std::move(lease));
  return address;
}

bool LeaseBook::grant(std::string_view client, Ipv4 address, std::string_view name, Duration length,
                      WallTime now) {
  expire(now);
  const auto pool = pool_of(address);
  if (!pool || reserved_.contains(address.value)) return false;
  const auto found = leases_.find(address.value);
  if (found != leases_.end() && found->second.state != LeaseState::free &&
      (found->second.state == LeaseState::quarantined || found->second.client != client)) {
    return false;
  }
  // What the client had elsewhere in this pool is free again: one machine, one address.
  const std::string key(client);
  const auto other = pools_[*pool].by_client.find(key);
  if (other != pools_[*pool].by_client.end() && other->second != address) {
    release(client, other->second, now);
  }
  Lease lease;
  lease.address = address;
  lease.state = LeaseState::leased;
  lease.client = key;
  lease.name = name;
  lease.since = now;
  lease.until = now + length;
  journal(put(pools_[*pool], std::move(lease)));
  return true;
}

bool LeaseBook::release(std::string_view client, Ipv4 address, WallTime now) {
  const auto pool = pool_of(address);
  const auto found = leases_.find(address.value);
  if (!pool || found == leases_.end() || found->second.client != client) return false;
  const LeaseState before = found->second.state;
  if (before != LeaseState::leased && before != LeaseState::offered) return false;
  Lease lease = found->second;
  lease.state = LeaseState::free;
  lease.since = now;
  lease.until = now;
  const Lease& freed = put(pools_[*pool], std::move(lease));
  if (before == LeaseState::leased) journal(freed);
  return true;
}

bool LeaseBook::conflict(Ipv4 address, std::optional<std::string_view> client, WallTime now) {
  const auto pool = pool_of(address);
  if (!pool) return false;
  const auto found = leases_.find(address.value);
  if (client && (found == leases_.end() || found->second.client != *client)) return false;
  Lease lease;
  lease.address = address;
  lease.state = LeaseState::quarantined;
  lease.since = now;
  lease.until = now + times_.quarantine;
  journal(put(pools_[*pool], std::move(lease)));
  return true;
}

const Lease* LeaseBook::held(size_t pool, std::string_view client, WallTime now) const {
  if (pool >= pools_.size()) return nullptr;
  const auto mine = pools_[pool].by_client.find(std::string(client));
  if (mine == pools_[pool].by_client.end()) return nullptr;
  const Lease& lease = leases_.at(mine->second.value);
  const bool holds = lease.state == LeaseState::leased || lease.state == LeaseState::offered;
  return holds && lease.until > now ? &lease : nullptr;
}

const Lease* LeaseBook::find(Ipv4 address) const {
  const auto found = leases_.find(address.value);
  return found == leases_.end() ? nullptr : &found->second;
}

void LeaseBook::set_reserved(Ipv4 address, bool reserved) {
  const bool changed =
      reserved ? reserved_.insert(address.value).second : reserved_.erase(address.value) != 0;
  const auto at = pool_of(address);
  if (!changed || !at) return;
  PoolState& pool = pools_[*at];
  const auto found = leases_.find(address.value);
  if (found != leases_.end() && found->second.state == LeaseState::free) {
    const std::pair entry{found->second.until, address};
    if (reserved) {
      pool.free.erase(entry);
    } else {
      pool.free.insert(entry);
    }
  } else if (!reserved && found == leases_.end() && address.value < pool.fresh) {
    // The search for fresh addresses has passed it by.
    Lease lease;
    lease.address = address;
    put(pool, std::move(lease));
  }
}

size_t LeaseBook::expire(WallTime now) {
  size_t ended = 0;
  while (!ending_.empty() && ending_.begin()->first <= now) {
    const Ipv4 address = ending_.begin()->second;
    Lease lease = leases_.at(address.value);
    const bool lasting = lease.state != LeaseState::offered;
    lease.state = LeaseState::free;
    lease.since = lease.until;
    const Lease& freed = put(pools_[*pool_of(address)], std::move(lease));
    if (lasting) journal(freed);
    ++ended;
  }
  return ended;
}

std::vector<Lease> LeaseBook::snapshot() const {
  std::vector<Lease> all;
  all.reserve(leases_.size());
  for (const auto& [address, lease] : leases_) {
    if (lease.state != LeaseState::offered) all.push_back(lease);
  }
  std::sort(all.begin(), all.end(),
            [](const Lease& a, const Lease& b) { return a.address < b.address; });
  return all;
}

bool LeaseBook::restore(Lease lease) {
  const auto pool = pool_of(lease.address);
  if (!pool) return false;
  if (lease.state == LeaseState::offered) lease.state = LeaseState::free;
  put(pools_[*pool], std::move(lease));
  return true;
}

}  // namespace drover::boot::dhcp
