// The initramfs and its parts: archives that cpio(1) unpacks to what was put in, libraries and
// modules with all they need, and files that are not what they claim.
#include "boot/image/initramfs.hpp"

#include "boot/image/cpio.hpp"
#include "boot/image/elf.hpp"
#include "os/real_disk.hpp"
#include "os/test_folder.hpp"
#include "sim/sim_disk.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace drover::boot::image {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write(Disk& disk, const std::string& path, std::string_view bytes) {
  ASSERT_TRUE(disk.make_dirs(path.substr(0, path.rfind('/')), 0755));
  ASSERT_TRUE(disk.write_atomic(path, bytes, 0644));
}

/// This program stands in for the agent: it has libraries too.
std::string own_program() {
  return fs::read_symlink("/proc/self/exe");
}

/// Unpacks with the system's cpio; devices are left out, as making them takes root.
fs::path unpack(const std::string& folder, const std::string& archive) {
  const fs::path out = fs::path(folder) / "root";
  fs::create_directory(out);
  std::ofstream(folder + "/archive", std::ios::binary) << archive;
  const std::string command = fmt::format(
      "cd {}/root && cpio --quiet -idm --no-absolute-filenames -f 'dev/*' < ../archive", folder);
  EXPECT_EQ(std::system(command.c_str()), 0);
  return out;
}

TEST(CpioTest, UnpacksToWhatWasPutIn) {
  const os::testing::TestFolder folder;
  Cpio cpio;
  ASSERT_TRUE(cpio.file("/usr/bin/tool", "body", 0755));
  ASSERT_TRUE(cpio.file("a", "", 0600));
  ASSERT_TRUE(cpio.link("/init", "usr/bin/tool"));
  ASSERT_TRUE(cpio.folder("/tmp", 01777));
  ASSERT_TRUE(cpio.device("/dev/console", false, 5, 1, 0600));
  const auto bytes = cpio.bytes();
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes->size() % 512, 0U);
  const fs::path root = unpack(folder.path(), *bytes);
  EXPECT_EQ(text_of(root / "usr/bin/tool"), "body");
  EXPECT_EQ(text_of(root / "init"), "body") << "through the link";
  EXPECT_EQ(fs::status(root / "usr/bin/tool").permissions(), fs::perms{0755});
  EXPECT_EQ(fs::status(root / "tmp").permissions(), fs::perms{01777});
  EXPECT_TRUE(fs::is_regular_file(root / "a"));
}

TEST(CpioTest, OrderOfPuttingDoesNotMatter) {
  Cpio one;
  ASSERT_TRUE(one.file("b", "2", 0644));
  ASSERT_TRUE(one.file("a/c", "1", 0644));
  Cpio two;
  ASSERT_TRUE(two.file("a/c", "1", 0644));
  ASSERT_TRUE(two.file("b", "2", 0644));
  EXPECT_EQ(*one.bytes(), *two.bytes());
}

TEST(CpioTest, PathsThatLeadOutsideAreRefused) {
  Cpio cpio;
  for (const std::string_view path : {"", "/", "../a", "a/../b", "a//b", "a/", "./a"}) {
    const Status put = cpio.file(path, "x", 0644);
    ASSERT_FALSE(put) << path;
    EXPECT_EQ(put.error().code, Code::invalid_argument) << path;
  }
  ASSERT_TRUE(cpio.file("file", "x", 0644));
  EXPECT_EQ(cpio.file("file/below", "x", 0644).error().code, Code::conflict);
  EXPECT_EQ(cpio.entries(), 1U);
}

TEST(ElfTest, ReadsAProgramAndKeepsWhatRuns) {
  const std::string bytes = text_of(own_program());
  const auto facts = read_elf(bytes);
  ASSERT_TRUE(facts) << facts.error().text();
  EXPECT_NE(facts->interpreter.find("ld-linux"), std::string::npos);
  EXPECT_TRUE(std::ranges::find(facts->needed, "libc.so.6") != facts->needed.end());
  const auto kept = without_sections(bytes);
  ASSERT_TRUE(kept);
  EXPECT_LT(kept->size(), bytes.size()) << "tests carry debugging notes";
  const auto again = read_elf(*kept);
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(again->needed, facts->needed);
  // It must still run.
  const os::testing::TestFolder folder;
  const std::string path = folder.path() + "/program";
  std::ofstream(path, std::ios::binary) << *kept;
  fs::permissions(path, fs::perms{0755});
  EXPECT_EQ(std::system((path + " --gtest_filter=CpioTest.OrderOf* > /dev/null").c_str()), 0);
}

TEST(ElfTest, EveryCutIsRefusedOrReadInside) {
  const std::string whole = text_of(own_program());
  EXPECT_EQ(read_elf("#!/bin/sh\n").error().code, Code::unsupported);
  EXPECT_EQ(read_elf("").error().code, Code::unsupported);
  for (size_t cut = 0; cut < 1024; cut += 7) {
    EXPECT_FALSE(read_elf(std::string_view(whole).substr(0, cut))) << cut;
  }
  std::string wild = whole.substr(0, 1 << 20);
  for (size_t at = 16; at < 1024; at += 5) {
    std::string bent = wild;
    for (size_t i = at; i < at + 8; ++i) bent[i] = '\xff';
    (void)read_elf(bent);  // an answer, whatever it is
  }
}

TEST(ElfTest, ALoaderWhoseNameGoesOnBehindItsSegmentIsRefused) {
  std::string bytes = text_of(own_program());
  // Program headers of 56 bytes follow the file's 64; the type is first, the bytes in the file
  // at 32.
  constexpr char kInterpreter = 3;
  size_t at = 64;
  while (at < 1024 && bytes[at] != kInterpreter) at += 56;
  ASSERT_LT(at, 1024U);
  --bytes[at + 32];
  const auto facts = read_elf(bytes);
  ASSERT_FALSE(facts) << "without sections the rest of the name would be gone";
  EXPECT_EQ(facts.error().code, Code::corrupt);
}

TEST(InitramfsTest, AProgramWithAllItsLibraries) {
  os::RealDisk disk;
  InitramfsRequest request;
  request.agent = own_program();
  request.compression = Compression::none;
  request.extra.push_back({"/etc/motto", "be kind\n", 0600});
  const auto made = make_initramfs(disk, request);
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(made->unpacked_bytes, made->bytes.size());
  const os::testing::TestFolder folder;
  const fs::path root = unpack(folder.path(), made->bytes);
  EXPECT_EQ(fs::read_symlink(root / "init"), "usr/sbin/drover-compute");
  EXPECT_EQ(text_of(root / "etc/motto"), "be kind\n");
  // The loader of the archive finds everything in the archive alone.
  std::string dirs;
  for (const std::string& dir : request.library_dirs) dirs += root.string() + dir + ":";
  const auto facts = read_elf(text_of(own_program()));
  ASSERT_TRUE(facts);
  const std::string list = folder.path() + "/list";
  ASSERT_EQ(std::system(fmt::format("{0}{1} --inhibit-cache --library-path {2} --list "
                                    "{0}/usr/sbin/drover-compute > {3}",
                                    root.string(), facts->interpreter, dirs, list)
                            .c_str()),
            0);
  std::ifstream lines(list);
  int inside = 0;
  for (std::string line; std::getline(lines, line);) {
    const size_t arrow = line.find("=> /");
    if (arrow == std::string::npos) continue;
    EXPECT_EQ(line.find(root.string(), arrow), arrow + 3) << line;
    ++inside;
  }
  EXPECT_GE(inside, 3) << text_of(list);
}

TEST(InitramfsTest, TheSameFilesGiveTheSameBytesInEveryForm) {
  os::RealDisk disk;
  InitramfsRequest request;
  request.agent = "/bin/true";
  for (const auto how : {Compression::none, Compression::gzip, Compression::zstd}) {
    request.compression = how;
    const auto one = make_initramfs(disk, request);
    const auto two = make_initramfs(disk, request);
    ASSERT_TRUE(one);
    ASSERT_TRUE(two);
    EXPECT_TRUE(one->bytes == two->bytes);
    const os::testing::TestFolder folder;
    std::ofstream(folder.path() + "/packed", std::ios::binary) << one->bytes;
    const char* tool = how == Compression::gzip ? "gzip -dc" : "cat";
    if (how == Compression::zstd) {
      EXPECT_TRUE(one->bytes.starts_with("\x28\xb5\x2f\xfd"));
      continue;
    }
    EXPECT_EQ(std::system(fmt::format("{} < {}/packed | cpio --quiet -t | grep -qx init", tool,
                                      folder.path())
                              .c_str()),
              0);
  }
}

TEST(InitramfsTest, ModulesComeWithWhatTheyNeedAndTheirIndex) {
  sim::SimDisk disk;
  const std::string dir = "/lib/modules/6.9.1-x";
  write(disk, "/agent", text_of("/bin/true"));
  os::RealDisk real;
  const auto facts = read_elf(text_of("/bin/true"));
  ASSERT_TRUE(facts);
  write(disk, facts->interpreter, text_of(facts->interpreter));
  for (const std::string& name : facts->needed) {
    for (const std::string& from : InitramfsRequest::default_library_dirs()) {
      if (fs::exists(from + "/" + name))
        write(disk, "/usr/lib/" + name, text_of(from + "/" + name));
    }
  }
  write(disk, dir + "/modules.dep",
        "kernel/net.ko: kernel/b.ko kernel/a.ko\nkernel/b.ko: kernel/a.ko\nkernel/a.ko:\n"
        "kernel/unasked.ko:\n");
  write(disk, dir + "/modules.alias", "alias pci:v1* net\nalias pci:v2* unasked\n");
  write(disk, dir + "/modules.builtin", "kernel/fs/ext4/ext4.ko\n");
  for (const char* name : {"net", "a", "b", "unasked"}) {
    write(disk, dir + "/kernel/" + name + ".ko", std::string("module ") + name);
  }
  InitramfsRequest request;
  request.agent = "/agent";
  request.modules_dir = dir + "/";
  request.modules = {"net", "ext4", "nonesuch"};
  request.compression = Compression::none;
  const auto made = make_initramfs(disk, request);
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(made->kernel_version, "6.9.1-x");
  EXPECT_EQ(made->modules, (std::vector<std::string>{"a", "b", "net"}));
  EXPECT_EQ(made->missing_modules, std::vector<std::string>{"nonesuch"});
  const os::testing::TestFolder folder;
  const fs::path root = unpack(folder.path(), made->bytes);
  EXPECT_EQ(text_of(root / "lib/modules/6.9.1-x/kernel/b.ko"), "module b");
  EXPECT_FALSE(fs::exists(root / "lib/modules/6.9.1-x/kernel/unasked.ko"));
  EXPECT_EQ(text_of(root / "lib/modules/6.9.1-x/modules.alias"), "alias pci:v1* net\n");
  EXPECT_EQ(text_of(root / "lib/modules/6.9.1-x/modules.dep"),
            "kernel/a.ko:\nkernel/b.ko: kernel/a.ko\nkernel/net.ko: kernel/b.ko kernel/a.ko\n");

  ASSERT_TRUE(disk.remove(dir + "/kernel/b.ko"));
  const auto lacking = make_initramfs(disk, request);
  ASSERT_FALSE(lacking);
  EXPECT_NE(lacking.error().text().find("b.ko"), std::string::npos) << lacking.error().text();
}

TEST(InitramfsTest, ALibraryThatIsNowhereIsNamed) {
  os::RealDisk disk;
  InitramfsRequest request;
  request.agent = own_program();
  request.library_dirs = {"/nonesuch"};
  const auto made = make_initramfs(disk, request);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::not_found);
  EXPECT_NE(made.error().message.find("/nonesuch"), std::string::npos);
  request.agent = "/nonesuch/agent";
  EXPECT_NE(make_initramfs(disk, request).error().text().find("/nonesuch/agent"),
            std::string::npos);
}

TEST(InitramfsTest, TheFormFollowsTheKernel) {
  EXPECT_EQ(compression_for("6.1.0-56-cloud-amd64"), Compression::zstd);
  EXPECT_EQ(compression_for("5.9.0"), Compression::zstd);
  EXPECT_EQ(compression_for("5.8.18"), Compression::gzip);
  EXPECT_EQ(compression_for("4.18.0-553.el8"), Compression::gzip);
  EXPECT_EQ(compression_for("nonsense"), Compression::gzip);
  EXPECT_EQ(compression_for("6"), Compression::gzip);
}

}  // namespace
}  // namespace drover::boot::image
