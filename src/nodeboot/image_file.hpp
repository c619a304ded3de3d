// The image's bytes on their way into a file in memory.
#pragma once

#include "net/sha256.hpp"
#include "nodeboot/image_fetch.hpp"
#include "os/fd.hpp"

#include <optional>

namespace drover::nodeboot {

/// A file that is hashed while it is written. One thread.
class ImageFile final : public ImageSink {
 public:
  explicit ImageFile(std::string path) : path_(std::move(path)) {}
  Status begin() override;
  Status add(std::string_view bytes) override;
  Result<std::string> finish() override;
  [[nodiscard]] std::string path() const override { return path_; }

 private:
  std::string path_;
  os::UniqueFd fd_;
  std::optional<net::Sha256> hash_;
};

}  // namespace drover::nodeboot
