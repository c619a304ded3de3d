#include "daemons/blob_door.hpp"

#include "net/http/serve_body.hpp"
#include "tree/hello.hpp"

#include <fmt/format.h>

namespace drover::daemons {
namespace {

void refuse(net::HttpExchange& exchange, int status, std::string_view why) {
  net::HttpResponse response;
  response.status = status;
  response.headers.add("Content-Type", "text/plain");
  response.body = fmt::format("{}\n", why);
  exchange.respond(std::move(response));
}

bool is_digest(std::string_view text) {
  constexpr size_t kDigits = 64;
  return text.size() == kDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

void BlobDoor::serve(const net::HttpRequest& request, const Result<auth::Principal>& who,
                     const std::shared_ptr<net::HttpExchange>& exchange) {
  const bool may =
      who && who->kind == auth::PrincipalKind::daemon && who->role == tree::name(tree::Role::boot);
  if (!may) return refuse(*exchange, 403, "files of images are for boot daemons");
  if (request.method != "GET" && request.method != "HEAD") {
    return refuse(*exchange, 405, "only GET and HEAD");
  }
  const std::string sha256 = request.target.substr(kPath.size());
  if (!is_digest(sha256)) return refuse(*exchange, 400, "expected a SHA-256");
  blobs_.find(sha256, [&](Result<std::shared_ptr<const net::HttpBody>> body) {
    if (!body) return refuse(*exchange, 404, body.error().text());
    net::serve_body(request, *exchange, {.body = *std::move(body), .etag = '"' + sha256 + '"'});
  });
}

}  // namespace drover::daemons
