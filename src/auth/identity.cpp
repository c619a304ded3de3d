#include "auth/identity.hpp"

#include "auth/certificate.hpp"
#include "auth/keys.hpp"

#include <array>

#include <fmt/core.h>

namespace drover::auth {
namespace {

constexpr std::array<std::string_view, 3> kMarks = {"# key\n", "# certificate\n", "# ca\n"};
constexpr size_t kLongestBundle = size_t{1} << 20;

tl::unexpected<Error> no_bundle(std::string_view why) {
  return fail(Code::corrupt, fmt::format("not an identity file: {}", why),
              "join again with a new token");
}

}  // namespace

Result<std::string> OpensslIdentityTool::make_key() {
  DROVER_TRY(const KeyPair key, KeyPair::make());
  return key.pem();
}

Result<std::string> OpensslIdentityTool::make_csr(const std::string& key_pem,
                                                  std::string_view name) {
  DROVER_TRY(const KeyPair key, KeyPair::from_pem(key_pem));
  return auth::make_csr(key, name);
}

Result<IdentityFacts> OpensslIdentityTool::check(const Identity& identity) {
  DROVER_TRY(const KeyPair key, KeyPair::from_pem(identity.key_pem));
  DROVER_TRY(const Certificate certificate, Certificate::from_pem(identity.certificate_pem));
  DROVER_TRY(const Trust trust, Trust::from_pem(identity.ca_pem));
  if (certificate.public_key().sha256() != key.public_key().sha256()) {
    return fail(Code::invalid_argument,
                fmt::format("the certificate of '{}' is for another key", certificate.uri()));
  }
  DROVER_CHECK_OK(certificate.identity());
  if (auto chained = trust.verify(certificate, certificate.not_before()); !chained) {
    return fail(Code::invalid_argument, chained.error().text());
  }
  return IdentityFacts{certificate.uri(), key.public_key().sha256(), certificate.not_before(),
                       certificate.not_after()};
}

std::string to_bundle(const Identity& identity) {
  std::string out;
  const std::array<const std::string*, 3> parts = {&identity.key_pem, &identity.certificate_pem,
                                                   &identity.ca_pem};
  for (size_t i = 0; i < parts.size(); ++i) {
    out += kMarks.at(i);
    out += *parts.at(i);
    if (!out.ends_with('\n')) out.push_back('\n');
  }
  return out;
}

Result<Identity> parse_bundle(std::string_view text) {
  Identity out;
  const std::array<std::string*, 3> parts = {&out.key_pem, &out.certificate_pem, &out.ca_pem};
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!text.starts_with(kMarks.at(i))) return no_bundle("a part is missing");
    text.remove_prefix(kMarks.at(i).size());
    const bool last = i + 1 == parts.size();
    parts.at(i)->assign(text.substr(0, last ? text.size() : text.find(kMarks.at(i + 1))));
    if (parts.at(i)->empty() || parts.at(i)->back() != '\n') return no_bundle("a part is cut off");
    text.remove_prefix(parts.at(i)->size());
  }
  return out;
}

Result<std::optional<Identity>> IdentityFiles::load() const {
  DROVER_TRY(const bool there, disk_.exists(path()));
  if (!there) return std::optional<Identity>();
  DROVER_TRY(const std::string text, disk_.read_all(path(), kLongestBundle));
  auto identity = parse_bundle(text);
  if (!identity) return fail_in("reading " + path(), std::move(identity).error());
  return std::optional<Identity>(std::move(*identity));
}

Status IdentityFiles::save(const Identity& identity) const {
  const std::string text = to_bundle(identity);
  // What could not be read back must not replace what can.
  DROVER_TRY(const Identity read_back, parse_bundle(text));
  if (!read_back.key_pem.starts_with(identity.key_pem) ||
      !read_back.certificate_pem.starts_with(identity.certificate_pem)) {
    return fail(Code::invalid_argument, "the identity's texts cannot be kept in one file");
  }
  DROVER_CHECK_OK(disk_.make_dirs(dir_, 0700));
  DROVER_CHECK_OK(disk_.write_atomic(path(), text, 0600));
  return disk_.remove(pending_path());
}

Result<std::string> IdentityFiles::pending_key(IdentityTool& tool) const {
  DROVER_CHECK_OK(disk_.make_dirs(dir_, 0700));
  DROVER_TRY(const bool there, disk_.exists(pending_path()));
  if (there) return disk_.read_all(pending_path(), kLongestBundle);
  DROVER_TRY(std::string key, tool.make_key());
  DROVER_CHECK_OK(disk_.write_atomic(pending_path(), key, 0600));
  return key;
}

net::SecurityConfig security_config(const Identity& identity) {
  net::SecurityConfig config;
  config.certificate_pem = identity.certificate_pem;
  config.key_pem = identity.key_pem;
  config.trust_pem = identity.ca_pem;
  return config;
}

}  // namespace drover::auth
