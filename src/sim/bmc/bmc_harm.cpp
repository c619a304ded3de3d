#include "sim/bmc/bmc_harm.hpp"

#include "base/json_values.hpp"
#include "sim/bmc/bmc_tree.hpp"

#include <utility>

#include <fmt/format.h>

namespace drover::sim {
namespace {

constexpr size_t kHugeBody = size_t{16} << 20;
constexpr size_t kPiece = size_t{16} << 10;

net::HttpHeaders json_headers() {
  return {{"Content-Type", "application/json"}};
}

net::HttpResponse whole(std::string body) {
  net::HttpResponse answer;
  answer.headers = json_headers();
  answer.body = std::move(body);
  return answer;
}

/// Writes on whenever what it wrote has been taken, as long as the client stays.
void pour(net::HttpExchange& exchange) {
  exchange.on_drained([&exchange] { exchange.write(std::string(kPiece, ' ')); });
  exchange.begin(200, json_headers());
  exchange.write("{\"Members\":[");
  exchange.write(std::string(kPiece, ' '));
}

/// One byte a second.
void drip(Executor& executor, std::shared_ptr<net::HttpExchange> exchange, std::string body,
          size_t at) {
  if (exchange->gone()) return;
  if (at == body.size()) return exchange->end();
  exchange->write(std::string_view(body).substr(at, 1));
  executor.arm(executor.now() + std::chrono::seconds(1),
               [&executor, exchange = std::move(exchange), body = std::move(body), at]() mutable {
                 drip(executor, std::move(exchange), std::move(body), at + 1);
               });
}

/// A collection that has itself, ever new ones and a next page among its members.
std::string recursive_body(std::string_view target) {
  const std::string path(target.substr(0, target.find('?')));
  json::array members;
  members.emplace_back(json::object{{"@odata.id", path}});
  for (int i = 0; i < 50; ++i) {
    members.emplace_back(json::object{{"@odata.id", fmt::format("{}/{}", path, i)}});
  }
  json::object body{{"@odata.id", path}, {"Id", "x"}, {"Name", "x"}, {"Members", members}};
  for (const char* name : {"Systems", "Processors", "Memory", "EthernetInterfaces", "Storage",
                           "Chassis", "Power", "Thermal", "FirmwareInventory"}) {
    body[name] = json::object{{"@odata.id", path + "/again"}};
  }
  body["Drives"] = members;
  body["Members@odata.nextLink"] = fmt::format("{}?page={}", path, target.size());
  return json::serialize(body);
}

json::value foreign(const json::value& value) {
  if (const auto* object = value.if_object()) {
    json::object changed;
    for (const auto& [name, member] : *object) {
      static constexpr const char* kElsewhere[] = {"http://198.51.100.7/redfish/v1/Systems/1",
                                                   "//198.51.100.7/x",
                                                   "/redfish/v1/../../etc",
                                                   "/other/v1/Systems",
                                                   "redfish/v1/Systems",
                                                   "/redfish/v1/a b\r\nX: y"};
      if (name == "@odata.id") {
        changed[name] = kElsewhere[(member.is_string() ? member.get_string().size() : 0) % 6];
      } else {
        changed[name] = foreign(member);
      }
    }
    return changed;
  }
  if (const auto* array = value.if_array()) {
    json::array changed;
    for (const auto& element : *array) changed.push_back(foreign(element));
    return changed;
  }
  return value;
}

json::value wrong(const json::value& value) {
  if (const auto* object = value.if_object()) {
    if (object->contains("@odata.id") && object->size() == 1) return value;
    json::object changed;
    for (const auto& [name, member] : *object) {
      const bool kept = name == "@odata.id" || name == "Members";
      changed[name] = kept ? member : wrong(member);
    }
    return changed;
  }
  if (value.is_array()) return json::object{{"0", value}};
  if (value.is_string()) return json::array{7, nullptr};
  if (value.is_number()) return "many";
  if (value.is_bool()) return 2.5e300;
  return json::object{};
}

}  // namespace

std::string with_wrong_types(std::string_view body) {
  const auto value = parse_json(body);
  return value ? json::serialize(wrong(*value)) : std::string(body);
}

bool shapes_bodies(BmcHostility hostility) {
  return hostility != BmcHostility::silent && hostility != BmcHostility::slow &&
         hostility != BmcHostility::redirect;
}

std::shared_ptr<net::HttpExchange> do_harm(BmcHostility hostility, Executor& executor,
                                           const net::HttpRequest& request,
                                           net::HttpResponse answer,
                                           std::shared_ptr<net::HttpExchange> exchange) {
  const auto respond = [&](net::HttpResponse response) { exchange->respond(std::move(response)); };
  switch (hostility) {
    case BmcHostility::none:
      respond(std::move(answer));
      break;
    case BmcHostility::silent:
      return exchange;
    case BmcHostility::slow:
      exchange->begin(200, json_headers());
      drip(executor, std::move(exchange), std::move(answer.body), 0);
      break;
    case BmcHostility::endless:
      pour(*exchange);
      return exchange;
    case BmcHostility::huge:
      respond(whole("{\"Name\":\"" + std::string(kHugeBody, 'x') + "\"}"));
      break;
    case BmcHostility::deep:
      respond(whole(std::string(100'000, '[') + std::string(100'000, ']')));
      break;
    case BmcHostility::recursive:
      respond(whole(recursive_body(request.target)));
      break;
    case BmcHostility::wrong_types:
      respond(whole(with_wrong_types(answer.body)));
      break;
    case BmcHostility::garbage:
      respond(whole("\x1b[2J\x1b]0;owned\x07{\"Id\":\xff\xfe"));
      break;
    case BmcHostility::foreign_links: {
      const auto body = parse_json(answer.body);
      respond(whole(body ? json::serialize(foreign(*body)) : answer.body));
      break;
    }
    case BmcHostility::redirect:
      answer = {
          .status = 308, .headers = {{"Location", "http://198.51.100.7/redfish/v1"}}, .body = {}};
      respond(std::move(answer));
      break;
    case BmcHostility::cut:
      exchange->begin(200, {{"Content-Length", "100000"}, {"Content-Type", "application/json"}});
      exchange->write("{\"Members\":[");
      break;  // dropped unended: the connection is cut
    case BmcHostility::failing:
      answer = whole("<html>\x1b[31mInternal Error</html>");
      answer.status = 500;
      respond(std::move(answer));
      break;
  }
  return nullptr;
}

}  // namespace drover::sim
