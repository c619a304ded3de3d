#include "tree/uplink.hpp"

#include <algorithm>

namespace drover::tree {

void UplinkEvents::on_uplink_channel(Link&, const std::string&, const std::string&,
                                     std::unique_ptr<Channel>) {}

Status UplinkEvents::on_uplink_connected(Uplink&, const net::Peer&) {
  return {};
}

Uplink::Uplink(UplinkContext& context, LinkExpectation expectation, UplinkEvents& events)
    : context_(context),
      expectation_(std::move(expectation)),
      events_(events),
      backoff_(context.backoff_base, context.backoff_cap) {
  status_.since = context_.links.executor.wall();
  status_.why = "not dialled yet";
}

Uplink::~Uplink() = default;

void Uplink::set_targets(std::vector<net::Endpoint> targets, bool keep_link) {
  const bool keep =
      !targets.empty() && ((keep_link && link() != nullptr) ||
                           std::find(targets.begin(), targets.end(), current_) != targets.end());
  if (targets == targets_ && keep) return;
  targets_ = std::move(targets);
  next_target_ = 0;
  if (keep && (link_ || connecting_)) return;
  if (link_) {
    std::vector<net::Endpoint> wanted = targets_;
    close(Error{Code::cancelled, "this parent is no longer mine", {}, {}});
    targets_ = std::move(wanted);
  }
  connecting_.reset();
  if (targets_.empty()) {
    redial_.cancel();
    return;
  }
  redial_.after(context_.links.executor, Duration::zero(), [this] { dial(); });
}

void Uplink::dispose(std::unique_ptr<Link> link) {
  // A link is often dropped inside its own event: let the stack unwind first.
  if (link) {
    link->abandon();
    context_.links.executor.post([gone = std::move(link)]() mutable { gone.reset(); });
  }
}

void Uplink::close(const Error& why) {
  redial_.cancel();
  connecting_.reset();
  targets_.clear();
  current_ = {};
  dispose(std::move(replacement_));
  refreshing_ = false;
  handing_over_.reset();
  if (!link_) return;
  const bool was_ready = link_->ready();
  Link& link = *link_;
  link.close(why);
  status_.up = false;
  status_.since = context_.links.executor.wall();
  status_.why = why.text();
  std::unique_ptr<Link> gone = std::move(link_);
  if (was_ready) events_.on_uplink_lost(link, why);
  dispose(std::move(gone));
}

void Uplink::refresh() {
  if (!link_ || !link_->ready() || refreshing_) return;
  refreshing_ = true;
  connecting_ = context_.net.connect(
      current_, context_.security(), context_.connect_limit,
      [this](Result<std::unique_ptr<net::Stream>> stream) { on_connected(std::move(stream)); });
}

void Uplink::dial() {
  if (targets_.empty() || link_) return;
  current_ = targets_[next_target_++ % targets_.size()];
  status_.target = current_.text();
  ++status_.attempts;
  connecting_ = context_.net.connect(
      current_, context_.security(), context_.connect_limit,
      [this](Result<std::unique_ptr<net::Stream>> stream) { on_connected(std::move(stream)); });
}

void Uplink::on_connected(Result<std::unique_ptr<net::Stream>> stream) {
  // The Connecting is not destroyed inside its own callback.
  context_.links.executor.post([done = std::move(connecting_)]() mutable { done.reset(); });
  if (!stream) {
    if (refreshing_) {
      refreshing_ = false;
      return;
    }
    fail_attempt(stream.error());
    return;
  }
  if (!refreshing_) {
    if (Status wanted = events_.on_uplink_connected(*this, (*stream)->peer()); !wanted) {
      decline(**stream, wanted.error());
      return;
    }
  }
  auto link = std::make_unique<Link>(context_.links, std::move(*stream), LinkSide::dialler,
                                     expectation_, *this);
  (refreshing_ && link_ ? replacement_ : link_) = std::move(link);
}

void Uplink::fail_attempt(const Error& why) {
  const std::string text = why.text();
  if (status_.up || status_.why != text) {
    context_.links.log.warning("no link to the parent",
                               {{"endpoint", current_.text()}, {"why", text}});
  }
  if (status_.up) status_.since = context_.links.executor.wall();
  status_.up = false;
  status_.why = text;
  if (targets_.empty()) return;
  // A whole round of targets is tried before the wait grows.
  const bool round_done = next_target_ % targets_.size() == 0;
  const Duration wait = round_done
                            ? backoff_.next(context_.random)
                            : context_.random.between(Duration::zero(), context_.backoff_base);
  redial_.after(context_.links.executor, wait, [this] { dial(); });
}

void Uplink::on_link_ready(Link& link) {
  if (&link == replacement_.get()) {
    refreshing_ = false;
    handing_over_.reset();
    std::unique_ptr<Link> old = std::exchange(link_, std::move(replacement_));
    status_.since = context_.links.executor.wall();
    arm_refresh();
    events_.on_uplink_replaced(*old, link);
    old->close(Error{Code::cancelled, "replaced by a link with a newer certificate", {}, {}});
    dispose(std::move(old));
    return;
  }
  status_.up = true;
  status_.since = context_.links.executor.wall();
  status_.why.clear();
  arm_refresh();
  context_.links.log.info("linked to the parent",
                          {{"parent", link.peer().name}, {"endpoint", current_.text()}});
  events_.on_uplink_ready(link);
}

// The parent may have renewed its certificate meanwhile; the link shows the one that it had.
void Uplink::arm_refresh() {
  const auto& expiry = link_->transport_peer().certificate_expiry;
  if (!expiry) return;
  constexpr Duration kLeast = std::chrono::seconds(1);
  const Duration left = std::max(*expiry - context_.links.executor.wall(), 2 * kLeast);
  refresh_timer_.after(context_.links.executor, context_.random.between(left / 2, left / 10 * 8),
                       [this] {
                         if (link() == nullptr) return;
                         refresh();
                         arm_refresh();
                       });
}

void Uplink::on_link_message(Link& link, MessageType type, std::string_view payload) {
  if (&link == link_.get()) events_.on_uplink_message(link, type, payload);
}

void Uplink::on_link_channel(Link& link, const std::string& kind, const std::string& head,
                             std::unique_ptr<Channel> channel) {
  if (&link == link_.get()) events_.on_uplink_channel(link, kind, head, std::move(channel));
}

void Uplink::on_link_closed(Link& link, const Error& why) {
  if (&link == replacement_.get()) {
    refreshing_ = false;
    dispose(std::move(replacement_));
    if (handing_over_) lose(*std::exchange(handing_over_, std::nullopt));
  } else if (&link == link_.get() && replacement_) {
    // The parent ends the old link when it takes the new one, and that may be seen before the
    // parent's hello on the new one is: no loss unless the new one fails too.
    handing_over_ = why;
  } else if (&link == link_.get()) {
    lose(why);
  }
}

void Uplink::lose(const Error& why) {
  if (std::exchange(refreshing_, false)) connecting_.reset();
  const bool was_ready = link_->ready();
  std::unique_ptr<Link> gone = std::move(link_);
  // A parent that takes links only to end them is not asked ten times a second.
  const MonoTime now = context_.links.executor.now();
  if (was_ready && now - gone->ready_since() >= context_.backoff_cap) backoff_.reset();
  fail_attempt(why);
  if (was_ready) events_.on_uplink_lost(*gone, why);
  dispose(std::move(gone));
}

}  // namespace drover::tree
