// drover-master.
#include "api/openapi_text.hpp"
#include "daemons/services.hpp"

#include <cstdio>
#include <string_view>

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--openapi") {
    const std::string_view text = drover::api::openapi_text();
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
  }
  return drover::daemons::run_program("master", argc, argv, &drover::daemons::make_master);
}
