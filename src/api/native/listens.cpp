#include "api/native/listens.hpp"

namespace drover::api {

std::vector<std::string> listens_of(const cluster::Model& model, std::string_view role) {
  std::vector<std::string> out;
  for (const auto& [key, daemon] : model.daemons()) {
    if (daemon.role == role) out.insert(out.end(), daemon.listens.begin(), daemon.listens.end());
  }
  return out;
}

}  // namespace drover::api
