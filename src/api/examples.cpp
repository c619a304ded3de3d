#include "api/examples.hpp"

#include <algorithm>
#include <array>

namespace drover::api {
namespace {

struct Example {
  std::string_view type;
  std::string_view json;
};

// By type name.
constexpr std::array kExamples{
    Example{"CallRequest", R"({"method":"ping","nodes":"n[1-8]","timeout_ms":5000})"},
    Example{"NodePatch", R"({"service":"maintenance","why":"fan exchange"})"},
    Example{"ProblemDocument",
            R"({"type":"urn:drover:problem:not-found","title":"Not found","status":404,)"
            R"("detail":"there is no node 'n9'","next":"drover node list shows all nodes"})"},
    Example{"TokenRequest", R"({"role":"compute","names":"n[1-8]","ttl_s":3600,"uses":8})"},
    Example{"Version", R"({"version":"0.1.0","cluster":"alpha-1f2e3d4c","role":"master",)"
                       R"("name":"m1"})"},
};

}  // namespace

std::string_view example_of(std::string_view type_name) {
  const auto it = std::ranges::lower_bound(kExamples, type_name, {}, &Example::type);
  return it != kExamples.end() && it->type == type_name ? it->json : std::string_view();
}

}  // namespace drover::api
