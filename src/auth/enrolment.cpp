#include "auth/enrolment.hpp"

#include "auth/enrolment_rules.hpp"
#include "auth/join_token.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"
#include "cluster/mutations.hpp"
#include "cluster/names.hpp"
#include "tree/hello.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

namespace drover::auth {
namespace {

constexpr size_t kMostTokenNames = 100'000;

/// Whom a token may let in: the roles that a program is there for.
Status check_role(std::string_view role) {
  DROVER_CHECK_OK(tree::role_from_name(role));
  constexpr std::array<std::string_view, 4> kJoining = {"compute", "aggregator", "utility", "boot"};
  if (std::ranges::find(kJoining, role) != kJoining.end()) return {};
  return fail(Code::invalid_argument,
              fmt::format("role: no host joins as {} with a token; compute, aggregator, utility "
                          "or boot do",
                          role));
}

Status check(const TokenRequest& request) {
  DROVER_CHECK_OK(check_role(request.role));
  if (request.ttl < std::chrono::seconds(1) || request.ttl > kLongestTokenLife) {
    return fail(Code::invalid_argument, "a token lives from 1 second to 30 days");
  }
  if (request.uses == 0 || request.uses > kMostTokenUses) {
    return fail(Code::invalid_argument,
                fmt::format("a token has from 1 to {} uses", kMostTokenUses));
  }
  if (request.names.empty()) return {};
  auto names = expand_names(request.names);
  if (!names) return fail_in("the token's names", std::move(names).error());
  if (names->size() > kMostTokenNames) {
    return fail(Code::too_large, fmt::format("a token is for at most {} names", kMostTokenNames));
  }
  for (const std::string& name : *names) DROVER_CHECK_OK(cluster::check_node_name(name));
  return {};
}

/// What a certificate's issue changes in the credential.
void note_issued(Credential& credential, const IssuedCertificate& issued) {
  credential.key_sha256 = issued.key_sha256;
  credential.serial = issued.serial;
  credential.expires = issued.not_after;
}

Admission admission(const IssueRequest& request, const IssuedCertificate& issued,
                    const Authority& authority) {
  return {issued.certificate_pem, authority.ca_pem(), request.cluster,
          request.role,           request.name,       issued.not_after};
}

}  // namespace

/// Expanded noderanges of the tokens in use, since ten thousand nodes may join with one token at
/// once. Touched on the store's worker alone.
class Enrolment::NameSets {
 public:
  Result<bool> covers(const std::string& names, std::string_view name) {
    auto known = sets_.find(names);
    if (known == sets_.end()) {
      DROVER_TRY(auto expanded, expand_names(names));
      std::sort(expanded.begin(), expanded.end());
      if (sets_.size() >= kMost) sets_.clear();
      known = sets_.emplace(names, std::move(expanded)).first;
    }
    return std::binary_search(known->second.begin(), known->second.end(), name);
  }

 private:
  static constexpr size_t kMost = 8;
  std::map<std::string, std::vector<std::string>> sets_;
};

Enrolment::Enrolment(store::Store& store, const Authority& authority, Clock& clock, Random& random,
                     Log log, Options options)
    : store_(store),
      authority_(authority),
      clock_(clock),
      random_(random),
      log_(log),
      options_(std::move(options)),
      name_sets_(std::make_shared<NameSets>()) {}

Status Enrolment::start() {
  for (const std::string_view kind : {kTokenKind, kCredentialKind}) {
    DROVER_TRY(const auto objects, store_.load(kind));
    for (const store::Object& object : objects) {
      auto taken = take(kind, object.key, object.body);
      if (!taken) return fail(Code::corrupt, taken.error().text());
    }
  }
  // Which change it was is not kept; the newest of all is not older.
  revocation_version_ = std::max<uint64_t>(store_.head(), 1);
  subscription_ =
      store_.subscribe([this](std::span<const store::Change> changes) { apply(changes); });
  return {};
}

template <typename T>
void Enrolment::write(store::Author author, Callback<Result<T>(store::Transaction&)> job,
                      Done<T> done) {
  // The worker writes the outcome before the commit, the executor reads it after.
  auto outcome = std::make_shared<std::optional<T>>();
  store_.write(
      std::move(author),
      [outcome, job = std::move(job)](store::Transaction& tx) mutable -> Status {
        DROVER_TRY(*outcome, job(tx));
        return {};
      },
      [outcome, done = std::move(done)](Result<store::Committed> committed) mutable {
        if (!committed) return done(tl::unexpected(std::move(committed).error()));
        done(std::move(**outcome));
      });
}

IssueRequest Enrolment::issue_request(const std::string& csr_pem, const std::string& role,
                                      const std::string& name) {
  IssueRequest request;
  request.csr_pem = csr_pem;
  request.cluster = options_.cluster;
  request.role = role;
  request.name = name;
  request.serial = draw_serial(random_);
  request.now = clock_.wall();
  request.lifetime = options_.lifetime;
  return request;
}

void Enrolment::create_token(store::Author author, const TokenRequest& request,
                             Done<CreatedToken> done) {
  Result<JoinToken> token = make_join_token(random_, authority_.ca_fingerprint());
  TokenRecord record;
  if (token) {
    record = {token->id,       sha256_hex(token->secret),
              request.role,    request.names,
              request.replace, request.uses,
              request.uses,    {},
              author.actor,    clock_.wall()};
    record.expires = record.created + request.ttl;
  }
  // Expanding the names may take milliseconds: the worker's job, like everything that can fail.
  write<CreatedToken>(
      std::move(author),
      [request, token, record](store::Transaction& tx) -> Result<CreatedToken> {
        if (!token) return tl::unexpected(token.error());
        DROVER_CHECK_OK(check(request));
        DROVER_CHECK_OK(sweep_tokens(tx, record.created));
        DROVER_TRY(const auto taken, read_token(tx, record.id));
        if (taken) return fail(Code::conflict, "the new token's id is taken", "try again");
        DROVER_CHECK_OK(write_token(tx, record));
        return CreatedToken{record, token->text()};
      },
      std::move(done));
}

std::vector<TokenRecord> Enrolment::tokens() const {
  std::vector<TokenRecord> out;
  out.reserve(tokens_.size());
  for (const auto& [id, token] : tokens_) out.push_back(token);
  return out;
}

void Enrolment::revoke_token(store::Author author, const std::string& id,
                             Callback<void(Status)> done) {
  store_.write(
      std::move(author),
      [id](store::Transaction& tx) -> Status {
        DROVER_TRY(const bool erased, tx.erase(kTokenKind, id));
        if (!erased) return fail(Code::not_found, "there is no such join token");
        return {};
      },
      [done = std::move(done)](Result<store::Committed> committed) mutable {
        done(committed ? Status() : Status(tl::unexpected(std::move(committed).error())));
      });
}

void Enrolment::redeem(JoinRequest request, Done<Admission> done) {
  Result<JoinToken> token = parse_join_token(request.token);
  if (token && token->ca_sha256 != authority_.ca_fingerprint()) {
    token = fail(Code::invalid_argument, "the join token is of another cluster");
  }
  if (auto named = cluster::check_node_name(request.name); !named && token) {
    token = tl::unexpected(named.error());
  }
  const IssueRequest issue = issue_request(request.csr_pem, request.role, request.name);
  write<Admission>(
      token ? "token:" + token->id : "anonymous",
      [token = std::move(token), issue, &authority = authority_, sets = name_sets_,
       also = std::move(request.also)](store::Transaction& tx) mutable -> Result<Admission> {
        if (!token) return tl::unexpected(token.error());
        Callback<Result<bool>(const std::string&, std::string_view)> covers =
            [&sets](const std::string& names, std::string_view name) {
              return sets->covers(names, name);
            };
        DROVER_TRY(auto record, read_token(tx, token->id));
        DROVER_CHECK_OK(check_token(record, *token, issue.role, issue.name, issue.now, covers));
        DROVER_TRY(const std::string key, authority.csr_key(issue.csr_pem));
        DROVER_TRY(const auto known, read_credential(tx, issue.role, issue.name));
        const bool repeat = is_repeat(*record, known, key);
        if (!repeat) DROVER_CHECK_OK(check_use(*record, known, key));
        DROVER_TRY(const IssuedCertificate issued, authority.issue(issue));

        Credential credential;
        credential.role = issue.role;
        credential.name = issue.name;
        credential.enrolled = repeat ? known->enrolled : issue.now;
        credential.token = record->id;
        if (known) credential.retired = retired_after(*known, key, issue.now);
        note_issued(credential, issued);
        tx.explain(fmt::format("joined with token {}", record->id));
        if (!repeat) {
          --record->uses_left;
          DROVER_CHECK_OK(write_token(tx, *record));
        }
        DROVER_CHECK_OK(write_credential(tx, credential));
        if (also) DROVER_CHECK_OK(also(tx));
        return admission(issue, issued, authority);
      },
      std::move(done));
}

void Enrolment::enrol_booted(BootedRequest request, Done<Admission> done) {
  const IssueRequest issue = issue_request(request.csr_pem, "compute", request.node);
  write<Admission>(
      "daemon:" + credential_key("boot", request.boot_daemon),
      [issue, request = std::move(request),
       &authority = authority_](store::Transaction& tx) -> Result<Admission> {
        DROVER_TRY(const auto node, cluster::read_node(tx, issue.name));
        if (node.role != cluster::NodeRole::compute) {
          return fail(Code::denied, fmt::format("{} is no compute node", issue.name));
        }
        DROVER_TRY(const auto known, read_credential(tx, issue.role, issue.name));
        if (known) DROVER_CHECK_OK(check_credential(*known, {}));
        DROVER_TRY(const IssuedCertificate issued, authority.issue(issue));
        Credential credential = known.value_or(Credential{});
        credential.role = issue.role;
        credential.name = issue.name;
        credential.token = "boot/" + request.boot_daemon;
        credential.enrolled = issue.now;
        credential.previous_key_sha256.clear();
        note_issued(credential, issued);
        tx.explain(fmt::format("booted by {}, boot {}", request.boot_daemon, request.boot_id));
        DROVER_CHECK_OK(write_credential(tx, credential));
        return admission(issue, issued, authority);
      },
      std::move(done));
}

void Enrolment::renew(RenewRequest request, Done<Admission> done) {
  IssueRequest issue = issue_request(request.csr_pem, request.role, request.name);
  issue.dns_names = std::move(request.dns_names);
  issue.ip_addresses = std::move(request.ip_addresses);
  write<Admission>(
      "daemon:" + credential_key(request.role, request.name),
      [issue = std::move(issue), proven = std::move(request.proven),
       &authority = authority_](store::Transaction& tx) -> Result<Admission> {
        DROVER_TRY(auto known, read_credential(tx, issue.role, issue.name));
        if (known) DROVER_CHECK_OK(check_credential(*known, proven));
        DROVER_TRY(const IssuedCertificate issued, authority.issue(issue));
        Credential credential = known.value_or(Credential{});
        if (!known) {
          credential.role = issue.role;
          credential.name = issue.name;
          credential.enrolled = issue.now;
        } else {
          credential.renewed = issue.now;
        }
        // The key that the daemon is known to hold; the new one only once it proves it.
        credential.previous_key_sha256 =
            proven.sha256.empty() ? credential.key_sha256 : proven.sha256;
        note_issued(credential, issued);
        tx.explain("certificate renewed");
        DROVER_CHECK_OK(write_credential(tx, credential));
        return admission(issue, issued, authority);
      },
      std::move(done));
}

Status revoke_daemons(store::Transaction& tx, const std::string& role,
                      const std::vector<std::string>& names, const std::string& why) {
  tx.explain(why);
  std::vector<std::string> unknown;
  for (const std::string& name : names) {
    DROVER_TRY(auto known, read_credential(tx, role, name));
    if (!known) {
      unknown.push_back(name);
      continue;
    }
    if (known->revoked) continue;
    known->revoked = true;
    known->revoked_at = from_unix_ms(tx.time_ms());
    known->revoked_by = tx.actor();
    known->why = why;
    DROVER_CHECK_OK(write_credential(tx, *known));
  }
  if (unknown.empty()) return {};
  return fail(Code::not_found,
              fmt::format("{} {} never joined", printable(role), fold_names(unknown)),
              "drover certificate list shows who did");
}

void Enrolment::revoke_daemon(store::Author author, const std::string& role,
                              const std::string& name, const std::string& why,
                              Callback<void(Status)> done) {
  store_.write(
      std::move(author),
      [role, name, why](store::Transaction& tx) { return revoke_daemons(tx, role, {name}, why); },
      [done = std::move(done)](Result<store::Committed> committed) mutable {
        done(committed ? Status() : Status(tl::unexpected(std::move(committed).error())));
      });
}

std::vector<Revocation> Enrolment::revocations() const {
  std::vector<Revocation> out;
  const WallTime now = clock_.wall();
  for (const auto& [key, known] : credentials_) {
    if (known.revoked) out.push_back({known.role, known.name, {}, known.why});
    for (const RetiredKey& retired : known.retired) {
      if (retired.expires <= now) continue;
      out.push_back({known.role, known.name, retired.key_sha256, "another host has the name now"});
    }
  }
  return out;
}

bool Enrolment::is_revoked(std::string_view role, std::string_view name) const {
  const auto known = credentials_.find(credential_key(role, name));
  return known != credentials_.end() && known->second.revoked;
}

Status Enrolment::check_daemon(std::string_view role, std::string_view name,
                               const ProvenKey& proven) const {
  const auto known = credentials_.find(credential_key(role, name));
  return known == credentials_.end() ? Status() : check_credential(known->second, proven);
}

Status Enrolment::check_link(std::string_view role, std::string_view name,
                             std::string_view key_sha256) const {
  const auto known = credentials_.find(credential_key(role, name));
  if (known == credentials_.end()) return {};
  DROVER_CHECK_OK(check_credential(known->second, {}));
  const bool retired = std::ranges::any_of(
      known->second.retired, [&](const RetiredKey& key) { return key.key_sha256 == key_sha256; });
  return retired ? check_credential(known->second, {std::string(key_sha256)}) : Status();
}

void Enrolment::apply(std::span<const store::Change> changes) {
  bool refused_changed = false;
  for (const store::Change& change : changes) {
    if (change.kind != kTokenKind && change.kind != kCredentialKind) continue;
    const auto before = credentials_.find(change.key);
    const bool was_refused = change.kind == kCredentialKind && before != credentials_.end() &&
                             (before->second.revoked || !before->second.retired.empty());
    if (change.after) {
      auto taken = take(change.kind, change.key, *change.after);
      if (!taken) log_.error("a stored record cannot be read", {{"why", taken.error().text()}});
    } else if (change.kind == kTokenKind) {
      tokens_.erase(change.key);
    } else {
      credentials_.erase(change.key);
    }
    if (change.kind != kCredentialKind) continue;
    const auto after = credentials_.find(change.key);
    const bool is_refused =
        after != credentials_.end() && (after->second.revoked || !after->second.retired.empty());
    if (!was_refused && !is_refused) continue;
    refused_changed = true;
    revocation_version_ = change.sequence;
  }
  if (refused_changed && revocation_changed_) revocation_changed_();
}

Status Enrolment::take(std::string_view kind, const std::string& key, std::string_view body) {
  const auto doing = [&] { return fmt::format("{} '{}' in the store", kind, key); };
  if (kind == kTokenKind) {
    auto token = decode_text<TokenRecord>(body, Unknown::ignore);
    if (!token) return fail_in(doing(), std::move(token).error());
    tokens_.insert_or_assign(key, std::move(*token));
    return {};
  }
  auto credential = decode_text<Credential>(body, Unknown::ignore);
  if (!credential) return fail_in(doing(), std::move(credential).error());
  credentials_.insert_or_assign(key, std::move(*credential));
  return {};
}

}  // namespace drover::auth
