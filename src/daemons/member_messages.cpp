#include "daemons/member_messages.hpp"

#include "cluster/names.hpp"
#include "proto/paths.pb.h"

namespace drover::daemons {

void encode(const tree::MemberFacts& from, proto::Member& to) {
  to.set_node(from.node);
  to.set_role(from.role);
  to.set_incarnation(from.incarnation);
  to.set_starts(from.starts);
  to.set_boot_id(from.boot_id);
  to.set_version(from.version);
  to.set_address(from.address);
  to.set_state(static_cast<proto::Member::State>(from.state));
  to.set_path_epoch(from.path_epoch);
  to.set_since_ms(to_unix_ms(from.since));
  to.set_why(from.why);
}

Result<tree::MemberFacts> decode(const proto::Member& from) {
  DROVER_CHECK_OK(cluster::check_node_name(from.node()));
  if (!proto::Member::State_IsValid(from.state())) {
    return fail(Code::invalid_argument, "a member in an unknown state");
  }
  tree::MemberFacts out;
  out.node = from.node();
  out.role = from.role();
  out.incarnation = from.incarnation();
  out.starts = from.starts();
  out.boot_id = from.boot_id();
  out.version = from.version();
  out.address = from.address();
  out.state = static_cast<tree::MemberState>(from.state());
  out.path_epoch = from.path_epoch();
  out.since = from_unix_ms(from.since_ms());
  out.why = from.why();
  return out;
}

}  // namespace drover::daemons
