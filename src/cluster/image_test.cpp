// Images: their rules, references, versions, tags, rollback, and who keeps one from going.
#include "cluster/image.hpp"

#include "cluster/definition_writer.hpp"
#include "cluster/image_mutations.hpp"
#include "cluster/memory_store.hpp"
#include "cluster/model.hpp"

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

using testing::MemoryTransaction;

/// A digest that begins with those digits.
std::string digest(const std::string& first) {
  return first + std::string(64 - first.size(), '0');
}

ImageVersion version(const std::string& first) {
  ImageVersion out;
  out.digest = digest(first);
  out.arch = "x86_64";
  out.kernel = {digest("aa"), 100, "6.1.0"};
  out.initrds = {{digest("bb"), 50, "drover"}};
  out.root = ImageRoot{digest("cc" + first), 1000, "squashfs"};
  out.source = "directory /srv/" + first;
  return out;
}

template <typename T>
std::string outcome(const T& result) {
  return result ? "ok" : result.error().text();
}

class ImageTest : public ::testing::Test {
 protected:
  std::string put(const std::string& first) {
    return outcome(put_image_version(tx, "rocky9", "", version(first)));
  }
  Image image() { return *read_image(tx, "rocky9"); }
  std::vector<std::string> past() {
    std::vector<std::string> out;
    for (const ImageVersion& old : image().history) out.push_back(old.digest.substr(0, 2));
    return out;
  }
  static ImageReference ref(const std::string& text) {
    return *ImageReference::parse("image", text);
  }
  MemoryTransaction tx;
};

TEST_F(ImageTest, KeepsItsFormThroughJson) {
  const Image before{
      "rocky9", "for compute", version("1a"), {{"prod", digest("1a")}}, {version("2b")}};
  const std::string text = encode(before);
  EXPECT_EQ(*decode_text<Image>(text), before);
  // The current version's fields are the image's own.
  EXPECT_NE(text.find(R"("digest":"1a000)"), std::string::npos) << text;
  EXPECT_EQ(text.find("current"), std::string::npos) << text;
  // A lean image has no root.
  ImageVersion lean = version("3c");
  lean.root.reset();
  EXPECT_NE(encode(lean).find(R"("root":null)"), std::string::npos);
  EXPECT_EQ(decode_text<ImageVersion>(encode(lean))->root, std::nullopt);
}

TEST_F(ImageTest, WhatADigestIsMadeOfLeavesOutWhenAndWhence) {
  ImageVersion one = version("1a");
  ImageVersion same = one;
  same.source = "tar x.tar";
  same.created = from_unix_ms(5);
  same.digest.clear();
  EXPECT_EQ(canonical_image_text(one), canonical_image_text(same));
  same.kernel.version = "6.2.0";
  EXPECT_NE(canonical_image_text(one), canonical_image_text(same));
  EXPECT_EQ(canonical_image_text(one).substr(0, 29), R"({"arch":"x86_64","kernel":{"s)");
}

TEST_F(ImageTest, RefusesWhatCannotBoot) {
  const auto refused = [](auto&& change) {
    Image image{"rocky9", "", version("1a"), {}, {}};
    change(image);
    return outcome(normalise(image));
  };
  EXPECT_EQ(refused([](Image&) {}), "ok");
  EXPECT_EQ(refused([](Image& i) { i.name = "9rocky"; }),
            "name: '9rocky' is not valid: expected a letter or '_' at the beginning");
  EXPECT_EQ(refused([](Image& i) { i.name = "../x"; }),
            "name: '../x' is not valid: expected letters, digits, '.', '_' and '-' alone");
  EXPECT_EQ(refused([](Image& i) { i.current.arch = "pdp11"; }),
            "arch: 'pdp11' is not valid: expected one of x86_64, aarch64, riscv64, ppc64le");
  EXPECT_EQ(refused([](Image& i) { i.current.kernel.sha256 = "AB"; }),
            "kernel.sha256: 'AB' is not valid: expected a SHA-256 of 64 lower-case hex digits");
  EXPECT_EQ(refused([](Image& i) { i.current.kernel.size = 0; }),
            "kernel.size: '0' is not valid: expected the blob's size in bytes, more than nothing");
  EXPECT_EQ(refused([](Image& i) { i.current.root->format = "ext4"; }),
            "root.format: 'ext4' is not valid: expected squashfs");
  EXPECT_NE(refused([](Image& i) {
              i.current.root.reset();
              i.current.initrds.clear();
            }),
            "ok");
  EXPECT_NE(refused([](Image& i) { i.current.initrds.resize(9, i.current.initrds[0]); }), "ok");
  EXPECT_NE(refused([](Image& i) { i.tags["current"] = i.current.digest; }), "ok");
  EXPECT_EQ(refused([](Image& i) { i.tags["prod"] = digest("ff"); }).substr(0, 10), "tags.prod:");
}

TEST_F(ImageTest, ReferencesAreNamesTagsAndDigests) {
  const auto parsed = [](const std::string& text) {
    const auto reference = ImageReference::parse("image", text);
    return reference ? fmt::format("{}|{}|{}", reference->name, reference->tag, reference->digest)
                     : reference.error().text();
  };
  EXPECT_EQ(parsed("rocky9"), "rocky9||");
  EXPECT_EQ(parsed("rocky9:prod"), "rocky9|prod|");
  EXPECT_EQ(parsed("rocky9:current"), "rocky9||");
  EXPECT_EQ(parsed("rocky9@0123abcd"), "rocky9||0123abcd");
  EXPECT_NE(parsed("rocky9@0123abc").find("8 to 64"), std::string::npos);
  EXPECT_NE(parsed("rocky9@0123ABCD").find("hex digits"), std::string::npos);
  for (const char* bad : {"", ":prod", "@", "a b", "rocky9:", "a/b", "rocky9:x:y"}) {
    EXPECT_NE(parsed(bad).find("is not valid"), std::string::npos) << bad;
  }
  EXPECT_EQ(ref("rocky9@0123abcd").text(), "rocky9@0123abcd");
  EXPECT_EQ(ref("rocky9:prod").text(), "rocky9:prod");
}

TEST_F(ImageTest, ANewVersionLeavesTheOldOneForARollback) {
  EXPECT_EQ(put("1a"), "ok");
  EXPECT_EQ(put("2b"), "ok");
  EXPECT_EQ(put("3c"), "ok");
  EXPECT_EQ(image().current, version("3c"));
  EXPECT_EQ(past(), (std::vector<std::string>{"2b", "1a"}));
  // The same files again change nothing.
  const size_t changes = tx.changes.size();
  EXPECT_EQ(put("3c"), "ok");
  EXPECT_EQ(tx.changes.size(), changes);

  EXPECT_TRUE(roll_back_image(tx, ref("rocky9")));
  EXPECT_EQ(image().current, version("2b"));
  EXPECT_EQ(past(), (std::vector<std::string>{"3c", "1a"}));
  EXPECT_TRUE(roll_back_image(tx, ref("rocky9@1a000000")));
  EXPECT_EQ(image().current, version("1a"));
  EXPECT_EQ(past(), (std::vector<std::string>{"2b", "3c"}));
  // An old version imported again is current, and once there.
  EXPECT_EQ(put("3c"), "ok");
  EXPECT_EQ(past(), (std::vector<std::string>{"1a", "2b"}));
  EXPECT_EQ(roll_back_image(tx, ref("rocky9@ffffffff")).error().code, Code::not_found);
  EXPECT_EQ(roll_back_image(tx, ref("suse")).error().code, Code::not_found);
}

TEST_F(ImageTest, ARollbackNeedsSomethingToGoBackTo) {
  EXPECT_EQ(put("1a"), "ok");
  EXPECT_EQ(roll_back_image(tx, ref("rocky9")).error().code, Code::conflict);
}

TEST_F(ImageTest, TagsHoldVersionsThatWouldBeForgotten) {
  EXPECT_EQ(put("f0"), "ok");
  EXPECT_TRUE(tag_image(tx, ref("rocky9"), "prod"));
  for (int i = 10; i < 40; ++i) EXPECT_EQ(put(std::to_string(i)), "ok");
  EXPECT_EQ(past().size(), kImageHistory + 1);
  EXPECT_EQ(past().back(), "f0");
  EXPECT_EQ((*find_version(image(), ref("rocky9:prod")))->digest, digest("f0"));

  EXPECT_TRUE(prune_image(tx, "rocky9", 2));
  EXPECT_EQ(past(), (std::vector<std::string>{"38", "37", "f0"}));
  EXPECT_TRUE(untag_image(tx, "rocky9", "prod"));
  EXPECT_TRUE(prune_image(tx, "rocky9", 0));
  EXPECT_TRUE(past().empty());
  EXPECT_EQ(untag_image(tx, "rocky9", "prod").error().code, Code::not_found);
  EXPECT_FALSE(tag_image(tx, ref("rocky9"), "no spaces"));
}

TEST_F(ImageTest, ShortDigestsMustNameOneVersion) {
  Image twins{"rocky9", "", version("12345678a"), {}, {version("12345678b")}};
  EXPECT_EQ(find_version(twins, ref("rocky9@12345678")).error().code, Code::invalid_argument);
  EXPECT_EQ(*find_version(twins, ref("rocky9@12345678b")), &twins.history[0]);
  EXPECT_EQ(*find_version(twins, ref("rocky9")), &twins.current);
}

TEST_F(ImageTest, CannotGoWhileSomethingBootsIt) {
  EXPECT_EQ(put("1a"), "ok");
  EXPECT_TRUE(tag_image(tx, ref("rocky9"), "prod"));
  DefinitionWriter writer(tx);
  Profile profile;
  profile.name = "gpu";
  profile.attributes["image"] = "rocky9:prod";
  EXPECT_TRUE(writer.put_profile(profile));
  EXPECT_TRUE(writer.finish());
  EXPECT_EQ(outcome(remove_image(tx, "rocky9")), "image 'rocky9' is booted by profile 'gpu'");
  EXPECT_EQ(outcome(untag_image(tx, "rocky9", "prod")),
            "image 'rocky9:prod' is booted by profile 'gpu'");
  // An image whose name merely begins the same is another one.
  profile.attributes["image"] = "rocky9-gpu";
  DefinitionWriter again(tx);
  EXPECT_TRUE(again.put_profile(profile));
  EXPECT_TRUE(again.finish());
  EXPECT_EQ(outcome(untag_image(tx, "rocky9", "prod")), "ok");
  EXPECT_EQ(outcome(remove_image(tx, "rocky9")), "ok");
  EXPECT_EQ(remove_image(tx, "rocky9").error().code, Code::not_found);
}

TEST_F(ImageTest, NamesEachBlobOnce) {
  const Image image{"rocky9", "", version("1a"), {}, {version("2b")}};
  EXPECT_EQ(blobs_of(image),
            (std::vector<std::string>{digest("aa"), digest("bb"), digest("cc1a"), digest("cc2b")}));
}

TEST_F(ImageTest, TheModelFollowsTheStore) {
  EXPECT_EQ(put("1a"), "ok");
  Model model;
  EXPECT_TRUE(model.apply(tx.changes));
  ASSERT_TRUE(model.images().contains("rocky9"));
  EXPECT_EQ(model.images().at("rocky9").value, image());
  EXPECT_EQ(model.images().at("rocky9").revision, 1);
  tx.changes.clear();
  EXPECT_TRUE(remove_image(tx, "rocky9"));
  EXPECT_TRUE(model.apply(tx.changes));
  EXPECT_TRUE(model.images().empty());
}

}  // namespace
}  // namespace drover::cluster
