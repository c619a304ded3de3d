// Images from folders, archives, squashfs and kernels alone, by the real tools.
#include "boot/image/import.hpp"

#include "boot/image/kernel_finder.hpp"
#include "os/command.hpp"
#include "os/real_disk.hpp"
#include "os/real_random.hpp"
#include "os/test_folder.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace drover::boot::image {
namespace {

namespace fs = std::filesystem;

/// A file that says of itself that it is an x86 kernel of that release.
std::string kernel_file(const std::string& release) {
  std::string out(0x1000, '\0');
  out.replace(0x202, 4, "HdrS");
  out[0x20e] = '\x00';
  out[0x20f] = '\x04';  // the text is at 0x600
  out.replace(0x600, release.size(), release);
  return out;
}

Result<os::CommandOutput> sh(const std::string& script) {
  os::CommandLine command;
  command.program = "/bin/sh";
  command.arguments = {"-c", script};
  return os::run_command(std::move(command));
}

class ImportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!os::has_program("mksquashfs")) GTEST_SKIP() << "squashfs-tools is not installed";
    make_tree("tree");
  }

  /// A root file system with the kernels 6.9.1 and 6.10.2, of which the first has modules.
  void make_tree(const std::string& name) {
    folder_.write(name + "/boot/vmlinuz-6.9.1", kernel_file("6.9.1 (x@y)"));
    folder_.write(name + "/boot/vmlinuz-6.10.2", kernel_file("6.10.2 (x@y)"));
    folder_.write(name + "/boot/vmlinuz-0-rescue", kernel_file("0-rescue"));
    folder_.write(name + "/usr/lib/modules/6.9.1/modules.dep", "kernel/e1000.ko:\n");
    folder_.write(name + "/usr/lib/modules/6.9.1/kernel/e1000.ko", "module");
    folder_.link(name + "/lib", "usr/lib");
    folder_.write(name + "/etc/os-release", "ID=test\n");
    folder_.write(name + "/etc/machine-id", "0123\n");
    folder_.write(name + "/etc/ssh/ssh_host_rsa_key", "secret\n");
    folder_.write(name + "/tmp/junk", "junk");
    ASSERT_TRUE(sh("find '" + folder_.path() + "' -exec touch -h -d @1000000000 {} +"));
  }
  Result<Imported> import(const ImportRequest& request) {
    ImportEvents events;
    events.step = [this](std::string_view step) { steps_.emplace_back(step); };
    return import_image(disk_, blobs_, request, events, from_unix_ms(1000));
  }
  ImportRequest from(const std::string& source) const {
    ImportRequest request;
    request.source = source;
    request.agent = "/bin/true";
    request.all_root = true;
    request.level = 1;
    return request;
  }
  /// What is in an image's root, as unsquashfs lists it.
  std::string listing(const Imported& imported) {
    const auto out = sh("unsquashfs -lls " + blobs_.path(imported.version.root->sha256));
    return out ? out->out : out.error().text();
  }

  os::testing::TestFolder folder_;
  os::RealDisk disk_;
  os::RealRandom random_;
  BlobStore blobs_{disk_, random_, folder_ / "images"};
  std::vector<std::string> steps_;
};

TEST_F(ImportTest, AFolderBecomesARootWithItsKernel) {
  const auto imported = import(from(folder_ / "tree"));
  ASSERT_TRUE(imported) << imported.error().text();
  const cluster::ImageVersion& version = imported->version;
  EXPECT_EQ(version.kernel.version, "6.9.1");  // the newest that has modules
  EXPECT_EQ(version.arch, "x86_64");
  EXPECT_EQ(version.kernel.sha256, net::sha256_hex(kernel_file("6.9.1 (x@y)")));
  ASSERT_EQ(version.initrds.size(), 1);
  EXPECT_EQ(version.initrds[0].what, "drover");
  EXPECT_EQ(version.source, "folder " + folder_ / "tree");
  EXPECT_EQ(version.created, from_unix_ms(1000));
  EXPECT_EQ(version.digest, net::sha256_hex(cluster::canonical_image_text(version)));
  for (const std::string& blob :
       {version.kernel.sha256, version.initrds[0].sha256, version.root->sha256}) {
    EXPECT_TRUE(blobs_.verify(blob)) << blob;
  }
  EXPECT_EQ(disk_.list(folder_ / "images/tmp")->size(), 0);
  const std::string files = listing(*imported);
  EXPECT_NE(files.find("squashfs-root/etc/os-release"), std::string::npos) << files;
  EXPECT_NE(files.find("squashfs-root/proc\n"), std::string::npos) << files;
  EXPECT_EQ(files.find("junk"), std::string::npos) << files;
  // What makes a machine one of its kind stays behind.
  EXPECT_EQ(files.find("ssh_host"), std::string::npos) << files;
  EXPECT_TRUE(sh("unsquashfs -lls " + blobs_.path(version.root->sha256) +
                 " etc/machine-id | grep -E 'root/root +0 '"));
  EXPECT_EQ(steps_.front(), "kernel 6.9.1 (x86_64)");
}

TEST_F(ImportTest, TheSameTreeHasTheSameDigestWhereverItCameFrom) {
  const auto folder = import(from(folder_ / "tree"));
  ASSERT_TRUE(folder) << folder.error().text();
  ASSERT_TRUE(sh("cp -a '" + folder_ / "tree" + "' '" + folder_ / "copy" + "'"));
  const auto copy = import(from(folder_ / "copy"));
  ASSERT_TRUE(copy) << copy.error().text();
  EXPECT_EQ(copy->version.digest, folder->version.digest);

  ASSERT_TRUE(sh("tar -C '" + folder_ / "tree" + "' -czf '" + folder_ / "tree.tar.gz" + "' ."));
  const auto tar = import(from(folder_ / "tree.tar.gz"));
  ASSERT_TRUE(tar) << tar.error().text();
  EXPECT_EQ(tar->kind, SourceKind::tar);
  EXPECT_EQ(tar->version.digest, folder->version.digest);

  const std::string packed = blobs_.path(folder->version.root->sha256);
  const auto squashed = import(from(packed));
  ASSERT_TRUE(squashed) << squashed.error().text();
  EXPECT_EQ(squashed->kind, SourceKind::squashfs);
  EXPECT_EQ(squashed->version.digest, folder->version.digest);
  // Four imports, one image.
  EXPECT_EQ(blobs_.list()->size(), 3);

  folder_.write("tree/etc/os-release", "ID=changed\n");
  const auto changed = import(from(folder_ / "tree"));
  ASSERT_TRUE(changed);
  EXPECT_NE(changed->version.digest, folder->version.digest);
}

TEST_F(ImportTest, AKernelAloneMakesALeanImage) {
  ImportRequest request = from("");
  request.kernel = folder_ / "tree/boot/vmlinuz-6.9.1";
  request.modules = folder_ / "tree/usr/lib/modules/6.9.1";
  const auto lean = import(request);
  ASSERT_TRUE(lean) << lean.error().text();
  EXPECT_EQ(lean->version.root, std::nullopt);
  EXPECT_EQ(lean->version.kernel.version, "6.9.1");
  EXPECT_EQ(lean->version.initrds.size(), 1);
  EXPECT_TRUE(lean->notes.empty());

  request.modules.clear();
  const auto built_in = import(request);
  ASSERT_TRUE(built_in) << built_in.error().text();
  EXPECT_EQ(built_in->notes.size(), 1);  // no modules for 6.9.1 on this host
  request.extra_modules = {"nvme"};
  EXPECT_EQ(import(request).error().code, Code::not_found);
  EXPECT_EQ(import(from("")).error().code, Code::invalid_argument);
}

TEST_F(ImportTest, OneOfSeveralKernelsMayBeChosen) {
  ImportRequest request = from(folder_ / "tree");
  request.kernel_version = "6.10.2";
  EXPECT_EQ(import(request)->version.kernel.version, "6.10.2");
  request.kernel_version = "5.0";
  const auto missing = import(request);
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().text().find("it has 6.10.2, 6.9.1"), std::string::npos)
      << missing.error().text();
}

TEST_F(ImportTest, IdentityAndExcludesAreTheCallersToChoose) {
  ImportRequest request = from(folder_ / "tree");
  request.keep_identity = true;
  request.excludes = {"etc/os-*"};
  const auto imported = import(request);
  ASSERT_TRUE(imported) << imported.error().text();
  const std::string files = listing(*imported);
  EXPECT_NE(files.find("ssh_host_rsa_key"), std::string::npos);
  EXPECT_EQ(files.find("os-release"), std::string::npos);
}

TEST_F(ImportTest, RefusesWhatIsNoImage) {
  EXPECT_EQ(import(from(folder_ / "none")).error().code, Code::not_found);
  folder_.write("text", "hello");
  EXPECT_EQ(import(from(folder_ / "text")).error().code, Code::unsupported);
  folder_.write("broken.tar.gz", std::string("\x1f\x8b") + "rubbish");
  const auto broken = import(from(folder_ / "broken.tar.gz"));
  ASSERT_FALSE(broken);
  EXPECT_NE(broken.error().text().find("gzip"), std::string::npos) << broken.error().text();
  folder_.write("broken.squashfs", "hsqs rubbish");
  EXPECT_FALSE(import(from(folder_ / "broken.squashfs")));
  folder_.write("empty/etc/hostname", "x");
  const auto empty = import(from(folder_ / "empty"));
  ASSERT_FALSE(empty);
  EXPECT_NE(empty.error().text().find("has no kernel"), std::string::npos);
  folder_.write("text-kernel/boot/vmlinuz-1", "no kernel at all");
  EXPECT_EQ(import(from(folder_ / "text-kernel")).error().code, Code::invalid_argument);
  // Nothing stays of any of them but kernels.
  EXPECT_EQ(disk_.list(folder_ / "images/tmp").value_or(std::vector<std::string>{}).size(), 0);
}

TEST_F(ImportTest, AKernelOutsideOfTheTreeIsNotTaken) {
  folder_.write("secret", kernel_file("9.9"));
  folder_.link("evil/boot/vmlinuz-9.9", folder_ / "secret");
  const auto link = import(from(folder_ / "evil"));
  ASSERT_FALSE(link);
  EXPECT_EQ(link.error().code, Code::denied);
  EXPECT_NE(link.error().text().find("leads out of the image"), std::string::npos);
  folder_.link("tree/usr/lib/modules/6.9.1/kernel/evil.ko", folder_ / "secret");
  EXPECT_EQ(import(from(folder_ / "tree")).error().code, Code::denied);
  EXPECT_TRUE(blobs_.list()->empty());
}

TEST(KernelFinderTest, KnowsKernelsByTheirFirstBytes) {
  EXPECT_EQ(*kernel_arch(kernel_file("6.1")), "x86_64");
  EXPECT_EQ(kernel_release(kernel_file("6.1.0-56-cloud-amd64 (debian)")), "6.1.0-56-cloud-amd64");
  std::string arm(4096, '\0');
  arm.replace(56, 4, "ARM\x64");
  EXPECT_EQ(*kernel_arch(arm), "aarch64");
  std::string pe(4096, '\0');
  pe.replace(0, 2, "MZ");
  pe[0x3c] = '\x80';
  pe.replace(0x80, 6, std::string("PE\0\0\x64\x86", 6));
  EXPECT_EQ(*kernel_arch(pe), "x86_64");
  pe[0x3c] = '\xff';
  pe[0x3d] = '\xff';
  for (const std::string& bad :
       {pe, std::string(), std::string("MZ"), std::string("hello"), std::string(5000, '\xff')}) {
    EXPECT_FALSE(kernel_arch(bad));
    EXPECT_EQ(kernel_release(bad), "");
  }
  // A header that points behind the end.
  std::string cut = kernel_file("6.1").substr(0, 0x300);
  cut[0x20f] = '\x7f';
  EXPECT_EQ(kernel_release(cut), "");
}

}  // namespace
}  // namespace drover::boot::image
