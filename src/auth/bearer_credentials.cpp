#include "auth/bearer_credentials.hpp"

#include "base/noderange.hpp"
#include "base/text.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace drover::auth {
namespace {

constexpr Duration kKeepExpired = std::chrono::hours(24 * 7);
constexpr size_t kLongestName = 64;
constexpr size_t kLongestNodes = 4096;
constexpr size_t kMostGroups = 64;
constexpr size_t kIdBytes = 8;

bool is_plain(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-' || c == '@';
  });
}

Status check_request(const BearerRequest& request) {
  if (!is_plain(request.name)) {
    return fail(Code::invalid_argument,
                fmt::format("name: '{}' is not 1 to 64 letters, digits, '.', '_', '-', '@'",
                            printable(std::string_view(request.name).substr(0, kLongestName))));
  }
  if (request.role == Access::none) {
    return fail(Code::invalid_argument,
                "role: a credential is for viewer, user, operator or admin");
  }
  if (request.ttl < kShortestBearerLife || request.ttl > kLongestBearerLife) {
    return fail(Code::invalid_argument, "ttl_s: a credential lives from 1 second to 366 days");
  }
  if (request.nodes.size() > kLongestNodes) {
    return fail(Code::too_large, "nodes: longer than 4096 bytes");
  }
  if (const auto mistake = request.nodes.empty() ? std::nullopt : find_mistake(request.nodes)) {
    return fail(Code::invalid_argument,
                fmt::format("nodes, column {}: {}", mistake->offset + 1, mistake->what));
  }
  if (request.groups.size() > kMostGroups || !std::ranges::all_of(request.groups, is_plain)) {
    return fail(Code::invalid_argument,
                "groups: at most 64, each of 1 to 64 letters, digits, '.', '_', '-', '@'");
  }
  return {};
}

/// One certificate per key, revoked ones too: it is by its key that a certificate is known.
Status check_new_key(store::Transaction& tx, const std::string& key_sha256) {
  DROVER_TRY(const auto objects, tx.list({.kind = std::string(kBearerKind)}));
  for (const store::Object& object : objects) {
    const auto record = decode_text<BearerRecord>(object.body, Unknown::ignore);
    if (!record || record->key_sha256 != key_sha256) continue;
    return fail(Code::conflict,
                fmt::format("this key has a certificate already: credential {}", record->id),
                "make a new key for a new certificate");
  }
  return {};
}

/// Erases what expired long ago.
Status sweep(store::Transaction& tx, WallTime now) {
  DROVER_TRY(const auto objects, tx.list({.kind = std::string(kBearerKind)}));
  for (const store::Object& object : objects) {
    const auto record = decode_text<BearerRecord>(object.body, Unknown::ignore);
    if (!record || now < record->expires + kKeepExpired) continue;
    DROVER_CHECK_OK(tx.erase(kBearerKind, object.key));
  }
  return {};
}

}  // namespace

BearerCredentials::BearerCredentials(store::Store& store, const Authority& authority,
                                     SigningKeys keys, Clock& clock, Random& random, Log log,
                                     std::string cluster)
    : store_(store),
      authority_(authority),
      keys_(std::move(keys)),
      clock_(clock),
      random_(random),
      log_(log),
      cluster_(std::move(cluster)),
      issuer_("drover:" + cluster_) {}

Status BearerCredentials::start() {
  DROVER_TRY(const auto objects, store_.load(kBearerKind));
  for (const store::Object& object : objects) {
    auto taken = take(object.key, object.body);
    if (!taken) return fail(Code::corrupt, taken.error().text());
  }
  subscription_ =
      store_.subscribe([this](std::span<const store::Change> changes) { apply(changes); });
  return {};
}

Status BearerCredentials::take(const std::string& key, std::string_view body) {
  auto record = decode_text<BearerRecord>(body, Unknown::ignore);
  if (!record) {
    return fail_in(fmt::format("credential '{}' in the store", key), std::move(record).error());
  }
  if (!record->key_sha256.empty()) by_key_[record->key_sha256] = key;
  records_.insert_or_assign(key, std::move(*record));
  return {};
}

void BearerCredentials::apply(std::span<const store::Change> changes) {
  for (const store::Change& change : changes) {
    if (change.kind != kBearerKind) continue;
    if (const auto known = records_.find(change.key); known != records_.end()) {
      by_key_.erase(known->second.key_sha256);
      // What cannot be read below must not stay accepted.
      records_.erase(known);
    }
    if (!change.after) {
      used_.erase(change.key);
    } else if (auto taken = take(change.key, *change.after); !taken) {
      log_.error("a stored credential cannot be read", {{"why", taken.error().text()}});
    }
  }
}

void BearerCredentials::create(store::Author author, const BearerRequest& request,
                               Callback<void(Result<CreatedBearer>)> done) {
  const WallTime now = from_unix_ms(to_unix_ms(clock_.wall()) / 1000 * 1000);
  CreatedBearer made;
  BearerRecord& record = made.record;
  record.id = random_.hex(kIdBytes);
  record.name = request.name;
  record.role = request.role;
  record.nodes = request.nodes;
  record.groups = request.groups;
  record.created = now;
  record.created_by = author.actor;
  record.expires = now + request.ttl;
  Status good = check_request(request);
  if (good && request.csr_pem.empty()) {
    Claims claims;
    claims.issuer = issuer_;
    claims.subject = record.name;
    claims.audience = {cluster_};
    claims.id = record.id;
    claims.issued = claims.not_before = now;
    claims.expires = record.expires;
    auto token = keys_.sign(write_claims(claims));
    if (token) {
      made.secret = *std::move(token);
    } else {
      good = tl::unexpected<Error>(token.error());
    }
  }
  // A certificate is issued, and everything stored, on the store's worker.
  IssueRequest issue;
  issue.csr_pem = request.csr_pem;
  issue.cluster = cluster_;
  issue.role = name(request.role);
  issue.name = request.name;
  issue.serial = draw_serial(random_);
  issue.now = now;
  issue.lifetime = request.ttl;
  auto outcome = std::make_shared<CreatedBearer>(std::move(made));
  store_.write(
      std::move(author),
      [outcome, good, issue, &authority = authority_](store::Transaction& tx) -> Status {
        DROVER_CHECK_OK(good);
        BearerRecord& stored = outcome->record;
        DROVER_CHECK_OK(sweep(tx, stored.created));
        if (!issue.csr_pem.empty()) {
          DROVER_TRY(IssuedCertificate issued, authority.issue(issue));
          stored.form = BearerForm::certificate;
          stored.key_sha256 = issued.key_sha256;
          stored.serial = issued.serial;
          stored.expires = issued.not_after;
          outcome->secret = std::move(issued.certificate_pem);
          DROVER_CHECK_OK(check_new_key(tx, stored.key_sha256));
        }
        DROVER_TRY(const auto taken, tx.get(kBearerKind, stored.id));
        if (taken) return fail(Code::conflict, "the new credential's id is taken", "try again");
        tx.explain(fmt::format("credential for {}", stored.name));
        DROVER_CHECK_OK(tx.put(kBearerKind, stored.id, encode(stored)));
        return {};
      },
      [outcome, done = std::move(done)](const Result<store::Committed>& committed) mutable {
        if (!committed) return done(tl::unexpected<Error>(committed.error()));
        done(std::move(*outcome));
      });
}

void BearerCredentials::revoke(store::Author author, const std::string& id, const std::string& why,
                               Callback<void(Status)> done) {
  store_.write(
      author,
      [actor = author.actor, id, why, now = clock_.wall()](store::Transaction& tx) -> Status {
        DROVER_TRY(const auto object, tx.get(kBearerKind, id));
        if (!object) {
          return fail(Code::not_found, fmt::format("there is no credential '{}'", printable(id)),
                      "drover credential list shows all");
        }
        DROVER_TRY(auto record, decode_text<BearerRecord>(object->body, Unknown::ignore));
        if (record.revoked) return {};
        record.revoked = true;
        record.revoked_at = now;
        record.revoked_by = actor;
        record.why = why;
        tx.explain(why.empty() ? "revoked" : why);
        DROVER_CHECK_OK(tx.put(kBearerKind, id, encode(record)));
        return {};
      },
      [done = std::move(done)](const Result<store::Committed>& committed) mutable {
        done(committed ? Status() : Status(tl::unexpected<Error>(committed.error())));
      });
}

std::optional<WallTime> BearerCredentials::last_used(const std::string& id) const {
  const auto known = used_.find(id);
  return known == used_.end() ? std::nullopt : std::optional(known->second);
}

Status BearerCredentials::check(const std::string& id) const {
  DROVER_TRY([[maybe_unused]] const BearerRecord* record, live(id));
  return {};
}

Result<const BearerRecord*> BearerCredentials::live(const std::string& id) const {
  const auto known = records_.find(id);
  if (known == records_.end()) {
    return fail(Code::unauthenticated,
                fmt::format("credential {} is not known here: it ended long ago, or was made after "
                            "the back-up that this master was restored from",
                            printable(std::string_view(id).substr(0, kLongestName))),
                "make a new one: drover credential create");
  }
  const BearerRecord& record = known->second;
  if (record.revoked) {
    return fail(Code::unauthenticated,
                fmt::format("credential {} ({}) was revoked by {} at {}{}{}", id, record.name,
                            record.revoked_by, to_rfc3339(record.revoked_at),
                            record.why.empty() ? "" : ": ", record.why),
                "an administrator makes a new one: drover credential create");
  }
  if (clock_.wall() >= record.expires) {
    return fail(Code::unauthenticated,
                fmt::format("credential {} ({}) expired at {}", id, record.name,
                            to_rfc3339(record.expires)),
                "make a new one: drover credential create");
  }
  return &record;
}

Principal BearerCredentials::principal_of(const BearerRecord& record) {
  used_[record.id] = clock_.wall();
  Principal out;
  out.kind = PrincipalKind::credential;
  out.role = name(record.role);
  out.name = record.name;
  out.token_id = record.id;
  out.nodes = record.nodes;
  out.groups = record.groups;
  out.expires = record.expires;
  return out;
}

Result<Principal> BearerCredentials::authenticate(const Jws& jws, const Claims& claims) {
  const VerificationKey* key = jws.key_id.empty() || jws.algorithm != JwsAlgorithm::es256
                                   ? nullptr
                                   : keys_.checking().find(jws.key_id, jws.algorithm);
  if (key == nullptr) {
    return fail(Code::unauthenticated,
                fmt::format("the token is signed with key '{}', which is not one of this cluster's",
                            printable(jws.key_id)),
                "make a new one: drover credential create");
  }
  DROVER_CHECK_OK(key->verify(jws));
  DROVER_CHECK_OK(check_claims(claims, issuer_, cluster_, clock_.wall()));
  DROVER_TRY(const BearerRecord* record, live(claims.id));
  if (record->form != BearerForm::token || record->name != claims.subject) {
    return fail(Code::unauthenticated, "the token and its record do not agree");
  }
  return principal_of(*record);
}

Result<std::optional<Principal>> BearerCredentials::check_certificate(const Principal& person) {
  const auto known = by_key_.find(person.key_sha256);
  if (known == by_key_.end()) return std::optional<Principal>();
  DROVER_TRY(const BearerRecord* record, live(known->second));
  if (record->name != person.name) {
    return fail(Code::unauthenticated, "the certificate and its record do not agree");
  }
  Principal out = person;
  used_[record->id] = clock_.wall();
  out.token_id = record->id;
  out.nodes = record->nodes;
  out.groups = record->groups;
  out.expires = record->expires;
  return std::optional<Principal>(std::move(out));
}

}  // namespace drover::auth
