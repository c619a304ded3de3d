#include "api/smd/manners.hpp"

#include "api/problem.hpp"
#include "api/smd/words.hpp"
#include "base/json_values.hpp"
#include "base/text.hpp"
#include "net/http/target.hpp"

#include <charconv>

#include <fmt/format.h>

namespace drover::api::smd {

bool is_strict(const Services& services) {
  return services.model.settings().flag("smd.strict");
}

void refuse_malformed(const Services& services, const RequestPtr& request, std::string_view why) {
  constexpr int kServerError = 500;
  const std::string text = fmt::format("error decoding JSON {}", printable(why));
  if (is_strict(services)) return request->respond(plain_problem(kServerError, text));
  request->fail({Code::invalid_argument, text, {}, {}});
}

std::optional<json::value> body_of_request(const Services& services, const RequestPtr& request) {
  auto value = parse_json(request->http().body);
  if (!value) {
    refuse_malformed(services, request, value.error().text());
    return std::nullopt;
  }
  if (!value->is_object()) {
    refuse_malformed(services, request, "the body: expected an object");
    return std::nullopt;
  }
  return *std::move(value);
}

Members::Members(const json::value& value) : object_(value.if_object()) {
  if (object_ == nullptr) wrong_ = "expected an object";
}

const json::value* Members::find(std::string_view name) const {
  if (object_ == nullptr) return nullptr;
  if (const json::value* exact = object_->if_contains(name)) {
    return exact->is_null() ? nullptr : exact;
  }
  const std::string wanted = lower(name);
  for (const auto& [key, value] : *object_) {
    if (lower(key) == wanted) return value.is_null() ? nullptr : &value;
  }
  return nullptr;
}

void Members::note(std::string_view name, std::string_view expected) {
  if (wrong_.empty()) wrong_ = fmt::format("{}: expected {}", name, expected);
}

std::optional<std::string> Members::text(std::string_view name) {
  const json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (const auto* text = value->if_string()) return std::string(*text);
  note(name, "a text");
  return std::nullopt;
}

std::optional<bool> Members::truth(std::string_view name) {
  const json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (const bool* truth = value->if_bool()) return *truth;
  note(name, "true or false");
  return std::nullopt;
}

std::optional<int64_t> Members::number(std::string_view name) {
  const json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (const int64_t* number = value->if_int64()) return *number;
  if (const auto* text = value->if_string()) {
    int64_t out = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), out);
    if (error == std::errc() && end == text->data() + text->size()) return out;
  }
  note(name, "a whole number");
  return std::nullopt;
}

std::optional<std::vector<std::string>> Members::texts(std::string_view name) {
  const json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  std::vector<std::string> out;
  const auto* list = value->if_array();
  if (list == nullptr) {
    note(name, "a list of texts");
    return std::nullopt;
  }
  for (const json::value& each : *list) {
    if (!each.is_string()) {
      note(name, "a list of texts");
      return std::nullopt;
    }
    out.emplace_back(each.get_string());
  }
  return out;
}

Result<Query> query_of(const Request& request) {
  Query out;
  std::string_view rest = request.http().target;
  const size_t mark = rest.find('?');
  if (mark == std::string_view::npos) return out;
  rest.remove_prefix(mark + 1);
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (part.empty()) continue;
    const size_t equals = std::min(part.find('='), part.size());
    DROVER_TRY(const std::string name, net::percent_decode(part.substr(0, equals), true));
    DROVER_TRY(std::string value,
               net::percent_decode(part.substr(std::min(equals + 1, part.size())), true));
    out[lower(name)].push_back(std::move(value));
  }
  return out;
}

Status authorize(const RequestPtr& request, const std::vector<std::string>& nodes, bool beyond) {
  DROVER_CHECK_OK(request->authorize_nodes(nodes));
  if (!beyond || request->standing().limits.empty()) return {};
  return fail(Code::denied,
              fmt::format("{} is limited to nodes and may not change other components",
                          printable(request->principal().text())));
}

std::string done_text(std::string_view message) {
  std::string out = R"({"code":0,"message":)";
  append_quoted(out, message);
  return out + "}";
}

std::string deleted_text(size_t count, std::string_view one, std::string_view several) {
  return done_text(fmt::format("deleted {} {}", count, count == 1 ? one : several));
}

std::string uri_text(std::string_view path) {
  std::string out = R"({"URI":)";
  append_quoted(out, path);
  return out + "}";
}

void append_quoted(std::string& out, std::string_view text) {
  // Nearly everything here is plain; the rest is the library's.
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == '"' || byte == '\\' || byte >= 0x7f) {
      out += to_text(json::value(json::string(text)));
      return;
    }
  }
  out += '"';
  out += text;
  out += '"';
}

void Outcome::describe(Visitor& v) {
  v.field("code", code, "Always 0.");
  v.field("message", message, "What was done.");
}

void ResourceUri::describe(Visitor& v) {
  v.field("URI", uri, "Path of what was made.");
}

}  // namespace drover::api::smd
