// The OpenSSL object behind a Certificate; for this room's .cpp files alone.
#pragma once

#include "auth/openssl.hpp"

namespace drover::auth {

struct CertificateHandle {
  X509Ptr certificate;
};

}  // namespace drover::auth
