// OCI layouts: which layers are meant, what of them is believed, and what an archive may do to the
// layers below it.
#include "boot/image/oci.hpp"

#include "boot/image/layer.hpp"
#include "net/sha256.hpp"
#include "sim/sim_disk.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::boot::image {
namespace {

constexpr std::string_view kManifestType = "application/vnd.oci.image.manifest.v1+json";
constexpr std::string_view kLayerType = "application/vnd.oci.image.layer.v1.tar+gzip";

class OciTest : public ::testing::Test {
 protected:
  OciTest() { EXPECT_TRUE(disk.make_dirs("/oci/blobs/sha256", 0755)); }
  std::string put(const std::string& bytes) {
    const std::string digest = net::sha256_hex(bytes);
    EXPECT_TRUE(disk.write_atomic("/oci/blobs/sha256/" + digest, bytes, 0644));
    return digest;
  }
  static std::string descriptor(std::string_view type, const std::string& digest, size_t size,
                                const std::string& more = "") {
    return fmt::format(R"({{"mediaType":"{}","digest":"sha256:{}","size":{}{}}})", type, digest,
                       size, more);
  }
  std::string image(const std::vector<std::string>& layers, std::string_view type = kLayerType) {
    std::string list;
    for (const std::string& layer : layers) {
      if (!list.empty()) list += ",";
      list += descriptor(type, put(layer), layer.size());
    }
    return fmt::format(R"({{"schemaVersion":2,"config":{{}},"layers":[{}]}})", list);
  }
  void index(const std::string& entries) {
    ASSERT_TRUE(disk.write_atomic("/oci/index.json", R"({"manifests":[)" + entries + "]}", 0644));
  }
  std::string entry(const std::string& document, const std::string& more = "",
                    std::string_view type = kManifestType) {
    return descriptor(type, put(document), document.size(), more);
  }
  Result<std::vector<OciBlob>> find(const std::string& tag = {}) {
    Callback<void(std::string_view)> quiet;
    return find_oci_layers(disk, "/oci", "x86_64", tag, quiet);
  }
  sim::SimDisk disk;
};

TEST_F(OciTest, TheLayersOfTheOnlyImage) {
  index(entry(image({"lower", "upper"})));
  const auto layers = find();
  ASSERT_TRUE(layers) << layers.error().text();
  ASSERT_EQ(layers->size(), 2U);
  EXPECT_EQ((*layers)[0].sha256, net::sha256_hex("lower"));
  EXPECT_EQ(oci_path("/oci", (*layers)[1]), "/oci/blobs/sha256/" + net::sha256_hex("upper"));
}

TEST_F(OciTest, OfSeveralTheOneOfThisMachineOrOfTheTag) {
  const auto platform = [](const char* arch) {
    return fmt::format(R"(,"platform":{{"architecture":"{}","os":"linux"}})", arch);
  };
  const auto tagged = [](const char* tag) {
    return fmt::format(R"(,"annotations":{{"org.opencontainers.image.ref.name":"{}"}})", tag);
  };
  const std::string amd = entry(image({"amd"}), platform("amd64"));
  const std::string arm = entry(image({"arm"}), platform("arm64"));
  const std::string proof = entry(image({"proof"}), platform("unknown"));
  index(amd + "," + arm + "," + proof);
  EXPECT_EQ(find().value()[0].sha256, net::sha256_hex("amd"));
  index(entry(R"({"manifests":[)" + amd + "," + arm + "]}", "",
              "application/vnd.oci.image.index.v1+json"));
  EXPECT_EQ(find().value()[0].sha256, net::sha256_hex("amd")) << "an index in an index";
  index(entry(image({"one"}), tagged("site:1")) + "," + entry(image({"two"}), tagged("site:2")));
  const auto both = find();
  ASSERT_FALSE(both);
  EXPECT_NE(both.error().text().find("site:1, site:2"), std::string::npos);
  EXPECT_EQ(find("2").value()[0].sha256, net::sha256_hex("two"));
  EXPECT_EQ(find("site:1").value()[0].sha256, net::sha256_hex("one"));
  EXPECT_EQ(find("3").error().code, Code::not_found);
}

TEST_F(OciTest, NothingIsTakenThatIsNotWhatItsNameSays) {
  const std::string layer = net::sha256_hex("upper");
  index(entry(image({"lower", "upper"})));
  ASSERT_TRUE(disk.write_atomic("/oci/blobs/sha256/" + layer, "uppeR", 0644));
  EXPECT_EQ(find().error().code, Code::corrupt);
  ASSERT_TRUE(disk.remove("/oci/blobs/sha256/" + layer));
  EXPECT_EQ(find().error().code, Code::not_found);
  const std::string manifest = image({"lower"});
  index(entry(manifest));
  ASSERT_TRUE(
      disk.write_atomic("/oci/blobs/sha256/" + net::sha256_hex(manifest), manifest + " ", 0644));
  EXPECT_EQ(find().error().code, Code::corrupt);
  index(entry(image({"x"}, "application/vnd.example.model")));
  EXPECT_EQ(find().error().code, Code::unsupported) << "no image of containers";
  index(entry(image({})));
  EXPECT_EQ(find().error().code, Code::corrupt);
  for (const char* bad : {"", "[]", "{}", R"({"manifests":[{"digest":"md5:00","size":1}]})",
                          R"({"manifests":[{"digest":"sha256:../../etc/passwd","size":1}]})",
                          R"({"manifests":[{"digest":"sha256:00","size":-1}]})"}) {
    ASSERT_TRUE(disk.write_atomic("/oci/index.json", bad, 0644));
    EXPECT_FALSE(find()) << bad;
  }
}

std::string line(char kind, const std::string& name) {
  return fmt::format("{}rwxr-xr-x 0/0    12 2026-11-22 08:00:00 {}\n", kind, name);
}
std::vector<LayerEntry> entries(const std::string& listing) {
  auto read = read_layer_list(listing);
  EXPECT_TRUE(read) << read.error().text();
  return read.value_or(std::vector<LayerEntry>{});
}

TEST(OciLayerList, NamesAsTarQuotesThem) {
  const auto read =
      entries(line('d', "./") + line('d', "./etc/") + line('-', "etc/a b\\nc\\\\d\\303\\244") +
              line('l', "lib -> usr/lib") + line('h', "./bin/x link to ./bin/y") +
              "crw-rw-rw- 0/0 1,3 2026-11-22 08:00:00 dev/null\n");
  ASSERT_EQ(read.size(), 5U);
  EXPECT_EQ(read[0], (LayerEntry{"etc", "", true}));
  EXPECT_EQ(read[1].path, "etc/a b\nc\\d\303\244");
  EXPECT_EQ(read[2].path, "lib");
  EXPECT_EQ(read[3], (LayerEntry{"bin/x", "bin/y", false}));
  EXPECT_EQ(read[4].path, "dev/null");
  for (const char* bad : {"../x", "a/../../x", "a/.."}) {
    EXPECT_FALSE(read_layer_list(line('-', bad))) << bad;
    EXPECT_FALSE(read_layer_list(line('h', fmt::format("x link to {}", bad)))) << bad;
  }
  EXPECT_FALSE(read_layer_list(line('l', "a -> b -> c"))) << "which is the name?";
  EXPECT_FALSE(read_layer_list(line('l', "a")));
  EXPECT_FALSE(read_layer_list("x\n"));
}

TEST(OciLayerPlan, WhiteoutsHideWhatIsBelow) {
  const auto tree = [](const std::string& path) {
    if (path == "etc" || path == "srv") return TreeHas::folder;
    if (path == "opt") return TreeHas::link;
    return path == "etc/motd" ? TreeHas::file : TreeHas::nothing;
  };
  const auto plan =
      plan_layer(entries(line('-', "etc/.wh.motd") + line('-', ".wh.old") +
                         line('-', "var/.wh..wh..opq") + line('-', ".wh..wh.plnk") +
                         line('d', "opt/") + line('-', "opt/tool") + line('-', "srv")),
                 tree);
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->remove, (std::vector<std::string>{"etc/motd", "old", "opt", "srv"}));
  EXPECT_EQ(plan->empty, std::vector<std::string>{"var"});
  EXPECT_FALSE(plan_layer(entries(line('-', "etc/.wh.")), tree));
  EXPECT_FALSE(plan_layer(entries(line('-', "etc/.wh...")), tree));
}

TEST(OciLayerPlan, NothingReachesThroughALinkOfALayerBelow) {
  const auto tree = [](const std::string& path) {
    return path == "out" ? TreeHas::link : TreeHas::nothing;
  };
  for (const std::string& bad :
       {line('-', "out/passwd"), line('d', "out/x/"), line('-', "out/.wh.passwd"),
        line('-', "out/.wh..wh..opq"), line('h', "shadow link to out/shadow"),
        line('-', "out/passwd") + line('d', "out/")}) {
    const auto plan = plan_layer(entries(bad), tree);
    ASSERT_FALSE(plan) << bad;
    EXPECT_EQ(plan.error().code, Code::denied);
  }
  EXPECT_TRUE(plan_layer(entries(line('d', "out/") + line('-', "out/passwd")), tree))
      << "its own folder stands there by then";
}

}  // namespace
}  // namespace drover::boot::image
