#include "daemons/boot/trace_book.hpp"

#include "base/text.hpp"

#include <iterator>

namespace drover::daemons {

void TraceBook::add(std::string_view mac, std::string_view node, std::string_view address,
                    std::string_view what, std::string_view outcome, bool ok) {
  Machine& machine = this->machine(std::string(mac), node);
  machine.mac = mac;
  if (!machine.node.empty()) key_of_.insert_or_assign(machine.node, std::string(mac));
  if (!address.empty() && machine.address != address) {
    if (const auto at = key_at_.find(machine.address); at != key_at_.end() && at->second == mac) {
      key_at_.erase(at);
    }
    machine.address = address;
    key_at_.insert_or_assign(std::string(address), std::string(mac));
  }
  put(machine, what, outcome, ok);
}

void TraceBook::add_at(std::string_view address, std::string_view node, std::string_view what,
                       std::string_view outcome, bool ok) {
  const auto at = key_at_.find(address);
  const auto of = node.empty() ? key_of_.end() : key_of_.find(node);
  const std::string key = at != key_at_.end()   ? at->second
                          : of != key_of_.end() ? of->second
                                                : std::string(address);
  Machine& machine = this->machine(key, node);
  machine.address = address;
  if (!machine.mac.empty() && !node.empty()) key_of_.insert_or_assign(machine.node, machine.mac);
  put(machine, what, outcome, ok);
}

/// The machine, heard now; a stranger becomes a node's when that is known.
TraceBook::Machine& TraceBook::machine(const std::string& key, std::string_view node) {
  const auto [it, fresh] = machines_.try_emplace(key);
  Machine& out = it->second;
  std::list<std::string>& before = out.node.empty() ? strangers_ : nodes_;
  if (!node.empty()) out.node = node;
  std::list<std::string>& now = out.node.empty() ? strangers_ : nodes_;
  if (fresh) {
    now.push_front(key);
    out.place = now.begin();
    make_room(now, &now == &nodes_ ? limits_.machines : limits_.strangers);
  } else {
    now.splice(now.begin(), before, out.place);
  }
  return out;
}

void TraceBook::make_room(std::list<std::string>& order, size_t most) {
  while (order.size() > most) {
    const auto gone = machines_.find(order.back());
    const auto at = key_at_.find(gone->second.address);
    if (at != key_at_.end() && at->second == gone->first) key_at_.erase(at);
    const auto of = key_of_.find(gone->second.node);
    if (of != key_of_.end() && of->second == gone->first) key_of_.erase(of);
    machines_.erase(gone);
    order.pop_back();
  }
}

void TraceBook::put(Machine& machine, std::string_view what, std::string_view outcome, bool ok) {
  machine.events.push_back({clock_.wall(), machine.mac, machine.node, machine.address,
                            printable(what.substr(0, limits_.text)),
                            printable(outcome.substr(0, limits_.text)), ok});
  if (machine.events.size() > limits_.events) machine.events.pop_front();
}

std::string TraceBook::mac_at(std::string_view address) const {
  const auto at = key_at_.find(address);
  return at == key_at_.end() ? std::string() : at->second;
}

std::vector<TraceEvent> TraceBook::find(std::string_view node, std::string_view mac,
                                        size_t most) const {
  std::list<TraceEvent> found;
  for (const auto& [key, machine] : machines_) {
    const bool wanted = (!node.empty() && machine.node == node) || (!mac.empty() && key == mac);
    if (wanted) found.insert(found.end(), machine.events.begin(), machine.events.end());
  }
  // What is equal stays in the order in which it came.
  found.sort([](const TraceEvent& a, const TraceEvent& b) { return a.at < b.at; });
  while (found.size() > most) found.pop_front();
  return {std::make_move_iterator(found.begin()), std::make_move_iterator(found.end())};
}

}  // namespace drover::daemons
