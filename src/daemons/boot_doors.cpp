#include "daemons/boot_doors.hpp"

#include "api/boot_view.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

namespace drover::daemons {
namespace {

/// A daemon answers at once, or is busy with its disk.
constexpr Duration kHead = std::chrono::seconds(10);

std::string key_of(const std::string& name) {
  return fmt::format("{}/{}", tree::name(tree::Role::boot), name);
}

}  // namespace

BootDoors::Door::Door(Executor& executor, MasterTree& tree, const std::string& name)
    : net(
          executor, [&tree, key = key_of(name)] { return tree.child(key); },
          [] { return std::string("it is not linked"); }),
      client(executor, net) {}

std::vector<BootDoors::Known> BootDoors::known() const {
  std::map<std::string, Known, NaturalLess> out;
  for (const auto& [key, daemon] : model_.daemons()) {
    if (daemon.role != tree::name(tree::Role::boot)) continue;
    out[daemon.name] = {daemon.name, false, "not heard of since this master started"};
  }
  for (const auto& [key, child] : tree_.children()) {
    if (child.daemon.role != tree::Role::boot) continue;
    out[child.daemon.name] = {child.daemon.name, child.linked, child.why};
  }
  std::vector<Known> list;
  list.reserve(out.size());
  for (auto& [name, daemon] : out) list.push_back(std::move(daemon));
  return list;
}

std::unique_ptr<net::HttpCall> BootDoors::ask(const std::string& name, net::HttpRequest request,
                                              net::HttpStreamEvents events) {
  std::unique_ptr<Door>& door = doors_[name];
  if (!door) door = std::make_unique<Door>(executor_, tree_, name);
  return door->client.stream(net::Endpoint{"tree", 0, {}}, nullptr, std::move(request), kHead,
                             api::kBootPulse * 4, std::move(events));
}

}  // namespace drover::daemons
