// The sender of RFC 1350 with RFC 7440 windows: go back to the last acknowledged block on loss,
// answer no duplicate twice, give a silent client up.
#include "boot/tftp/transfer.hpp"

#include <algorithm>

namespace drover::boot::tftp {

namespace {

void append_option(std::string& out, std::string_view name, uint64_t value) {
  out += name;
  out += '\0';
  out += std::to_string(value);
  out += '\0';
}

}  // namespace

std::string_view name(Progress progress) {
  switch (progress) {
    case Progress::running:
      return "running";
    case Progress::complete:
      return "complete";
    case Progress::unconfirmed:
      return "unconfirmed";
    case Progress::probed:
      return "probed";
    case Progress::aborted:
      return "aborted";
    case Progress::silent:
      return "silent";
  }
  return "running";
}

std::string to_netascii(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 16);
  for (const char c : bytes) {
    if (c == '\n') out += '\r';
    out += c;
    if (c == '\r') out += '\0';
  }
  return out;
}

Transfer::Transfer(const ReadRequest& request, File file, const Limits& limits, MonoTime now)
    : file_(std::move(file)),
      bytes_(file_.bytes),
      first_wait_(limits.first_wait),
      longest_wait_(limits.longest_wait),
      tries_(limits.tries),
      wait_(limits.first_wait) {
  if (request.netascii) {
    converted_ = to_netascii(bytes_);
    bytes_ = converted_;
  }
  negotiate(request, limits);
  offering_ = !options_.empty();
  send_offer_ = offering_;
  wait_ = first_wait_;
  deadline_ = now + wait_;
}

void Transfer::negotiate(const ReadRequest& request, const Limits& limits) {
  for (const char option : request.order) {
    switch (option) {
      case 'b':
        block_size_ = std::max<uint16_t>(8, std::min(*request.block_size, limits.block_size));
        append_option(options_, "blksize", block_size_);
        break;
      case 't':
        first_wait_ = std::chrono::seconds(*request.timeout);
        longest_wait_ = std::max(longest_wait_, first_wait_);
        append_option(options_, "timeout", *request.timeout);
        break;
      case 'w':
        window_size_ = std::max<uint16_t>(1, std::min(*request.window_size, limits.window_size));
        append_option(options_, "windowsize", window_size_);
        break;
      default:
        append_option(options_, "tsize", bytes_.size());
    }
  }
}

uint64_t Transfer::acknowledged() const {
  return std::min<uint64_t>(acked_ * block_size_, bytes_.size());
}

bool Transfer::next(Outgoing& out) {
  if (progress_ != Progress::running) return false;
  Writer head(out.head);
  if (offering_) {
    if (!send_offer_) return false;
    send_offer_ = false;
    head.u16(static_cast<uint16_t>(Opcode::oack));
    head.bytes(options_);
    out.head_size = head.size();
    out.body = {};
    return true;
  }
  if (next_ > last_block() || next_ > acked_ + window_size_) return false;
  head.u16(static_cast<uint16_t>(Opcode::data));
  head.u16(static_cast<uint16_t>(next_));
  out.head_size = head.size();
  out.body = bytes_.substr((next_ - 1) * block_size_, block_size_);
  if (next_ <= sent_) ++resent_;
  sent_ = std::max(sent_, next_);
  ++next_;
  return true;
}

void Transfer::receive(std::string_view packet, MonoTime now) {
  if (progress_ != Progress::running) return;
  const auto read = read_client_packet(packet);
  if (!read) return;
  if (read->opcode == Opcode::ack) return acknowledge(read->number, now);
  const auto code = static_cast<ErrorCode>(read->number);
  const bool stopped = code == ErrorCode::options || code == ErrorCode::undefined;
  progress_ = offering_ && stopped ? Progress::probed : Progress::aborted;
  message_ = read->message;
}

void Transfer::acknowledge(uint16_t number, MonoTime now) {
  if (offering_) {
    if (number != 0) return;
    offering_ = false;
  } else {
    // The block with these low bits that was sent and is not acknowledged; windows are far smaller
    // than the 65536 numbers, so there is at most one.
    const uint64_t block = acked_ + static_cast<uint16_t>(number - static_cast<uint16_t>(acked_));
    if (block > sent_) return;
    if (block == acked_) {
      // A duplicate. To answer each would double all that follows (RFC 1123 section 4.2.3.1); in a
      // window it reports that the first block was lost, which counts once.
      if (window_size_ > 1 && !went_back_ && next_ > acked_ + 1) go_back();
      return;
    }
    acked_ = block;
    if (acked_ == last_block()) {
      progress_ = Progress::complete;
      return;
    }
    // Less than all that was sent: the rest was lost, the window starts behind what came.
    next_ = acked_ + 1;
  }
  went_back_ = false;
  tried_ = 1;
  wait_ = first_wait_;
  deadline_ = now + wait_;
}

void Transfer::go_back() {
  went_back_ = true;
  next_ = acked_ + 1;
}

void Transfer::tick(MonoTime now) {
  if (progress_ != Progress::running || now < deadline_) return;
  if (tried_ >= tries_) {
    progress_ = !offering_ && sent_ == last_block() ? Progress::unconfirmed : Progress::silent;
    return;
  }
  ++tried_;
  wait_ = std::min(wait_ * 2, longest_wait_);
  deadline_ = now + wait_;
  send_offer_ = offering_;
  go_back();
  went_back_ = false;
}

Opening open(std::string_view packet, const Files& files, const Limits& limits, MonoTime now,
             std::span<char> out, const Asker& asker) {
  Opening opening;
  const auto refuse = [&](Refusal why) {
    opening.refusal = why;
    if (why != Refusal::not_request) opening.error_size = write_error(out, code(why), text(why));
  };
  const auto request = read_request(packet);
  if (!request) {
    refuse(request.error());
    return opening;
  }
  opening.path = request->file;
  const auto path = contained_path(request->file);
  if (!path) {
    refuse(Refusal::bad_path);
    return opening;
  }
  opening.path = *path;
  auto file = files.find_for(*path, asker);
  if (!file) {
    refuse(Refusal::not_found);
  } else if (request->netascii && file->bytes.size() > limits.most_netascii) {
    refuse(Refusal::too_large);
  } else {
    opening.transfer = std::make_unique<Transfer>(*request, std::move(*file), limits, now);
  }
  return opening;
}

}  // namespace drover::boot::tftp
