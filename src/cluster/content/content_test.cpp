#include "base/describe.hpp"
#include "cluster/content/effective.hpp"
#include "cluster/content/mutations.hpp"
#include "cluster/content/owner.hpp"
#include "cluster/definition_writer.hpp"
#include "cluster/memory_store.hpp"

#include <gtest/gtest.h>

namespace drover::cluster {
namespace {

TEST(Owners, AreReadAndRefused) {
  EXPECT_EQ(*parse_owner("f", "group/rack1"), (Owner{AttributeSource::group, "rack1"}));
  EXPECT_EQ(parse_owner("f", "node/n1.c.test")->text(), "node/n1.c.test");
  for (const char* bad :
       {"", "n1", "group/", "group/a/b", "rack/r1", "/n1", "node/N1", "group/1a"}) {
    EXPECT_FALSE(parse_owner("f", bad)) << bad;
  }
}

template <typename T>
std::string problem(const std::string& json) {
  auto value = decode_text<T>(json);
  if (!value) return value.error().text();
  const Status good = normalise(*value);
  return good ? "" : good.error().text();
}

TEST(CloudInitRules, RefuseWhatCloudInitWouldPassOver) {
  EXPECT_EQ(problem<CloudInit>(R"({"name":"group/g","user_data":"#cloud-config\na: 1\n",
      "meta_data":{"region":"r${nid}"}})"),
            "");
  EXPECT_EQ(problem<CloudInit>(R"({"name":"group/g","user_data":"a: 1\n"})"),
            "user_data: 'a: 1' is not valid: its first line is none that cloud-init knows: "
            "#cloud-config, #!, #include, #cloud-boothook, ## template: jinja");
  EXPECT_NE(problem<CloudInit>(R"({"name":"group/g","vendor_data":"#!/bin/sh\n\u0001"})"), "");
  EXPECT_NE(problem<CloudInit>(R"({"name":"group/g","meta_data":{"instance-id":"x"}})"), "");
  EXPECT_NE(problem<CloudInit>(R"({"name":"group/g","meta_data":{"a":"${"}})"), "");
  EXPECT_NE(problem<CloudInit>(R"({"name":"rack1"})"), "");
  EXPECT_EQ(cloud_init_type("#cloud-config-archive\n"), "text/cloud-config-archive");
  EXPECT_EQ(cloud_init_type("#include-once\n"), "text/x-include-once-url");
  EXPECT_EQ(cloud_init_type("hello"), "");
}

TEST(StepRules, SayWhichFieldIsWrong) {
  const auto steps = [](const std::string& step) {
    return problem<StepList>(R"({"name":"profile/p","steps":[)" + step + "]}");
  };
  EXPECT_EQ(steps(R"({"name":"nfs","kind":"mount","source":"fs:/home","target":"/home",
      "type":"nfs","options":"ro"})"),
            "");
  EXPECT_EQ(steps(R"({"name":"a","kind":"command","command":["/usr/bin/true"]},
      {"name":"a","kind":"module","module":"fuse"})"),
            "steps[1].name: 'a' is not valid: a step of this name comes before it");
  EXPECT_EQ(steps(R"({"name":"a","kind":"module","module":"fuse","path":"/x"})"),
            "steps[0].path: '..' is not valid: a step of kind module has no such field");
  for (const char* bad :
       {R"({"name":"a","kind":"command"})", R"({"name":"a","kind":"command","command":["./x"]})",
        R"({"name":"a","kind":"module","module":"../x"})",
        R"({"name":"a","kind":"mount","source":"x","target":"/a/../b"})",
        R"({"name":"a","kind":"file","path":"/proc/x"})",
        R"({"name":"a","kind":"file","path":"/"})",
        R"({"name":"a","kind":"file","path":"/etc/x","mode":"999"})",
        R"({"name":"a","kind":"module","module":"fuse","timeout_s":0})",
        R"({"name":"a b","kind":"module","module":"fuse"})"}) {
    EXPECT_NE(steps(bad), "") << bad;
  }
}

TEST(OverlayRules, KeepFilesInTheirPlace) {
  EXPECT_EQ(problem<Overlay>(R"({"name":"node/n1","files":{"/etc/motd":{"content":"hi ${name}",
      "template":true,"mode":"600","user":"root"}}})"),
            "");
  for (const char* path : {"etc/motd", "/etc/../x", "/etc//x", "/dev/sda", "/", "/etc/x/"}) {
    EXPECT_NE(problem<Overlay>(std::string(R"({"name":"node/n1","files":{")") + path + R"(":{}}})"),
              "")
        << path;
  }
  EXPECT_NE(
      problem<Overlay>(R"({"name":"node/n1","files":{"/a":{"content":"x\n${","template":true}}})"),
      "");
  EXPECT_NE(problem<Overlay>(
                R"({"name":"node/n1","files":{"/a":{"content":"*","encoding":"base64url"}}})"),
            "");
}

class Content : public ::testing::Test {
 protected:
  Content() {
    DefinitionWriter writer(tx_);
    Profile base;
    base.name = "base";
    EXPECT_TRUE(writer.put_profile(base));
    NodeSpec spec;
    spec.profiles = {"base"};
    spec.attributes["rack"] = "7";
    EXPECT_TRUE(writer.add_node("n1", NodeRole::compute, spec, "id1"));
    Group rack;
    rack.name = "rack7";
    rack.nodes = "n1";
    EXPECT_TRUE(writer.put_group(rack));
    EXPECT_TRUE(writer.finish());
  }
  /// The model as the changes so far make it.
  const Model& model() {
    model_ = std::make_unique<Model>();
    EXPECT_TRUE(model_->apply(tx_.changes));
    return *model_;
  }
  testing::MemoryTransaction tx_;
  std::unique_ptr<Model> model_;
};

StepList steps(const std::string& owner,
               const std::vector<std::pair<std::string, std::string>>& list) {
  StepList out;
  out.name = owner;
  for (const auto& [name, program] : list) {
    Step step;
    step.name = name;
    step.command = {program};
    out.steps.push_back(step);
  }
  return out;
}

TEST_F(Content, NeedsAnOwner) {
  EXPECT_EQ(put_content(tx_, steps("group/none", {})).error().code, Code::not_found);
  EXPECT_TRUE(put_content(tx_, steps("group/rack7", {{"a", "true"}})));
  EXPECT_EQ(model().step_lists().size(), 1U);
}

TEST_F(Content, StepsOfStrongerOwnersTakeThePlaceOfWeakerOnes) {
  ASSERT_TRUE(put_content(tx_, steps("profile/base", {{"one", "a"}, {"two", "a"}})));
  ASSERT_TRUE(put_content(tx_, steps("group/rack7", {{"three", "g"}})));
  ASSERT_TRUE(put_content(tx_, steps("node/n1", {{"one", "n"}})));
  const Model& now = model();
  const ModelDefinitions definitions(now);
  const NodeAttributes attributes(now.find("n1")->node(), definitions);
  std::string shown;
  for (const EffectiveStep& each : steps_of(now, attributes)) {
    shown += each.step.name + "=" + each.step.command[0] + " by " + each.origin + "; ";
  }
  EXPECT_EQ(shown, "three=g by group rack7; one=n by node; two=a by profile base of node; ");
}

TEST_F(Content, FilesAreMadeForTheNode) {
  Overlay weak;
  weak.name = "profile/base";
  weak.files["/etc/motd"].content = "weak";
  weak.files["/etc/issue"].content = "x";
  Overlay strong;
  strong.name = "node/n1";
  strong.files["/etc/motd"] = {.content = "${name}\n$${x} in ${rack}\n", .is_template = true};
  strong.files["/etc/bad"] = {.content = "ok\n${nothing}", .is_template = true};
  ASSERT_TRUE(put_content(tx_, weak));
  ASSERT_TRUE(put_content(tx_, strong));
  const Model& now = model();
  const ModelDefinitions definitions(now);
  NodeAttributes attributes(now.find("n1")->node(), definitions);
  const auto files = files_of(now, attributes);
  ASSERT_EQ(files.size(), 3U);
  EXPECT_NE(files[0].problem.find("/etc/bad, line 2"), std::string::npos) << files[0].problem;
  EXPECT_EQ(files[1].file.content, "x");
  EXPECT_EQ(files[2].file.content, "n1\n${x} in 7\n");
  EXPECT_EQ(files[2].overrides, std::vector<std::string>{"profile base of node"});
}

TEST_F(Content, GoesWithItsOwner) {
  CloudInit definition;
  definition.name = "node/n1";
  definition.user_data = "#!/bin/sh\n";
  ASSERT_TRUE(put_content(tx_, definition));
  ASSERT_TRUE(set_secret(tx_, "node/n1", "key", "sealed"));
  DefinitionWriter writer(tx_);
  ASSERT_TRUE(writer.rename_node("n1", "m1"));
  ASSERT_TRUE(writer.finish());
  EXPECT_EQ(model().cloud_inits().begin()->second.value.name, "node/m1");
  EXPECT_EQ(*read_secret(tx_, "node/m1", "key"), "sealed");
  EXPECT_FALSE(read_secret(tx_, "node/n1", "key"));
  DefinitionWriter second(tx_);
  ASSERT_TRUE(second.remove_node("m1"));
  EXPECT_TRUE(model().cloud_inits().empty());
  EXPECT_FALSE(read_secret(tx_, "node/m1", "key"));
}

TEST_F(Content, KeepsNamesOfSecretsWhateverElseIsSaid) {
  ASSERT_TRUE(set_secret(tx_, "group/rack7", "key", "sealed"));
  CloudInit definition;
  definition.name = "group/rack7";
  definition.user_data = "#!/bin/sh\n";
  definition.secrets = {"made-up"};
  ASSERT_TRUE(put_content(tx_, definition));
  EXPECT_EQ(model().cloud_inits().begin()->second.value.secrets, std::vector<std::string>{"key"});
  for (const store::Change& change : tx_.changes) {
    EXPECT_EQ(change.after.value_or("").find("sealed"), std::string::npos);
  }
  EXPECT_EQ(set_secret(tx_, "group/rack7", "../x", "s").error().code, Code::invalid_argument);
  EXPECT_EQ(unset_secret(tx_, "group/rack7", "other").error().code, Code::not_found);
  EXPECT_TRUE(unset_secret(tx_, "group/rack7", "key"));
  EXPECT_FALSE(read_secret(tx_, "group/rack7", "key"));
}

}  // namespace
}  // namespace drover::cluster
