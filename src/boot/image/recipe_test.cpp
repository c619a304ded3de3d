// Recipes read and refused, and what is run for them.
#include "boot/image/recipe.hpp"

#include "os/command.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace drover::boot::image {
namespace {

constexpr std::string_view kDebian =
    "kind: drover-recipe\n"
    "name: debian12\n"
    "suite: bookworm\n"
    "mirrors: [http://deb.example/debian]\n"
    "components: [main, contrib]\n"
    "kernel: linux-image-amd64\n"
    "packages: [systemd-sysv, openssh-server]\n"
    "files:\n"
    "  - {path: /etc/motd, content: 'it''s ours', mode: 0600}\n"
    "  - {path: /etc/chrony.conf, source: chrony.conf}\n"
    "commands:\n"
    "  - systemctl enable ssh\n"
    "  - echo \"it's $HOME\" >/etc/issue\n";

std::string problem(const std::string& text) {
  const auto read = parse_recipe(text, "r.yaml");
  return read ? "none" : read.error().text();
}
bool has(const os::CommandLine& command, std::string_view argument) {
  return std::ranges::find(command.arguments, argument) != command.arguments.end();
}

TEST(Recipe, BecomesOneCommandOfMmdebstrap) {
  const auto recipe = parse_recipe(kDebian, "r.yaml");
  ASSERT_TRUE(recipe) << recipe.error().text();
  EXPECT_EQ(recipe->files[0].mode, "0600") << "as written, not as a number";
  const os::CommandLine command =
      build_command(*recipe, {"/images/root", "/etc/recipes", "/images/s"});
  EXPECT_EQ(command.program, "mmdebstrap");
  EXPECT_TRUE(has(command, "--variant=minbase"));
  EXPECT_TRUE(has(command, "--components=main,contrib"));
  EXPECT_TRUE(has(command, "--include=systemd-sysv,openssh-server,linux-image-amd64"));
  ASSERT_GE(command.arguments.size(), 3U);
  const std::vector<std::string> end(command.arguments.end() - 3, command.arguments.end());
  EXPECT_EQ(end,
            (std::vector<std::string>{"bookworm", "/images/root", "http://deb.example/debian"}));
}

TEST(Recipe, BecomesOneCommandOfDnf) {
  const auto recipe = parse_recipe(
      "kind: drover-recipe\nbuilder: dnf\nsuite: 9\nkernel: none\npackages: ['@core', dnf]\n"
      "mirrors: [https://dl.example/os]\nkeys: [https://dl.example/K, file:///etc/K2]\n",
      "r.yaml");
  ASSERT_TRUE(recipe) << recipe.error().text();
  const os::CommandLine command = build_command(*recipe, {"/images/root", ".", "/images/s"});
  EXPECT_EQ(command.program, "unshare");
  EXPECT_TRUE(has(command, "--installroot=/images/root"));
  EXPECT_TRUE(has(command, "--setopt=recipe0.gpgcheck=1"));
  EXPECT_TRUE(has(command, "--setopt=recipe0.gpgkey=https://dl.example/K file:///etc/K2"));
  EXPECT_TRUE(has(command, "--releasever=9"));
  EXPECT_TRUE(has(command, "--repofrompath=recipe0,https://dl.example/os"));
  EXPECT_TRUE(has(command, "@core"));
  EXPECT_FALSE(has(command, "none"));
}

// The hook is run by a real shell with a chroot(8) that only says what it was given: no quote of a
// recipe may change what runs.
TEST(Recipe, FilesAndCommandsReachTheRootAsTheyAreWritten) {
  namespace fs = std::filesystem;
  char name[] = "/tmp/drover-recipe-XXXXXX";
  const fs::path dir = ::mkdtemp(name);
  const auto put = [&](const char* file, std::string_view text) {
    std::ofstream(dir / file) << text;
  };
  put("chroot",
      "#!/bin/sh\nshift\nprintf '%s|' \"$@\" >>\"$OUT\"\ncat >>\"$OUT\"\necho >>\"$OUT\"\n");
  fs::permissions(dir / "chroot", fs::perms::owner_all);
  put("file-0", "it's ours");
  put("chrony.conf", "pool x");
  const auto recipe = parse_recipe(kDebian, "r.yaml");
  ASSERT_TRUE(recipe);
  const os::CommandLine built = build_command(*recipe, {"/root", dir.string(), dir.string()});
  const auto hook = std::ranges::find_if(built.arguments, [](const std::string& argument) {
    return argument.starts_with("--customize-hook=");
  });
  ASSERT_NE(hook, built.arguments.end());
  os::CommandLine shell;
  shell.program = "sh";
  shell.arguments = {"-c", hook->substr(hook->find('=') + 1), "exec", "/root"};
  shell.environment = {"PATH=" + dir.string() + ":/usr/bin:/bin", "OUT=" + (dir / "out").string()};
  const auto ran = os::run_command(std::move(shell));
  ASSERT_TRUE(ran) << ran.error().text();
  std::stringstream out;
  out << std::ifstream(dir / "out").rdbuf();
  const std::string put_file =
      "sh|-c|mkdir -p \"$(dirname \"$1\")\" && cat >\"$1\" && chmod \"$2\" \"$1\"|sh|";
  EXPECT_EQ(out.str(), put_file + "/etc/motd|0600|it's ours\n" + put_file +
                           "/etc/chrony.conf|0644|pool x\n"
                           "sh|-ec|systemctl enable ssh|\n"
                           "sh|-ec|echo \"it's $HOME\" >/etc/issue|\n");
  fs::remove_all(dir);
}

TEST(Recipe, BadOnesAreRefusedByNameOfTheField) {
  const std::string good = "kind: drover-recipe\nsuite: bookworm\nkernel: none\n";
  EXPECT_EQ(problem(good), "none");
  EXPECT_NE(problem("").find("r.yaml"), std::string::npos);
  EXPECT_NE(problem("kind: drover-recipe\nsuite: bookworm\n").find("kernel"), std::string::npos);
  EXPECT_NE(problem("kind: other\nsuite: x\nkernel: none\n").find("kind"), std::string::npos);
  const std::pair<const char*, const char*> bad[] = {
      {"pakages: [x]\n", "pakages"},
      {"packages: ['-oAPT::x=y']\n", "packages/0"},
      {"packages: ['a,b']\n", "packages/0"},
      {"packages: ['a;b']\n", "packages/0"},
      {"components: ['--x']\n", "components/0"},
      {"mirrors: ['--setup-hook=rm']\n", "mirrors/0"},
      {"mirrors: [\"a\\nb\"]\n", "mirrors/0"},
      {"variant: '../x'\n", "variant"},
      {"arch: '-x'\n", "arch"},
      {"files: [{path: etc/x}]\n", "files/0/path"},
      {"files: [{path: /etc/../../x}]\n", "files/0/path"},
      {"files: [{path: /}]\n", "files/0/path"},
      {"files: [{path: /x, content: a, source: b}]\n", "files/0"},
      {"files: [{path: /x, mode: 'u+s'}]\n", "files/0/mode"},
      {"commands: ['']\n", "commands/0"},
      {"name: 'a b'\n", "name"},
      {"builder: yum\n", "builder"},
  };
  for (const auto& [more, field] : bad) {
    EXPECT_NE(problem(good + more).find(field), std::string::npos)
        << more << ": " << problem(good + more);
  }
  EXPECT_NE(problem(good + "keys: [file:///etc/K]\n").find("keys"), std::string::npos);
  EXPECT_NE(problem(good + "builder: dnf\nkeys: [file:///etc/K]\n").find("keys"),
            std::string::npos);
  EXPECT_NE(problem(good + "builder: dnf\nmirrors: [http://m/]\nkeys: ['--x']\n").find("keys/0"),
            std::string::npos);
  EXPECT_NE(problem(good + "builder: dnf\nvariant: minbase\n").find("mmdebstrap"),
            std::string::npos);
}

}  // namespace
}  // namespace drover::boot::image
