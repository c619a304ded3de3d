// What a master gives boot daemons on other hosts: the files of images that lie in its own folder.
#pragma once

#include "auth/principal.hpp"
#include "boot/image/blob_store.hpp"
#include "net/http/http_server.hpp"

#include <memory>
#include <string>

namespace drover::daemons {

/// One executor's thread.
class BlobDoor {
 public:
  /// "/blobs/SHA256"
  static constexpr std::string_view kPath = "/blobs/";

  BlobDoor(Disk& disk, Random& random, std::string folder)
      : blobs_(disk, random, std::move(folder)) {}

  /// Answers GET and HEAD of a blob, with ranges, to boot daemons and to nobody else: a root may
  /// hold secrets, and machines get theirs against their tokens. `exchange` is kept until it is
  /// sent.
  void serve(const net::HttpRequest& request, const Result<auth::Principal>& who,
             const std::shared_ptr<net::HttpExchange>& exchange);

 private:
  boot::image::BlobStore blobs_;
};

}  // namespace drover::daemons
