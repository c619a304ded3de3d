#include "boot/script/template.hpp"

#include "boot/script/built_in.hpp"
#include "boot/script/late.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drover::boot::script {
namespace {

std::string rendered(const std::string& text, const Values& values) {
  const auto parsed = Template::parse("t", text);
  if (!parsed) return parsed.error().text();
  const auto out = parsed->render(values);
  return out ? *out : out.error().text();
}

Values some() {
  Values out;
  out.all = {{"name", "n1"}, {"args", "a=1 b=2"}, {"root.sha256", ""}};
  out.initrds = {{{"initrd.name", "initrd0"}, {"initrd.url", "http://s/0"}},
                 {{"initrd.name", "initrd1"}, {"initrd.url", "http://s/1"}}};
  return out;
}

TEST(Template, PutsValuesAndLeavesAllElseAlone) {
  EXPECT_EQ(rendered("{{name}}: ${net0/mac} {{ args }}}\n", some()), "n1: ${net0/mac} a=1 b=2}\n");
  EXPECT_EQ(rendered("", some()), "");
  EXPECT_EQ(rendered("no newline {{name}}", some()), "no newline n1");
}

TEST(Template, RepeatsForEachInitrdAndAsksIf) {
  EXPECT_EQ(
      rendered("{{each initrds}}\ninitrd --name {{initrd.name}} {{initrd.url}}\n{{end}}\nboot",
               some()),
      "initrd --name initrd0 http://s/0\ninitrd --name initrd1 http://s/1\nboot");
  EXPECT_EQ(rendered("{{each initrds}}{{initrd.url}} {{end}}.", some()), "http://s/0 http://s/1 .");
  EXPECT_EQ(
      rendered("{{if root.sha256}}\nroot={{root.sha256}}\n{{end}}\n{{if name}}yes{{end}}", some()),
      "yes");
}

TEST(Template, NamesTheLineOfWhatIsWrong) {
  EXPECT_EQ(rendered("a\nb\n{{kernel.ur}}\n", some()),
            "template t, line 3: there is no variable 'kernel.ur'; did you mean kernel.url?");
  EXPECT_EQ(rendered("{{image}}", some()), "template t, line 1: image has no value");
  EXPECT_EQ(rendered("x {{name", some()), "template t, line 1: {{ without }}");
  EXPECT_EQ(rendered("\n{{end}}", some()), "template t, line 2: {{end}} without a beginning");
  EXPECT_EQ(rendered("\n{{if name}}\n\n", some()),
            "template t, line 2: what begins here has no {{end}}");
  EXPECT_EQ(rendered("{{each disks}}{{end}}", some()),
            "template t, line 1: there is no list 'disks': expected initrds");
  EXPECT_EQ(rendered("{{initrd.url}}", some()),
            "template t, line 1: initrd.url is known inside {{each initrds}} alone");
  EXPECT_EQ(rendered("{{attr.x.rack}}", some()), "template t, line 1: attr.x.rack has no value");
  EXPECT_EQ(rendered("{{attr.colour}}", some()),
            "template t, line 1: there is no variable 'attr.colour'");
  std::string deep;
  for (int i = 0; i < 9; ++i) deep += "{{if name}}";
  EXPECT_EQ(rendered(deep, some()), "template t, line 1: nested deeper than 8");
  EXPECT_FALSE(Template::parse("t", std::string(Template::kMaxText + 1, 'x')));
}

TEST(Template, EveryBuiltInOneIsThere) {
  for (const Loader loader : {Loader::ipxe, Loader::grub, Loader::disk}) {
    for (const Purpose purpose :
         {Purpose::network, Purpose::disk, Purpose::unknown, Purpose::refused}) {
      EXPECT_FALSE(built_in(loader, purpose).name().empty())
          << static_cast<int>(loader) << " " << static_cast<int>(purpose);
    }
  }
}

TEST(LateText, PutsInWhatIsKnownLast) {
  const LateText text(fmt::format("http://{}:8080/?retry={}&t={} wait {} {}\x01",
                                  mark(Late::server), mark(Late::again), mark(Late::token),
                                  mark(Late::delay), mark(Late::tries)));
  EXPECT_EQ(
      text.render({.server = "10.0.0.1", .token = "abc", .source = {}, .mac = {}, .tries = 0}),
      "http://10.0.0.1:8080/?retry=1&t=abc wait 1 0\x01");
  EXPECT_EQ(text.render(
                {.server = "[fd77::1]", .token = "", .source = {}, .mac = {}, .tries = UINT32_MAX}),
            "http://[fd77::1]:8080/?retry=4294967295&t= wait 30 4294967295\x01");
  EXPECT_EQ(LateText("plain").render({}), "plain");
  const LateText address("ns=" + mark(Late::address));
  const auto of = [&](std::string_view server) {
    return address.render({.server = server, .token = {}, .source = {}, .mac = {}, .tries = 0});
  };
  EXPECT_EQ(of("10.0.0.1"), "ns=10.0.0.1");
  EXPECT_EQ(of("[fd77::1]"), "ns=fd77::1");
  EXPECT_EQ(of("["), "ns=[");
  EXPECT_EQ(LateText(mark(Late::source))
                .render({.server = {}, .token = {}, .source = "10.0.0.9", .mac = {}, .tries = 0}),
            "10.0.0.9");
  EXPECT_EQ(delay_after(4), 16U);
  EXPECT_EQ(delay_after(5), 30U);
}

}  // namespace
}  // namespace drover::boot::script
