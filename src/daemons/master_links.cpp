#include "daemons/master_links.hpp"

#include <algorithm>

namespace drover::daemons {

void MasterLinksEvents::on_master_channel(tree::Link&, const std::string&,
                                          std::unique_ptr<tree::Channel>) {}

MasterLinks::MasterLinks(tree::UplinkContext& context, MasterLinksEvents& events)
    : context_(context), events_(events) {}

MasterLinks::~MasterLinks() = default;

void MasterLinks::start(const std::vector<net::Endpoint>& masters, Dial dial) {
  tree::LinkExpectation expectation;
  expectation.roles = {tree::Role::master};
  const auto add = [&](std::vector<net::Endpoint> targets) {
    auto uplink = std::make_unique<tree::Uplink>(context_, expectation, *this);
    uplink->set_targets(targets, false);
    ways_.push_back({std::move(targets), std::move(uplink), {}});
  };
  if (dial == Dial::one_of) {
    add(masters);
    return;
  }
  for (const net::Endpoint& master : masters) add({master});
}

void MasterLinks::stop(const Error& why) {
  const auto ways = std::move(ways_);
  ways_.clear();
  for (const Way& way : ways) way.uplink->close(why);
}

tree::Link* MasterLinks::up() const {
  for (const Way& way : ways_) {
    tree::Link* link = way.uplink->link();
    if (link != nullptr && link->peer().name == way_) return link;
  }
  return nullptr;
}

std::vector<std::string> MasterLinks::ready() const {
  std::vector<std::string> out;
  for (const Way& way : ways_) {
    if (tree::Link* link = way.uplink->link(); link != nullptr) out.push_back(link->peer().name);
  }
  return out;
}

std::vector<std::pair<std::string, tree::UplinkStatus>> MasterLinks::status() const {
  std::vector<std::pair<std::string, tree::UplinkStatus>> out;
  for (const Way& way : ways_) {
    tree::Link* link = way.uplink->link();
    out.emplace_back(link == nullptr ? "" : link->peer().name, way.uplink->status());
  }
  return out;
}

void MasterLinks::refresh() {
  for (const Way& way : ways_) way.uplink->refresh();
}

void MasterLinks::send_all(tree::MessageType type, std::string_view payload) {
  for (const Way& way : ways_) {
    if (tree::Link* link = way.uplink->link(); link != nullptr)
      (void)link->send_encoded(type, payload);
  }
}

Status MasterLinks::send(const std::string& peer, tree::MessageType type,
                         std::string_view payload) {
  for (const Way& way : ways_) {
    tree::Link* link = way.uplink->link();
    if (link != nullptr && link->peer().name == peer) return link->send_encoded(type, payload);
  }
  return fail(Code::unreachable, "master " + peer + " is not linked");
}

Status MasterLinks::send_up(tree::MessageType type, std::string_view payload) {
  tree::Link* link = up();
  if (link == nullptr) return fail(Code::unreachable, "no master is linked");
  return link->send_encoded(type, payload);
}

// `renewed`: the link of the way up is a new one although the master may be the same.
void MasterLinks::choose(bool renewed) {
  if (up() != nullptr && !renewed) return;
  const std::vector<std::string> names = ready();
  if (up() == nullptr) way_ = names.empty() ? std::string() : names.front();
  events_.on_way_up(way_.empty() ? nullptr : this);
}

/// A master that listens on several addresses would take each new link for a replacement of the one
/// before. Its certificate tells before the hello, and all its endpoints become one way.
Status MasterLinks::on_uplink_connected(tree::Uplink& uplink, const net::Peer& peer) {
  const auto shown = tree::parse_certificate_uri(peer.certificate_uri);
  const auto own =
      std::ranges::find_if(ways_, [&](const Way& way) { return way.uplink.get() == &uplink; });
  if (!shown || own == ways_.end()) return {};
  const auto twin = std::ranges::find_if(ways_, [&](const Way& way) {
    return way.uplink.get() != &uplink && way.master == shown->name;
  });
  own->master = shown->name;
  if (twin == ways_.end()) return {};
  // What has just answered is tried first where there is no link.
  const auto at = twin->uplink->link() == nullptr ? twin->targets.begin() : twin->targets.end();
  twin->targets.insert(at, own->targets.begin(), own->targets.end());
  twin->uplink->set_targets(twin->targets, true);
  context_.links.executor.post([gone = std::move(own->uplink)]() mutable { gone.reset(); });
  ways_.erase(own);
  return fail(Code::cancelled, "master " + shown->name + " has a link of mine already");
}

void MasterLinks::on_uplink_ready(tree::Link& link) {
  events_.on_master_ready(link);
  choose(link.peer().name == way_);
}

void MasterLinks::on_uplink_message(tree::Link& link, tree::MessageType type,
                                    std::string_view payload) {
  events_.on_master_message(link, type, payload);
}

void MasterLinks::on_uplink_channel(tree::Link& link, const std::string& kind, const std::string&,
                                    std::unique_ptr<tree::Channel> channel) {
  events_.on_master_channel(link, kind, std::move(channel));
}

void MasterLinks::on_uplink_lost(tree::Link& link, const Error& why) {
  context_.links.log.warning("lost a master", {{"master", link.peer().name}, {"why", why.text()}});
  const std::string name = link.peer().name;
  events_.on_master_lost(name, why);
  if (name == way_) {
    way_.clear();
    choose(true);
  }
}

void MasterLinks::on_uplink_replaced(tree::Link&, tree::Link& fresh) {
  events_.on_master_ready(fresh);
  choose(fresh.peer().name == way_);
}

}  // namespace drover::daemons
