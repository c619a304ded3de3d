// A model for tests, made from store objects as a master would commit them, and images by name.
#pragma once

#include "boot/site/site.hpp"
#include "cluster/model.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace drover::boot::test {

class FakeImages final : public Images {
 public:
  FakeImages() {
    BootImage lean;
    lean.name = "lean";
    lean.digest = std::string(64, 'd');
    lean.arch = "x86_64";
    lean.kernel = {std::string(64, 'a'), 8'000'000, "6.1.0-56"};
    lean.initrds = {{std::string(64, 'b'), 3'000'000, "drover"}};
    BootImage rocky = lean;
    rocky.name = "rocky";
    rocky.initrds.push_back({std::string(64, 'e'), 1'000, "extra"});
    rocky.root = BootBlob{std::string(64, 'c'), 100'000'000, "squashfs"};
    images = {{"lean", lean}, {"rocky", rocky}};
  }
  [[nodiscard]] Result<BootImage> find(const std::string& reference) const override {
    const auto it = images.find(reference);
    if (it != images.end()) return it->second;
    return fail(Code::not_found, "there is no image '" + reference + "'",
                "drover image list shows all of them");
  }
  std::map<std::string, BootImage> images;
};

/// Commits objects to a model and tells a site.
class TestCluster {
 public:
  /// One commit; an empty body erases.
  std::vector<store::Change> commit(
      const std::vector<std::pair<std::string, std::string>>& objects) {
    std::vector<store::Change> changes;
    for (const auto& [id, body] : objects) {
      const size_t slash = id.find('/');
      store::Change change;
      change.sequence = ++sequence_;
      change.kind = id.substr(0, slash);
      change.key = id.substr(slash + 1);
      change.operation = body.empty() ? store::Operation::erase : store::Operation::put;
      if (!body.empty()) change.after = body;
      changes.push_back(std::move(change));
    }
    const Status applied = model.apply(changes);
    EXPECT_TRUE(applied) << (applied ? "" : applied.error().text());
    return changes;
  }
  static std::string node(const std::string& name, const std::string& spec) {
    cluster::Node out;
    out.name = name;
    out.id = "id-" + name;
    auto read = decode_text<cluster::NodeSpec>(spec);
    EXPECT_TRUE(read) << (read ? "" : read.error().text());
    if (read) out.spec = *std::move(read);
    return encode(out);
  }

  cluster::Model model;
  FakeImages images;

 private:
  uint64_t sequence_ = 0;
};

}  // namespace drover::boot::test
