// A provider that answers with what the default one has, less most decoders and kinds of keys. The
// default one lives in a library context of its own; its functions are given its own context.
#include "bench/lean_crypto.hpp"

#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>

namespace drover::bench {
namespace {

OSSL_PROVIDER* whole = nullptr;  // one process, one set of algorithms

/// Names of an algorithm are "EC:id-ecPublicKey:1.2.840.10045.2.1".
bool is_kept(std::string_view names) {
  const std::string_view first = names.substr(0, names.find(':'));
  return first == "EC" || first == "X25519";
}

const OSSL_ALGORITHM* query(void* /*context*/, int operation, int* no_cache) {
  const OSSL_ALGORITHM* const all = OSSL_PROVIDER_query_operation(whole, operation, no_cache);
  if (all == nullptr || (operation != OSSL_OP_KEYMGMT && operation != OSSL_OP_DECODER)) return all;
  static std::vector<OSSL_ALGORITHM> keys;
  static std::vector<OSSL_ALGORITHM> decoders;
  std::vector<OSSL_ALGORITHM>& kept = operation == OSSL_OP_KEYMGMT ? keys : decoders;
  if (!kept.empty()) return kept.data();
  for (const OSSL_ALGORITHM* one = all; one->algorithm_names != nullptr; ++one) {
    if (is_kept(one->algorithm_names)) kept.push_back(*one);
  }
  kept.push_back({nullptr, nullptr, nullptr, nullptr});
  return kept.data();
}

int capabilities(void* /*context*/, const char* capability, OSSL_CALLBACK* told, void* argument) {
  return OSSL_PROVIDER_get_capabilities(whole, capability, told, argument);
}

template <typename Function>
OSSL_DISPATCH entry(int id, Function function) {
  return {id, reinterpret_cast<void (*)()>(function)};
}

int begin(const OSSL_CORE_HANDLE* /*handle*/, const OSSL_DISPATCH* /*in*/,
          const OSSL_DISPATCH** out, void** context) {
  static const std::array kFunctions{entry(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
                                     entry(OSSL_FUNC_PROVIDER_GET_CAPABILITIES, capabilities),
                                     OSSL_DISPATCH{0, nullptr}};
  *out = kFunctions.data();
  *context = OSSL_PROVIDER_get0_provider_ctx(whole);
  return 1;
}

}  // namespace

bool use_lean_crypto() {
  OSSL_LIB_CTX* const aside = OSSL_LIB_CTX_new();
  whole = aside == nullptr ? nullptr : OSSL_PROVIDER_load(aside, "default");
  return whole != nullptr && OSSL_PROVIDER_add_builtin(nullptr, "lean", begin) == 1 &&
         OSSL_PROVIDER_load(nullptr, "lean") != nullptr;
}

}  // namespace drover::bench
