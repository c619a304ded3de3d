// A machine's disks in memory, for tests: what is on them outlives a boot, as on real ones.
#pragma once

#include "net/sha256.hpp"
#include "nodeboot/local_disks.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace drover::nodeboot::testing {

class FakeDisks final : public LocalDisks {
 public:
  class Sink final : public ImageSink {
   public:
    Sink(std::string& bytes, std::string path) : bytes_(bytes), path_(std::move(path)) {}
    Status begin() override {
      bytes_.clear();
      return {};
    }
    Status add(std::string_view more) override {
      bytes_ += more;
      return {};
    }
    Result<std::string> finish() override { return net::sha256_hex(bytes_); }
    [[nodiscard]] std::string path() const override { return path_; }

   private:
    std::string& bytes_;
    std::string path_;
  };

  class Reader final : public ByteReader {
   public:
    explicit Reader(const std::string& bytes) : bytes_(bytes) {}
    Result<size_t> read(std::span<char> out) override {
      const size_t took = bytes_.copy(out.data(), out.size(), at_);
      at_ += took;
      return took;
    }

   private:
    const std::string& bytes_;
    size_t at_ = 0;
  };

  Result<std::vector<DiskFacts>> look() override {
    if (++looked < appears_at) return std::vector<DiskFacts>{};
    return disks;
  }
  bool starts_by_uefi() override { return uefi; }
  Status format(const DiskFacts& disk, const DiskLayout&, const DiskMark& mark) override {
    did.push_back("format " + disk.name);
    root.clear();
    start.clear();
    files.clear();
    return write_mark(disk, mark);
  }
  std::unique_ptr<ImageSink> root_sink(const DiskFacts& disk) override {
    return std::make_unique<Sink>(root, disk.name);
  }
  Result<std::unique_ptr<ByteReader>> root_reader(const DiskFacts&) override {
    return std::make_unique<Reader>(root);
  }
  Status write_mark(const DiskFacts& disk, const DiskMark& mark) override {
    did.push_back(std::string("mark ") + (mark.whole ? "whole" : "begun") +
                  (mark.start.empty() ? "" : " starts"));
    for (DiskFacts& one : disks) {
      if (one.name != disk.name) continue;
      one.mark = mark;
      one.blank = false;
    }
    return {};
  }
  Status open_start(const DiskFacts&) override {
    started_open = true;
    return {};
  }
  std::unique_ptr<ImageSink> start_sink(const std::string& path) override {
    return std::make_unique<Sink>(start[path], path);
  }
  Status write_start(const std::string& path, std::string_view text) override {
    start[path] = text;
    return {};
  }
  Status tidy_start(const std::vector<std::string>& keep) override {
    std::erase_if(start, [&](const auto& file) {
      return file.first.starts_with("/drover/") &&
             std::ranges::find(keep, file.first) == keep.end();
    });
    return {};
  }
  Status close_start() override {
    started_open = false;
    return {};
  }
  Status mount(const DiskFacts& disk, const std::string& at) override {
    did.push_back("mount " + disk.name + " " + at);
    return {};
  }
  Result<std::string> kept(const std::string& name) override {
    const auto it = files.find(name);
    if (it == files.end()) return fail(Code::not_found, "the disk keeps no " + name);
    return it->second;
  }
  Status keep(const std::string& name, std::string_view text) override {
    files[name] = text;
    return {};
  }

  std::vector<DiskFacts> disks;
  int looked = 0;
  int appears_at = 1;
  bool uefi = false;
  bool started_open = false;
  std::string root;
  std::map<std::string, std::string> start;
  std::map<std::string, std::string> files;
  std::vector<std::string> did;
};

}  // namespace drover::nodeboot::testing
