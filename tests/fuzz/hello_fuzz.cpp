// The first message of a link: any bytes as a Hello, then judged against a certificate.
#include "fuzz.hpp"
#include "proto/link.pb.h"
#include "tree/hello.hpp"

DROVER_FUZZ_TARGET(input) {
  namespace tree = drover::tree;
  drover::proto::Hello hello;
  if (!hello.ParseFromArray(input.data(), static_cast<int>(input.size()))) return;
  const auto peer = tree::decode(hello);
  if (!peer) return;
  drover::proto::Hello again;
  tree::encode(*peer, again);
  drover::fuzz::require(tree::decode(again).has_value(), "what is accepted can be said again");
  tree::Introduction self;
  self.cluster = "c";
  self.role = tree::Role::aggregator;
  self.name = "a1";
  self.protocol_min = self.protocol_max = 1;
  const auto terms = tree::agree(self, *peer, "drover://c/compute/n1", {{tree::Role::compute}, ""});
  if (terms) {
    drover::fuzz::require(peer->name == "n1" && peer->cluster == "c", "only the certified name");
  }
}
