#include "auth/authority.hpp"

#include "auth/certificate_builder.hpp"
#include "auth/certificate_handle.hpp"
#include "base/text.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace drover::auth {
namespace {

constexpr Duration kCaLifetime = std::chrono::hours(24 * 3652);  // ten years
constexpr size_t kLongestNamePart = 253;  // a full DNS name, RFC 1035 section 2.3.4
constexpr std::string_view kRestore =
    "restore the folder from a back-up; a new CA would cut off every daemon";

/// The three files of a CA. `seal` holds the CA certificate's fingerprint.
struct CaFiles {
  explicit CaFiles(const std::string& dir)
      : key(dir + "/ca.key"), certificate(dir + "/ca.pem"), seal(dir + "/ca.sha256") {}
  std::string key;
  std::string certificate;
  std::string seal;
};

/// The CA's own identity: binds it to the cluster. Role "ca" is no daemon's.
std::string ca_uri(std::string_view cluster_id) {
  return tree::certificate_uri(cluster_id, "ca", "root");
}

Result<std::string> self_sign(const KeyPair& key, Random& random, std::string_view cluster_id,
                              WallTime now) {
  const Serial serial = draw_serial(random);
  EVP_PKEY* pkey = key.handle().key.get();
  return CertificateBuilder()
      .serial(serial.data(), serial.size())
      .subject(fmt::format("Drover {}", cluster_id))
      .key(pkey)
      .issuer(nullptr)
      .valid(now - kClockSlack, now + kCaLifetime)
      .extension(NID_basic_constraints, "critical,CA:TRUE,pathlen:0")
      .extension(NID_key_usage, "critical,keyCertSign,cRLSign")
      .extension(NID_subject_key_identifier, "hash")
      .alternative_names(ca_uri(cluster_id), {}, {})
      .sign(pkey);
}

/// The key that was left by a start that ended early, or a new one that is on disk now.
Result<KeyPair> load_or_make_key(Disk& disk, const std::string& path) {
  DROVER_TRY(const bool there, disk.exists(path));
  if (there) return KeyPair::load(disk, path);
  DROVER_TRY(KeyPair key, KeyPair::make());
  DROVER_CHECK_OK(key.save(disk, path));
  return key;
}

/// Completes a CA without a seal. The key goes first and nothing that exists is replaced, so a
/// crash at any point leaves something that the next start completes.
Status complete(Disk& disk, Random& random, const CaFiles& files, std::string_view cluster_id,
                WallTime now) {
  DROVER_TRY(const bool has_key, disk.exists(files.key));
  DROVER_TRY(const bool has_certificate, disk.exists(files.certificate));
  if (has_certificate && !has_key) {
    return fail(Code::corrupt,
                fmt::format("{} is there without its key {}", files.certificate, files.key),
                std::string(kRestore));
  }
  DROVER_TRY(const KeyPair key, load_or_make_key(disk, files.key));
  if (has_certificate) return {};
  DROVER_TRY(const std::string pem, self_sign(key, random, cluster_id, now));
  return disk.write_atomic(files.certificate, pem, 0644);
}

/// Whether key and certificate belong together and to this cluster.
Status check(const CaFiles& files, const KeyPair& key, const Certificate& certificate,
             std::string_view cluster_id, WallTime now) {
  if (certificate.public_key().sha256() != key.public_key().sha256()) {
    return fail(Code::corrupt, fmt::format("{} is not the key of {}", files.key, files.certificate),
                std::string(kRestore));
  }
  if (!certificate.is_ca() || certificate.uri() != ca_uri(cluster_id)) {
    return fail(Code::conflict,
                fmt::format("{} is for '{}', this cluster's is '{}'", files.certificate,
                            certificate.uri(), ca_uri(cluster_id)));
  }
  if (now >= certificate.not_after()) {
    return fail(Code::corrupt, fmt::format("the CA {} expired at {}", files.certificate,
                                           to_rfc3339(certificate.not_after())));
  }
  return {};
}

/// Compares with the seal, or writes it when this is the end of the CA's making.
Status seal(Disk& disk, const CaFiles& files, bool sealed, const Certificate& certificate) {
  const std::string expected = certificate.fingerprint() + "\n";
  if (!sealed) return disk.write_atomic(files.seal, expected, 0644);
  DROVER_TRY(const std::string found, disk.read_all(files.seal, 1024));
  if (found == expected) return {};
  return fail(Code::corrupt,
              fmt::format("{} is not the CA that {} names", files.certificate, files.seal),
              std::string(kRestore));
}

tl::unexpected<Error> unreadable(const std::string& path, const Error& why) {
  return fail(Code::corrupt, fmt::format("the cluster CA's {}: {}", path, why.text()),
              std::string(kRestore));
}

/// Makes `dir` and its own entry in its parent survive a power cut.
Status make_durable_dir(Disk& disk, const std::string& dir) {
  DROVER_CHECK_OK(disk.make_dirs(dir, 0700));
  const size_t slash = dir.rfind('/');
  if (slash == std::string::npos || slash == 0) return {};
  return disk.sync_dir(dir.substr(0, slash));
}

/// Letters, digits, '.', '_' and '-': what stands in a URI, a log and a noderange without quoting.
Status check_part(std::string_view what, std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
  if (plain && !text.empty() && text.size() <= kLongestNamePart) return {};
  return fail(Code::invalid_argument,
              fmt::format("the {} '{}' cannot be certified: 1 to {} letters, digits, '.', '_', '-'",
                          what, printable(text.substr(0, kLongestNamePart)), kLongestNamePart));
}

/// The identity as a URI, after proof that it reads back as the same three parts.
Result<std::string> checked_uri(const IssueRequest& request) {
  DROVER_CHECK_OK(check_part("cluster", request.cluster));
  DROVER_CHECK_OK(check_part("role", request.role));
  DROVER_CHECK_OK(check_part("name", request.name));
  std::string uri = tree::certificate_uri(request.cluster, request.role, request.name);
  auto parsed = tree::parse_certificate_uri(uri);
  if (!parsed) return fail_in("the identity to be certified", std::move(parsed).error());
  if (parsed->cluster != request.cluster || parsed->role != request.role ||
      parsed->name != request.name) {
    return fail(Code::invalid_argument,
                fmt::format("cluster '{}', role '{}', name '{}' make no identity", request.cluster,
                            request.role, request.name));
  }
  return uri;
}

/// As Certificate::serial() gives it: a number has no leading zeros.
std::string serial_text(const Serial& serial) {
  const auto* const first =
      std::find_if(serial.begin(), serial.end(), [](unsigned char byte) { return byte != 0; });
  return to_hex(first, static_cast<size_t>(serial.end() - first));
}

}  // namespace

Serial draw_serial(Random& random) {
  Serial serial{};
  random.fill(serial);
  // RFC 5280 wants a positive number; a set high bit would need a 17th octet.
  serial.front() &= 0x7f;
  serial.back() |= 1;
  return serial;
}

Result<std::unique_ptr<CertificateAuthority>> CertificateAuthority::open_or_create(
    Disk& disk, Random& random, const std::string& dir, std::string_view cluster_id, WallTime now) {
  const CaFiles files(dir);
  DROVER_CHECK_OK(make_durable_dir(disk, dir));
  DROVER_TRY(const bool sealed, disk.exists(files.seal));
  if (!sealed) {
    auto completed = complete(disk, random, files, cluster_id, now);
    if (!completed) return fail_in("making the cluster CA", std::move(completed).error());
  }
  auto key = KeyPair::load(disk, files.key);
  if (!key) return unreadable(files.key, key.error());
  auto pem = disk.read_all(files.certificate, size_t{64} << 10);
  if (!pem) return unreadable(files.certificate, pem.error());
  auto certificate = Certificate::from_pem(*pem);
  if (!certificate) return unreadable(files.certificate, certificate.error());
  DROVER_CHECK_OK(check(files, *key, *certificate, cluster_id, now));
  DROVER_CHECK_OK(seal(disk, files, sealed, *certificate));
  return std::unique_ptr<CertificateAuthority>(
      new CertificateAuthority(std::move(*key), std::move(*certificate), std::move(*pem)));
}

Result<IssuedCertificate> CertificateAuthority::issue(const IssueRequest& request) const {
  DROVER_TRY(const PublicKey key, verify_csr(request.csr_pem));
  DROVER_TRY(std::string uri, checked_uri(request));
  if (request.lifetime <= Duration::zero()) {
    return fail(Code::invalid_argument, "a certificate's lifetime must be more than zero");
  }
  if (request.now >= certificate_.not_after()) {
    return fail(Code::conflict,
                "the cluster CA expired at " + to_rfc3339(certificate_.not_after()));
  }
  const WallTime from = request.now - kClockSlack;
  const WallTime to = std::min(request.now + request.lifetime, certificate_.not_after());
  DROVER_TRY(std::string pem, CertificateBuilder()
                                  .serial(request.serial.data(), request.serial.size())
                                  .subject(request.name)
                                  .key(key.handle().key.get())
                                  .issuer(certificate_.handle().certificate.get())
                                  .valid(from, to)
                                  .extension(NID_basic_constraints, "critical,CA:FALSE")
                                  .extension(NID_key_usage, "critical,digitalSignature")
                                  .extension(NID_ext_key_usage, "serverAuth,clientAuth")
                                  .extension(NID_subject_key_identifier, "hash")
                                  .extension(NID_authority_key_identifier, "keyid:always")
                                  .alternative_names(uri, request.dns_names, request.ip_addresses)
                                  .sign(key_.handle().key.get()));
  // Not read back from the certificate: that costs as much as all of this. Times are in seconds
  // there.
  return IssuedCertificate{std::move(pem),
                           std::move(uri),
                           serial_text(request.serial),
                           key.sha256(),
                           std::chrono::floor<std::chrono::seconds>(from),
                           std::chrono::floor<std::chrono::seconds>(to)};
}

Result<std::string> CertificateAuthority::csr_key(std::string_view csr_pem) const {
  DROVER_TRY(const PublicKey key, verify_csr(csr_pem));
  return key.sha256();
}

}  // namespace drover::auth
