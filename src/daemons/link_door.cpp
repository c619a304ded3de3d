#include "daemons/link_door.hpp"

#include <fmt/core.h>

namespace drover::daemons {

LinkDoor::LinkDoor(tree::LinkContext& context, net::Net& net,
                   Callback<std::shared_ptr<net::Security>()> security,
                   tree::LinkExpectation expectation, DoorEvents& events)
    : context_(context),
      net_(net),
      security_(std::move(security)),
      expectation_(std::move(expectation)),
      events_(events) {}

LinkDoor::~LinkDoor() = default;

Result<net::Endpoint> LinkDoor::listen(const net::Endpoint& at) {
  auto listener = net_.listen(
      at, [this] { return security_(); }, [this](auto stream) { on_accepted(std::move(stream)); });
  if (!listener) return fail_in("listening on " + at.text(), listener.error());
  net::Endpoint bound = (*listener)->endpoint();
  listeners_.push_back(std::move(*listener));
  return bound;
}

void LinkDoor::close(const Error& why) {
  listeners_.clear();
  greeting_.clear();
  for (auto& [name, link] : links_) link->close(why);
}

void LinkDoor::admit_again() {
  std::vector<std::pair<std::string, Error>> refused;
  for (const auto& [name, link] : links_) {
    const Status admitted =
        events_.admit(link->peer(), link->transport_peer().certificate_key_sha256);
    if (!admitted) refused.emplace_back(name, admitted.error());
  }
  for (const auto& [name, why] : refused) {
    const auto it = links_.find(name);
    if (it == links_.end()) continue;
    std::unique_ptr<tree::Link> cut = std::move(it->second);
    links_.erase(it);
    context_.log.warning(
        "cut a link",
        {{"peer", cut->transport_peer().address}, {"name", name}, {"why", why.text()}});
    events_.on_door_lost(*cut, why);
    cut->close(why);
    const uint64_t tag = cut->tag;
    greeting_[tag] = std::move(cut);  // until it has said goodbye
  }
}

std::string LinkDoor::key_of(const tree::Introduction& peer) const {
  if (expectation_.roles.size() == 1) return peer.name;
  return fmt::format("{}/{}", tree::name(peer.role), peer.name);
}

tree::Link* LinkDoor::find(const std::string& name) const {
  const auto it = links_.find(name);
  return it == links_.end() ? nullptr : it->second.get();
}

Status LinkDoor::send(const std::string& peer, tree::MessageType type, std::string_view payload) {
  tree::Link* link = find(peer);
  if (link == nullptr) return fail(Code::unreachable, fmt::format("{} is not linked here", peer));
  return link->send_encoded(type, payload);
}

void LinkDoor::send_all(tree::MessageType type, std::string_view payload) {
  for (const auto& [name, link] : links_) (void)link->send_encoded(type, payload);
}

void LinkDoor::judge_anew() {
  for (const auto& [name, link] : links_) link->judge_anew();
}

void LinkDoor::on_accepted(tl::expected<std::unique_ptr<net::Stream>, net::AcceptFailure> stream) {
  if (!stream) {
    context_.log.warning("refused a connection", {{"peer", stream.error().peer_address},
                                                  {"why", stream.error().error.text()}});
    return;
  }
  if (greeting_.size() >= kMaxGreeting) {
    context_.log.warning("refused a connection: too many peers that have not said hello",
                         {{"peer", (*stream)->peer().address}});
    return;
  }
  auto link = std::make_unique<tree::Link>(context_, std::move(*stream), tree::LinkSide::acceptor,
                                           expectation_, *this);
  link->tag = ++last_tag_;
  greeting_[link->tag] = std::move(link);
}

bool LinkDoor::is_current(const tree::Link& link) const {
  return link.ready() && find(key_of(link.peer())) == &link;
}

void LinkDoor::dispose(std::unique_ptr<tree::Link> link) {
  if (!link) return;
  link->abandon();
  context_.executor.post([gone = std::move(link)]() mutable { gone.reset(); });
}

void LinkDoor::on_link_ready(tree::Link& link) {
  const auto it = greeting_.find(link.tag);
  if (it == greeting_.end()) return;
  std::unique_ptr<tree::Link> owned = std::move(it->second);
  greeting_.erase(it);
  const std::string name = key_of(link.peer());
  tree::Link* before = find(name);
  Status admitted = events_.admit(link.peer(), link.transport_peer().certificate_key_sha256);
  if (admitted && before != nullptr && before->peer().incarnation > link.peer().incarnation) {
    admitted = fail(Code::conflict,
                    fmt::format("a newer {} (started at {}) is linked here; this one is from {}",
                                name, before->peer().incarnation, link.peer().incarnation),
                    "stop the second daemon of this name");
  }
  if (!admitted) {
    context_.log.warning("refused a link", {{"peer", link.transport_peer().address},
                                            {"name", name},
                                            {"why", admitted.error().text()}});
    link.close(admitted.error());
    greeting_[link.tag] = std::move(owned);
    return;
  }
  std::unique_ptr<tree::Link>& place = links_[name];
  std::unique_ptr<tree::Link> old = std::exchange(place, std::move(owned));
  if (old) old->close(Error{Code::cancelled, "replaced by a newer link of yours", {}, {}});
  events_.on_door_ready(link, old != nullptr);
  dispose(std::move(old));
}

void LinkDoor::on_link_message(tree::Link& link, tree::MessageType type, std::string_view payload) {
  if (is_current(link)) events_.on_door_message(link, type, payload);
}

void LinkDoor::on_link_channel(tree::Link& link, const std::string& kind, const std::string&,
                               std::unique_ptr<tree::Channel> channel) {
  if (is_current(link)) events_.on_door_channel(link, kind, std::move(channel));
}

void LinkDoor::on_link_closed(tree::Link& link, const Error& why) {
  if (const auto it = greeting_.find(link.tag); it != greeting_.end()) {
    const std::string& address = link.transport_peer().address;
    if (link.peer_goodbye() == Code::cancelled) {  // it had a link here already
      context_.log.debug("a peer left before its hello", {{"peer", address}, {"why", why.text()}});
    } else {
      context_.log.warning("a peer went before its hello was accepted",
                           {{"peer", address}, {"why", why.text()}});
    }
    dispose(std::move(it->second));
    greeting_.erase(it);
    return;
  }
  if (!is_current(link)) return;
  const auto it = links_.find(key_of(link.peer()));
  std::unique_ptr<tree::Link> gone = std::move(it->second);
  links_.erase(it);
  events_.on_door_lost(link, why);
  dispose(std::move(gone));
}

}  // namespace drover::daemons
