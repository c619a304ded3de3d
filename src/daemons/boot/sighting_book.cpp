#include "daemons/boot/sighting_book.hpp"

#include <algorithm>

namespace drover::daemons {

void SightingBook::seen(cluster::Sighting sighting) {
  const auto [it, fresh] = machines_.try_emplace(sighting.mac);
  Machine& machine = it->second;
  if (fresh) {
    order_.push_front(sighting.mac);
    machine.place = order_.begin();
    if (order_.size() > limits_.machines) {
      machines_.erase(order_.back());
      order_.pop_back();
    }
  } else {
    order_.splice(order_.begin(), order_, machine.place);
  }
  ++machine.untold;
  // A system that runs says less than the firmware did: that is nothing new.
  cluster::Sighting& last = machine.last;
  bool news = !machine.was_told || sighting.network != last.network;
  const auto take = [&news](std::string& to, std::string& from) {
    if (from.empty() || from == to) return;
    to = std::move(from);
    news = true;
  };
  last.mac = sighting.mac;
  last.network = sighting.network;
  take(last.port, sighting.port);
  take(last.arch, sighting.arch);
  take(last.uuid, sighting.uuid);
  // Firmware, loader and system of one machine ask in turn, at each boot.
  if (last.client.empty() || sighting.client != "plain") last.client = sighting.client;
  if (!news && clock_.now() - machine.told < limits_.again) return;
  if (!may_tell()) return;
  machine.told = clock_.now();
  machine.was_told = true;
  last.at = clock_.wall();
  last.count = std::exchange(machine.untold, 0);
  report_(last);
}

void SightingBook::forget(const std::string& mac) {
  const auto it = machines_.find(mac);
  if (it == machines_.end()) return;
  order_.erase(it->second.place);
  machines_.erase(it);
}

bool SightingBook::may_tell() {
  const MonoTime now = clock_.now();
  const auto earned = static_cast<size_t>((now - filled_) / limits_.refill);
  if (earned > 0) {
    tokens_ = std::min(limits_.burst, tokens_ + earned);
    filled_ = now;
  }
  if (tokens_ == 0) return false;
  --tokens_;
  return true;
}

}  // namespace drover::daemons
