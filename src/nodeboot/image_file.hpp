// The image's bytes on their way into a file in memory, or onto a disk.
#pragma once

#include "net/sha256.hpp"
#include "nodeboot/image_fetch.hpp"
#include "os/fd.hpp"

#include <optional>

namespace drover::nodeboot {

/// A file, or the device of a partition, that is hashed while it is written. What finish() has
/// returned for is safe from a power cut. One thread.
class ImageFile final : public ImageSink {
 public:
  /// `place`: what is full when there is no more room, for people.
  explicit ImageFile(std::string path, std::string place = "this machine's memory")
      : path_(std::move(path)), place_(std::move(place)) {}
  Status begin() override;
  Status add(std::string_view bytes) override;
  Result<std::string> finish() override;
  [[nodiscard]] std::string path() const override { return path_; }

 private:
  std::string path_;
  std::string place_;
  os::UniqueFd fd_;
  std::optional<net::Sha256> hash_;
};

}  // namespace drover::nodeboot
