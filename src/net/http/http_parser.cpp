// The only file that includes Boost.Beast: its basic_parser, fed by hand, writing into our types.
#include "net/http/http_parser.hpp"

#include <algorithm>
#include <utility>

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <fmt/core.h>

namespace drover::net {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

std::string to_string(beast::string_view text) {
  return {text.data(), text.size()};
}

/// A refusal of our own, carried through Beast as any error; the words are kept beside.
beast::error_code refused() {
  return http::make_error_code(http::error::bad_value);
}

HttpFault fault_of(const beast::error_code& error, const std::string& own_words, int own_status) {
  if (!own_words.empty()) return {own_status, own_words};
  if (error == http::error::header_limit) return {431, "the header is too large"};
  if (error == http::error::body_limit) return {413, "the body is too large"};
  if (error == http::error::bad_version) return {505, "the version is not HTTP/1.0 or HTTP/1.1"};
  return {400, fmt::format("not a valid HTTP message: {}", error.message())};
}

/// Collects fields and body of either kind of message.
template <bool kIsRequest>
class Collector : public http::basic_parser<kIsRequest> {
 public:
  [[nodiscard]] HttpFault fault(const beast::error_code& error) const {
    return fault_of(error, own_words_, own_status_);
  }

  HttpHeaders headers;
  std::string body;
  std::string method;
  std::string target;
  int version = 11;
  int status = 0;

 protected:
  void refuse(beast::error_code& error, int status_code, std::string words) {
    own_status_ = status_code;
    own_words_ = std::move(words);
    error = refused();
  }

  void on_request_impl(http::verb /*verb*/, beast::string_view method_text,
                       beast::string_view target_text, int version_number,
                       beast::error_code& /*error*/) override {
    method = to_string(method_text);
    target = to_string(target_text);
    version = version_number;
  }
  void on_response_impl(int code, beast::string_view /*reason*/, int version_number,
                        beast::error_code& error) override {
    if (code < 100) return refuse(error, 502, "a status has three digits from 100 on");
    status = code;
    version = version_number;
  }
  void on_field_impl(http::field field, beast::string_view name, beast::string_view value,
                     beast::error_code& error) override {
    if (header_seen_) return;  // trailers: nobody asked for them
    if (field == http::field::transfer_encoding) {
      // Beast would read the body of any other coding as absent: the next request would be made of
      // it.
      if (!beast::iequals(value, "chunked")) {
        return refuse(error, 501, "only the transfer coding \"chunked\" is known");
      }
      if (version < 11) return refuse(error, 400, "Transfer-Encoding in an HTTP/1.0 message");
    }
    headers.add(to_string(name), to_string(value));
  }
  void on_header_impl(beast::error_code& error) override {
    header_seen_ = true;
    if (!kIsRequest || version < 11) return;
    const auto hosts = std::count_if(headers.begin(), headers.end(), [](const auto& field) {
      return equal_ignoring_case(field.first, "host");
    });
    if (hosts != 1) refuse(error, 400, "exactly one Host field is needed");
  }
  void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/,
                         beast::error_code& /*error*/) override {}
  std::size_t on_body_impl(beast::string_view piece, beast::error_code& /*error*/) override {
    body.append(piece.data(), piece.size());
    return piece.size();
  }
  void on_chunk_header_impl(std::uint64_t /*size*/, beast::string_view /*extensions*/,
                            beast::error_code& /*error*/) override {}
  std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, beast::string_view piece,
                                 beast::error_code& /*error*/) override {
    body.append(piece.data(), piece.size());
    return piece.size();
  }
  void on_finish_impl(beast::error_code& /*error*/) override {}

 private:
  bool header_seen_ = false;
  int own_status_ = 400;
  std::string own_words_;
};

// Longest header of one chunk, extensions included; Beast has no limit for it.
constexpr size_t kChunkLine = size_t{64} * 1024;
// The shortest thing that can end a chunked body, "0 CRLF CRLF". Beast 1.81 asserts that it has
// that much when it looks at a last chunk for the second time, though it may have come a byte at a
// time.
constexpr size_t kShortestEnd = 5;

/// A Beast parser with the limits that it does not keep itself.
template <bool kIsRequest>
class Feeder {
 public:
  /// Beast counts what is given in one call, so that a header in small pieces has no limit: ours
  /// counts them all. Beast's own is set beyond it and ends the search in one large piece.
  explicit Feeder(size_t header_limit) : header_limit_(header_limit) {
    parser.header_limit(static_cast<std::uint32_t>(2 * header_limit + kShortestEnd));
    parser.eager(false);
  }

  tl::expected<size_t, HttpFault> put(std::string_view bytes) {
    size_t taken = 0;
    if (!parser.is_header_done()) {
      auto header = put_some(bytes);
      if (!header) return header;
      taken = *header;
      header_size_ += taken;
      const size_t waiting = parser.is_header_done() ? 0 : bytes.size() - taken;
      if (header_size_ + waiting > header_limit_) {
        return tl::unexpected(HttpFault{431, "the header is too large"});
      }
      if (!parser.is_header_done()) return taken;
      parser.eager(true);
    }
    const std::string_view rest = bytes.substr(taken);
    if (parser.is_done() || rest.empty()) return taken;
    if (parser.chunked() && rest.size() < kShortestEnd) return taken;
    auto body = put_some(rest);
    if (!body) return body;
    if (!parser.is_done() && rest.size() - *body > kChunkLine) {
      return tl::unexpected(HttpFault{431, "a chunk's header is too large"});
    }
    return taken + *body;
  }

  Collector<kIsRequest> parser;

 private:
  tl::expected<size_t, HttpFault> put_some(std::string_view bytes) {
    beast::error_code error;
    const size_t taken = parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    if (error && error != http::error::need_more) return tl::unexpected(parser.fault(error));
    return taken;
  }

  size_t header_limit_;
  size_t header_size_ = 0;
};

}  // namespace

class HttpRequestParser::Impl final : public Feeder<true> {
 public:
  using Feeder::Feeder;
};

HttpRequestParser::HttpRequestParser(size_t header_limit, size_t body_limit)
    : impl_(std::make_unique<Impl>(header_limit)) {
  impl_->parser.body_limit(body_limit);
}

HttpRequestParser::~HttpRequestParser() = default;

tl::expected<size_t, HttpFault> HttpRequestParser::put(std::string_view bytes) {
  return impl_->put(bytes);
}

bool HttpRequestParser::header_done() const {
  return impl_->parser.is_header_done();
}
bool HttpRequestParser::done() const {
  return impl_->parser.is_done();
}
bool HttpRequestParser::keep_alive() const {
  return impl_->parser.keep_alive();
}
bool HttpRequestParser::is_http10() const {
  return impl_->parser.version < 11;
}
bool HttpRequestParser::expects_continue() const {
  return !is_http10() && impl_->parser.headers.has_token("expect", "100-continue");
}

HttpRequest HttpRequestParser::take() {
  auto& parser = impl_->parser;
  HttpRequest request;
  request.method = std::move(parser.method);
  request.target = std::move(parser.target);
  request.headers = std::move(parser.headers);
  request.body = std::move(parser.body);
  return request;
}

class HttpResponseParser::Impl final : public Feeder<false> {
 public:
  Impl(size_t header_limit, bool to_head) : Feeder(header_limit) {
    parser.body_limit(boost::none);
    parser.skip(to_head);
  }
};

HttpResponseParser::HttpResponseParser(size_t header_limit, bool to_head)
    : header_limit_(header_limit),
      to_head_(to_head),
      impl_(std::make_unique<Impl>(header_limit, to_head)) {}

HttpResponseParser::~HttpResponseParser() = default;

tl::expected<size_t, HttpFault> HttpResponseParser::put(std::string_view bytes) {
  size_t total = 0;
  for (;;) {
    auto taken = impl_->put(bytes.substr(total));
    if (!taken) return taken;
    total += *taken;
    const bool interim = done() && impl_->parser.status / 100 == 1;
    if (!interim) return total;
    impl_ = std::make_unique<Impl>(header_limit_, to_head_);  // the real answer follows
    if (total == bytes.size()) return total;
  }
}

tl::expected<void, HttpFault> HttpResponseParser::put_end() {
  auto& parser = impl_->parser;
  if (!parser.got_some()) return tl::unexpected(HttpFault{502, "no answer came"});
  beast::error_code error;
  if (!parser.is_done()) parser.put_eof(error);
  if (error) return tl::unexpected(HttpFault{502, "the answer was cut off"});
  return {};
}

bool HttpResponseParser::header_done() const {
  return impl_->parser.is_header_done();
}
bool HttpResponseParser::done() const {
  return impl_->parser.is_done();
}
HttpResponse HttpResponseParser::head() const {
  return {impl_->parser.status, impl_->parser.headers, {}};
}
std::string HttpResponseParser::take_body() {
  return std::exchange(impl_->parser.body, {});
}

}  // namespace drover::net
