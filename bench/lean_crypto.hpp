// OpenSSL's default provider, cut down to the kinds of keys that the cluster uses.
#pragma once

namespace drover::bench {

/// OpenSSL 3.0 looks through every decoder and kind of key that it has for each certificate that a
/// peer shows (0.1 ms); a load generator which does the TLS of thousands of machines would spend
/// half of its processor on that. To be called before anything else of OpenSSL, once; from then on
/// there are EC and X25519 keys alone, all other algorithms as ever. False: it could not be done,
/// and OpenSSL is as it was.
bool use_lean_crypto();

}  // namespace drover::bench
