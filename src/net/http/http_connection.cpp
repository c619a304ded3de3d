// HttpConnection: the state machine of one connection, and the exchange that leads to it.
#include "net/http/http_connection.hpp"

#include "net/file_sender.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/core.h>

namespace drover::net {
namespace {

// Bytes of requests behind the one in hand that are kept before reading stops.
constexpr size_t kPipelined = size_t{64} * 1024;

// Bodies are read in pieces of this size where the system cannot send the file itself.
constexpr size_t kBodyPiece = size_t{128} * 1024;
// Unsent answers of one client beyond which its next request waits.
constexpr size_t kUnsentLimit = size_t{256} * 1024;

bool has_no_body(int status) {
  return status / 100 == 1 || status == 204 || status == 304;
}

Code code_of(int status) {
  switch (status) {
    case 408:
      return Code::timed_out;
    case 413:
    case 431:
      return Code::too_large;
    case 500:
      return Code::internal;
    case 501:
    case 505:
      return Code::unsupported;
    default:
      return Code::invalid_argument;
  }
}

/// RFC 9457. `why` is one of our own texts, but may quote the parser: kept to plain characters.
HttpResponse problem(int status, std::string_view why) {
  const CodeInfo& code = info(code_of(status));
  std::string detail;
  for (const char c : why) detail += c < ' ' || c == '"' || c == '\\' ? '\'' : c;
  HttpResponse response;
  response.status = status;
  response.headers = {{"Content-Type", "application/problem+json"}};
  response.body =
      fmt::format(R"({{"type":"urn:drover:problem:{}","title":"{}","status":{},"detail":"{}"}})",
                  code.name, code.title, status, detail);
  return response;
}

std::optional<uint64_t> given_length(const HttpHeaders& headers) {
  const auto text = headers.get("content-length");
  uint64_t length = 0;
  if (!text) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), length);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return length;
}

}  // namespace

HttpExchange::HttpExchange(std::weak_ptr<HttpConnection> connection, uint64_t id)
    : connection_(std::move(connection)), id_(id) {}

HttpExchange::~HttpExchange() {
  if (ended_) return;
  const auto held = connection();
  if (!held) return;
  if (begun_) {
    held->cut(id_);
  } else {
    held->respond(id_, problem(500, "the request was given up without an answer"));
  }
}

std::shared_ptr<HttpConnection> HttpExchange::connection() const {
  auto held = connection_.lock();
  return held && held->answering(id_) ? held : nullptr;
}

bool HttpExchange::gone() const {
  return !ended_ && connection() == nullptr;
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): an answer is given away
void HttpExchange::respond(HttpResponse response) {
  if (begun_ || ended_) return;
  begun_ = true;
  ended_ = true;
  if (const auto held = connection()) held->respond(id_, response);
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): the same
void HttpExchange::send_body(int status, HttpHeaders headers, std::shared_ptr<const HttpBody> body,
                             uint64_t first, uint64_t length, Callback<void(uint64_t)> sent) {
  if (begun_ || ended_) return;
  begun_ = true;
  ended_ = true;
  const auto held = connection();
  if (held) {
    held->send_body(id_, status, headers, std::move(body), first, length, std::move(sent));
  } else if (sent) {
    sent(0);
  }
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): the same
void HttpExchange::begin(int status, HttpHeaders headers) {
  if (begun_ || ended_) return;
  begun_ = true;
  if (const auto held = connection()) held->begin(id_, status, headers);
}

void HttpExchange::write(std::string_view piece) {
  if (!begun_ || ended_) return;
  if (const auto held = connection()) held->write(id_, piece);
}

void HttpExchange::end() {
  if (!begun_ || ended_) return;
  if (const auto held = connection()) held->end(id_);
  ended_ = true;
}

size_t HttpExchange::unsent() const {
  const auto held = connection();
  return held ? held->unsent(id_) : 0;
}

HttpConnection::HttpConnection(std::weak_ptr<HttpConnectionOwner> owner, uint64_t id,
                               std::unique_ptr<Stream> stream)
    : owner_(std::move(owner)), id_(id), stream_(std::move(stream)) {}

void HttpConnection::start() {
  const auto owner = owner_.lock();
  if (!owner) return;
  limit(owner->options().header_time, &HttpConnection::too_slow);
  stream_->set_handler(this);
}

void HttpConnection::limit(Duration time, void (HttpConnection::*expired)()) {
  const auto owner = owner_.lock();
  if (!owner) return;
  timer_.after(owner->executor(), time, [weak = weak_from_this(), expired] {
    if (const auto self = weak.lock()) (self.get()->*expired)();
  });
}

void HttpConnection::too_slow() {
  if (!parser_) return close();  // not a byte came: nothing to answer
  refuse({408, in_body_ ? "the body did not come in time" : "the header did not come in time"});
}

void HttpConnection::on_data(std::string_view bytes) {
  const auto self = shared_from_this();
  if (closing_) return;
  in_.append(bytes);
  process();
}

void HttpConnection::on_drained() {
  const auto self = shared_from_this();
  if (sending_) return send_more();
  if (!busy_ && !in_.empty()) return process();  // was waiting for this
  const auto exchange = exchange_.lock();
  if (!busy_ || !exchange || !exchange->drained_) return;
  exchange->drained_();
}

void HttpConnection::on_closed(const Error& /*why*/) {
  const auto self = shared_from_this();
  drop();
}

/// Takes requests from what has come, until one is with the handler or more must come.
void HttpConnection::process() {
  if (processing_) return;
  processing_ = true;
  while (stream_ && !busy_ && !closing_ && !clogged() && process_one()) {
  }
  processing_ = false;
  if (stream_) stream_->pause_reading((busy_ || clogged()) && in_.size() > kPipelined);
}

bool HttpConnection::clogged() const {
  return stream_->unsent() > kUnsentLimit;
}

/// False when more bytes must come first.
bool HttpConnection::process_one() {
  const auto owner = owner_.lock();
  if (!owner) return false;
  if (!parser_) {
    // Empty lines before a request line are skipped (RFC 9112 section 2.2).
    in_.erase(0, std::min(in_.find_first_not_of("\r\n"), in_.size()));
    if (in_.empty()) return false;
    parser_ = std::make_unique<HttpRequestParser>(owner->options().header_limit,
                                                  owner->options().body_limit);
    continued_ = false;
    in_body_ = false;
    if (exchange_id_ > 0) limit(owner->options().header_time, &HttpConnection::too_slow);
  }
  if (in_.empty()) return false;
  const auto taken = parser_->put(in_);
  if (!taken) {
    refuse(taken.error());
    return false;
  }
  in_.erase(0, *taken);
  if (parser_->done()) {
    dispatch();
    return true;
  }
  if (parser_->header_done() && !std::exchange(in_body_, true)) {
    limit(owner->options().body_time, &HttpConnection::too_slow);
    if (parser_->expects_continue() && in_.empty() && !std::exchange(continued_, true)) {
      stream_->write("HTTP/1.1 100 Continue\r\n\r\n");
    }
  }
  return false;
}

void HttpConnection::dispatch() {
  timer_.cancel();
  const auto owner = owner_.lock();
  keep_alive_ = parser_->keep_alive() && !finishing_;
  http10_ = parser_->is_http10();
  HttpRequest request = parser_->take();
  parser_.reset();
  request.peer = stream_->peer();
  to_head_ = request.method == "HEAD";
  busy_ = true;
  auto exchange = std::make_shared<HttpExchange>(weak_from_this(), ++exchange_id_);
  exchange_ = exchange;
  if (owner) owner->handle(std::move(request), std::move(exchange));
}

/// Answers what never becomes a request, and closes: where the next one would start is not known.
void HttpConnection::refuse(const HttpFault& fault) {
  busy_ = true;
  ++exchange_id_;
  keep_alive_ = false;
  to_head_ = false;
  respond(exchange_id_, problem(fault.status, fault.why));
}

std::string HttpConnection::head(int status, const HttpHeaders& headers, Framing framing,
                                 size_t length) {
  const auto owner = owner_.lock();
  ResponseFrame frame;
  frame.framing = framing;
  frame.length = length;
  frame.keep_alive = keep_alive_;
  if (owner) {
    frame.server = owner->options().server_name;
    frame.now = owner->executor().wall();
  }
  return response_head(status, headers, frame);
}

void HttpConnection::respond(uint64_t exchange, const HttpResponse& response) {
  if (!answering(exchange)) return;
  const bool bodiless = has_no_body(response.status);
  stream_->write(head(response.status, response.headers, bodiless ? Framing::none : Framing::length,
                      response.body.size()));
  if (!bodiless && !to_head_) stream_->write(response.body);
  finish_answer();
}

void HttpConnection::send_body(uint64_t exchange, int status, const HttpHeaders& headers,
                               std::shared_ptr<const HttpBody> body, uint64_t first,
                               uint64_t length, Callback<void(uint64_t)> sent) {
  if (!answering(exchange)) return;
  stream_->write(head(status, headers, Framing::length, length));
  if (to_head_ || length == 0) {
    if (sent) sent(0);
    if (stream_) finish_answer();
    return;
  }
  const int fd = body->fd();
  sending_ = std::make_unique<Sending>(
      Sending{std::move(body), first, length, length, 0, std::move(sent)});
  auto* const sender = dynamic_cast<FileSender*>(stream_.get());
  if (fd >= 0 && length > kBodyPiece && sender != nullptr && sender->send_file(fd, first, length)) {
    sending_->left = 0;
  } else {
    send_more();
  }
  if (sending_) check_stall();
}

/// The stream took what it was given: gives it the next piece, or ends the answer.
void HttpConnection::send_more() {
  Sending& sending = *sending_;
  if (sending.left > 0) {
    std::string piece(std::min<uint64_t>(sending.left, kBodyPiece), '\0');
    const auto got = sending.body->read(sending.next, piece);
    if (!got || *got == 0) return drop();  // the length was promised
    stream_->write(std::string_view(piece).substr(0, *got));
    sending.next += *got;
    sending.left -= *got;
    if (sending.left > 0) return;
  }
  // Whatever is left in the stream now is less than a piece, or nothing.
  body_sent(sending.length);
  if (stream_) finish_answer();
}

void HttpConnection::body_sent(uint64_t count) {
  const auto done = std::move(sending_);
  if (done->sent) done->sent(count);
}

void HttpConnection::check_stall() {
  const auto owner = owner_.lock();
  if (!owner || !sending_ || !stream_) return;
  const uint64_t left = sending_->left + stream_->unsent();
  if (sending_->left_before == left) return drop();
  sending_->left_before = left;
  limit(owner->options().stall_time, &HttpConnection::check_stall);
}

void HttpConnection::begin(uint64_t exchange, int status, const HttpHeaders& headers) {
  if (!answering(exchange)) return;
  framing_ = Framing::chunked;
  if (has_no_body(status)) {
    framing_ = Framing::none;
  } else if (const auto length = given_length(headers)) {
    framing_ = Framing::given;
    body_left_ = *length;
  } else if (http10_) {
    framing_ = Framing::to_end;
    keep_alive_ = false;
  }
  stream_->write(head(status, headers, framing_, 0));
}

void HttpConnection::write(uint64_t exchange, std::string_view piece) {
  if (!answering(exchange) || piece.empty() || to_head_ || framing_ == Framing::none) return;
  if (framing_ == Framing::chunked) {
    stream_->write(chunk(piece));
    return;
  }
  if (framing_ == Framing::given) {
    piece = piece.substr(0, body_left_);  // more would be taken for the next answer
    body_left_ -= piece.size();
  }
  stream_->write(piece);
}

void HttpConnection::end(uint64_t exchange) {
  if (!answering(exchange)) return;
  if (framing_ == Framing::given && body_left_ > 0 && !to_head_) return cut(exchange);
  if (framing_ == Framing::chunked && !to_head_) stream_->write(kLastChunk);
  finish_answer();
}

void HttpConnection::cut(uint64_t exchange) {
  if (!answering(exchange)) return;
  busy_ = false;
  drop();
}

size_t HttpConnection::unsent(uint64_t exchange) const {
  return answering(exchange) ? stream_->unsent() : 0;
}

void HttpConnection::finish_answer() {
  busy_ = false;
  exchange_.reset();
  if (!keep_alive_ || finishing_) return close();
  const auto owner = owner_.lock();
  if (!owner) return;
  limit(owner->options().idle_time, &HttpConnection::close);
  if (processing_) return;  // the loop below on the stack goes on
  if (in_.empty()) {
    stream_->pause_reading(false);
    return;
  }
  owner->executor().post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->process();
  });
}

void HttpConnection::close() {
  timer_.cancel();
  closing_ = true;
  parser_.reset();
  in_ = {};
  if (stream_) stream_->close();
}

void HttpConnection::finish_up() {
  finishing_ = true;
  if (!busy_ && !parser_ && in_.empty()) close();
}

void HttpConnection::tell_gone() {
  const auto exchange = exchange_.lock();
  exchange_.reset();
  if (!exchange || exchange->ended_ || !exchange->gone_) return;
  Callback<void()> gone = std::move(exchange->gone_);
  gone();
}

void HttpConnection::drop() {
  const bool was_busy = busy_;
  if (sending_) {
    const uint64_t left = sending_->left + (stream_ ? stream_->unsent() : 0);
    body_sent(sending_->length - std::min(left, sending_->length));
  }
  detach();
  if (const auto owner = owner_.lock()) owner->forget(id_);
  if (was_busy) tell_gone();
}

void HttpConnection::detach() {
  timer_.cancel();
  busy_ = false;
  closing_ = true;
  stream_.reset();
  sending_.reset();  // after the stream, which may hold its descriptor
}

}  // namespace drover::net
