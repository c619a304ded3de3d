// Membership facts to and from their protobuf form.
#pragma once

#include "base/result.hpp"
#include "tree/member_table.hpp"

namespace drover::proto {
class Member;
}

namespace drover::daemons {

void encode(const tree::MemberFacts& from, proto::Member& to);
Result<tree::MemberFacts> decode(const proto::Member& from);

}  // namespace drover::daemons
