// How the agent of a booted machine gets in: what it asks of its boot daemon (POST /boot/v1/enrol),
// what that passes on to a master (POST /nodes/{name}/enrol), and the answer all the way back.
#pragma once

#include "base/describe.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace drover::auth {

struct EnrolRequest {
  static constexpr std::string_view kTypeName = "EnrolRequest";
  std::string csr_pem;
  std::string boot_id;
  void describe(Visitor& v);
};

struct EnrolAnswer {
  static constexpr std::string_view kTypeName = "EnrolAnswer";
  std::string certificate_pem;
  std::string ca_pem;
  std::string cluster;
  std::string name;
  std::string role;
  std::vector<std::string> aggregators;  ///< endpoints
  void describe(Visitor& v);
};

}  // namespace drover::auth
