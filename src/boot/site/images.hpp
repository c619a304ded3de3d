// What a boot needs to know of an image.
#pragma once

#include "base/result.hpp"
#include "cluster/model.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace drover::boot {

/// A file that machines fetch by its content.
struct BootBlob {
  std::string sha256;  ///< 64 lower-case hex digits
  uint64_t size = 0;   ///< bytes
  std::string what;    ///< a kernel's version, where an initrd came from
  bool operator==(const BootBlob&) const = default;
};

/// One version of an image.
struct BootImage {
  std::string name;
  std::string digest;
  std::string arch;  ///< as uname says it
  BootBlob kernel;
  std::vector<BootBlob> initrds;
  std::optional<BootBlob> root;  ///< none: a lean image
};

/// Where images are looked up.
class Images {
 public:
  Images() = default;
  Images(const Images&) = delete;
  Images& operator=(const Images&) = delete;
  virtual ~Images() = default;
  /// By reference, as the attribute `image` has it. not_found says what is not there.
  [[nodiscard]] virtual Result<BootImage> find(const std::string& reference) const = 0;
};

/// The images of the model as it is when they are asked for.
class ModelImages final : public Images {
 public:
  explicit ModelImages(const cluster::Model& model) : model_(model) {}
  [[nodiscard]] Result<BootImage> find(const std::string& reference) const override;

 private:
  const cluster::Model& model_;
};

}  // namespace drover::boot
