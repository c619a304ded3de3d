// The HTTP parsers: whole, in pieces of every size, and refusing what could be read in two ways.
#include "net/http/http_parser.hpp"

#include "net/http/http_text.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace drover::net {
namespace {

struct Parsed {
  std::optional<HttpRequest> request;
  std::optional<HttpFault> fault;
  bool keep_alive = false;
  std::string rest;
};

/// Feeds `bytes` in pieces of `step`, keeping what is not taken, as a connection does.
Parsed parse(const std::string& bytes, size_t step, size_t body_limit = 1000) {
  HttpRequestParser parser(1024, body_limit);
  Parsed parsed;
  std::string in;
  for (size_t at = 0; at < bytes.size(); at += step) {
    in += bytes.substr(at, step);
    if (parser.done()) continue;
    const auto taken = parser.put(in);
    if (!taken) {
      parsed.fault = taken.error();
      return parsed;
    }
    in.erase(0, *taken);
  }
  parsed.rest = in;
  if (parser.done()) {
    parsed.keep_alive = parser.keep_alive();
    parsed.request = parser.take();
  }
  return parsed;
}

TEST(HttpRequestParser, ParsesInPiecesOfEverySize) {
  const std::string first =
      "POST /api/v1/calls?x=1 HTTP/1.1\r\nHost: m1\r\nX-A:  two words \r\n"
      "Content-Length: 5\r\n\r\nhello";
  const std::string second = "GET / HTTP/1.1\r\n";
  for (size_t step = 1; step <= first.size() + second.size(); ++step) {
    SCOPED_TRACE(step);
    const Parsed parsed = parse(first + second, step);
    ASSERT_TRUE(parsed.request);
    EXPECT_EQ(parsed.request->method, "POST");
    EXPECT_EQ(parsed.request->target, "/api/v1/calls?x=1");
    EXPECT_EQ(parsed.request->headers.get("x-a"), "two words");
    EXPECT_EQ(parsed.request->body, "hello");
    EXPECT_TRUE(parsed.keep_alive);
    EXPECT_EQ(parsed.rest, second);  // never beyond the end of the message
  }
}

TEST(HttpRequestParser, ParsesChunkedBodiesAndLeavesTrailersOut) {
  const std::string bytes =
      "PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\nNEXT";
  for (size_t step = 1; step <= bytes.size(); ++step) {
    SCOPED_TRACE(step);
    const Parsed parsed = parse(bytes, step);
    ASSERT_TRUE(parsed.request) << (parsed.fault ? parsed.fault->why : "unfinished");
    EXPECT_EQ(parsed.request->body, "hello world");
    EXPECT_FALSE(parsed.request->headers.has("x-trailer"));
    EXPECT_EQ(parsed.rest, "NEXT");
  }
}

TEST(HttpRequestParser, KnowsWhenTheConnectionEnds) {
  EXPECT_FALSE(parse("GET / HTTP/1.0\r\n\r\n", 99).keep_alive);
  EXPECT_TRUE(parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 99).keep_alive);
  EXPECT_FALSE(parse("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 99).keep_alive);
}

TEST(HttpRequestParser, RefusesWhatIsMalformedOrAmbiguous) {
  const std::string get = "GET / HTTP/1.1\r\nHost: h\r\n";
  const std::string post = "POST / HTTP/1.1\r\nHost: h\r\n";
  const std::pair<std::string, int> cases[] = {
      {"\x16\x03\x01 tls hello", 400},
      {"GET\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\n\r\n", 505},
      {"GET / HTTP/1.1 \r\n\r\n", 505},
      {"GET /a b HTTP/1.1\r\n\r\n", 505},
      {"GET / HTTP/1.1\r\n\r\n", 400},     // no Host
      {get + "Host: other\r\n\r\n", 400},  // two of them
      {get + "Bad Name: x\r\n\r\n", 400},
      {get + "No-Colon\r\n\r\n", 400},
      {get + std::string("X: a\0b\r\n\r\n", 10), 400},
      {post + "Content-Length: -1\r\n\r\n", 400},
      {post + "Content-Length: 1x\r\n\r\n", 400},
      {post + "Content-Length: 18446744073709551616\r\n\r\n", 400},
      {post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
      {post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400},
      {post + "Transfer-Encoding: gzip\r\n\r\n", 501},
      {post + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {post + "Transfer-Encoding: chunked, identity\r\n\r\n", 501},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {post + "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc", 400},
      {post + "Transfer-Encoding: chunked\r\n\r\n-1\r\nabc", 400},
      {post + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n", 400},
      {post + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 400},
      {post + "Content-Length: 1001\r\n\r\n", 413},
      {post + "Transfer-Encoding: chunked\r\n\r\n3e9\r\n", 413},
      {get + "X: " + std::string(2000, 'x') + "\r\n\r\n", 431},
      {"GET /" + std::string(2000, 'x'), 431},
  };
  for (const auto& [bytes, status] : cases) {
    for (const size_t step : {size_t{1}, bytes.size()}) {
      const Parsed parsed = parse(bytes, step);
      ASSERT_TRUE(parsed.fault) << bytes;
      EXPECT_EQ(parsed.fault->status, status) << bytes << ": " << parsed.fault->why;
      EXPECT_FALSE(parsed.fault->why.empty());
    }
  }
}

TEST(HttpRequestParser, ManySmallFieldsCountTogether) {
  std::string bytes = "GET / HTTP/1.1\r\nHost: h\r\n";
  while (bytes.size() < 2000) bytes += "A: b\r\n";
  for (const size_t step : {1, 6, 100, 5000}) {
    const Parsed parsed = parse(bytes, step);
    ASSERT_TRUE(parsed.fault) << step;
    EXPECT_EQ(parsed.fault->status, 431);
  }
}

TEST(HttpRequestParser, AnEndlessChunkHeaderIsRefused) {
  const std::string bytes = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;" +
                            std::string(70'000, 'x');
  EXPECT_EQ(parse(bytes, 1000).fault->status, 431);
}

TEST(HttpResponseParser, ParsesLengthChunkedAndToTheEnd) {
  const std::string head = "HTTP/1.1 200 OK\r\nX-A: 1\r\n";
  for (const std::string& body :
       {std::string("Content-Length: 5\r\n\r\nhello"),
        std::string("Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"),
        std::string("\r\nhello")}) {
    HttpResponseParser parser(1024, false);
    std::string in;
    std::string got;
    for (const char c : "HTTP/1.1 100 Continue\r\n\r\n" + head + body) {
      in += c;
      const auto taken = parser.put(in);
      ASSERT_TRUE(taken) << taken.error().why;
      in.erase(0, *taken);
      got += parser.take_body();
    }
    if (!parser.done()) EXPECT_TRUE(parser.put_end());
    EXPECT_TRUE(parser.done());
    EXPECT_EQ(parser.head().status, 200);
    EXPECT_EQ(parser.head().headers.get("x-a"), "1");
    EXPECT_EQ(got, "hello");
  }
}

TEST(HttpResponseParser, ToldWhenCutOff) {
  for (const std::string& bytes :
       {std::string(), std::string("HTTP/1.1 200"), std::string("HTTP/1.1 200 OK\r\n\r"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")}) {
    HttpResponseParser parser(1024, false);
    if (!bytes.empty()) ASSERT_TRUE(parser.put(bytes));
    EXPECT_FALSE(parser.put_end()) << bytes;
  }
  HttpResponseParser bad(1024, false);
  EXPECT_FALSE(bad.put("SSH-2.0-OpenSSH_9.2\r\n"));
}

TEST(HttpResponseParser, AnswersToHeadHaveNoBody) {
  HttpResponseParser parser(1024, true);
  ASSERT_TRUE(parser.put("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"));
  EXPECT_TRUE(parser.done());
}

TEST(HttpText, NoFieldCanAddALine) {
  HttpRequest request;
  request.headers = {{"X-Name", "n1\r\nEvil: yes"}, {"Bad\r\nName", "x"}, {"Content-Length", "9"}};
  const std::string head = request_head(request, "h");
  EXPECT_EQ(head,
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Name: n1  Evil: yes\r\n\r\n");
}

TEST(HttpText, DatesAreInTheFixedForm) {
  EXPECT_EQ(http_date(from_unix_ms(784111777'000)), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(HttpHeaders, NamesCompareWithoutCase) {
  HttpHeaders headers = {{"Content-Type", "a"}, {"content-TYPE", "b"}, {"Accept", "x/y , Q/z"}};
  EXPECT_EQ(headers.get("CONTENT-type"), "a");
  EXPECT_TRUE(headers.has_token("accept", "q/Z"));
  EXPECT_FALSE(headers.has_token("accept", "x"));
  headers.set("content-type", "c");
  EXPECT_EQ(headers.size(), 2U);
  EXPECT_EQ(headers.get("Content-Type"), "c");
}

}  // namespace
}  // namespace drover::net
