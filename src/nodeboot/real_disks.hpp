// The LocalDisks seam on a real machine: /sys/block, block devices, mke2fs and mkfs.fat of the
// first root.
#pragma once

#include "base/random.hpp"
#include "nodeboot/local_disks.hpp"

#include <functional>
#include <string>

namespace drover::nodeboot {

/// Where the state partition is mounted; in /run, so that it moves into the image.
inline constexpr const char* kDiskState = "/run/drover/disk";

class RealDisks final : public LocalDisks {
 public:
  /// `say`: what people should know of damage that was mended. `load`: loads a module by name.
  struct Helpers {
    std::function<void(const std::string&)> say;
    std::function<void(const char*)> load;
  };
  RealDisks(Random& random, Helpers helpers) : random_(random), helpers_(std::move(helpers)) {}

  Result<std::vector<DiskFacts>> look() override;
  bool starts_by_uefi() override;
  Status format(const DiskFacts& disk, const DiskLayout& layout, const DiskMark& mark) override;
  std::unique_ptr<ImageSink> root_sink(const DiskFacts& disk) override;
  Result<std::unique_ptr<ByteReader>> root_reader(const DiskFacts& disk) override;
  Status write_mark(const DiskFacts& disk, const DiskMark& mark) override;
  Status open_start(const DiskFacts& disk) override;
  std::unique_ptr<ImageSink> start_sink(const std::string& path) override;
  Status write_start(const std::string& path, std::string_view text) override;
  Status tidy_start(const std::vector<std::string>& keep) override;
  Status close_start() override;
  Status mount(const DiskFacts& disk, const std::string& at) override;
  Result<std::string> kept(const std::string& name) override;
  Status keep(const std::string& name, std::string_view text) override;

 private:
  Status make_state(const std::string& device);
  Status make_start(const std::string& device);

  Random& random_;
  Helpers helpers_;
};

}  // namespace drover::nodeboot
