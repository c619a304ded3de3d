#include "cli/call_stream.hpp"

#include "base/json_values.hpp"
#include "base/noderange.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/core.h>

namespace drover::cli {
namespace {

/// A stream that lives says so every 10 s.
constexpr Duration kSilence = std::chrono::seconds(45);
constexpr size_t kMaxLine = size_t{1} << 20;
constexpr size_t kMaxBody = size_t{64} << 20;

/// Equal outcomes of several events as one.
class Groups {
 public:
  void add(const json::object& group) {
    json::object like = group;
    like.erase("nodes");
    like.erase("count");
    auto& names = groups_[to_text(like)];
    const auto nodes = group.if_contains("nodes");
    if (nodes == nullptr || !nodes->is_string()) return;
    if (auto more = expand_names(std::string_view(nodes->get_string()))) {
      names.insert(names.end(), more->begin(), more->end());
    }
  }
  [[nodiscard]] json::array take() {
    std::vector<json::object> out;
    for (const auto& [like, names] : groups_) {
      json::object group = parse_json(like).value().as_object();
      group["nodes"] = fold_names(names);
      group["count"] = names.size();
      out.push_back(std::move(group));
    }
    std::ranges::sort(out, [](const json::object& a, const json::object& b) {
      const auto count = [](const json::object& g) { return g.at("count").to_number<uint64_t>(); };
      if (count(a) != count(b)) return count(a) > count(b);
      return natural_compare(a.at("nodes").as_string(), b.at("nodes").as_string()) < 0;
    });
    json::array groups;
    for (json::object& group : out) groups.emplace_back(std::move(group));
    return groups;
  }

 private:
  std::map<std::string, std::vector<std::string>> groups_;
};

class CallStream {
 public:
  CallStream(Context& context, Client& client) : context_(context), client_(client) {}

  Result<json::value> run(const json::object& body, Duration deadline) {
    net::HttpRequest request;
    request.method = "POST";
    request.target = "/api/v1/calls";
    request.headers.set("Accept", "application/jsonl");
    request.headers.set("Content-Type", "application/json");
    request.body = to_text(body);
    net::HttpStreamEvents events;
    events.on_head = [this](const net::HttpResponse& head) {
      head_ = head;
      lines_ = head.status == 200 && head.headers.get("Content-Type") == "application/jsonl";
    };
    events.on_chunk = [this](std::string_view chunk) { take(chunk); };
    events.on_end = [this](Status end) { on_end(std::move(end)); };
    call_ = client_.stream(std::move(request), deadline, std::max(kSilence, deadline),
                           std::move(events));
    client_.loop().run();
    call_.reset();
    wipe();
    if (!result_) return fail(Code::cancelled, "the call was left before its end");
    return *std::move(result_);
  }

 private:
  void take(std::string_view chunk) {
    buffer_ += chunk;
    if (!lines_) {
      if (buffer_.size() > kMaxBody) finish(fail(Code::too_large, "the answer is too large"));
      return;
    }
    size_t from = 0;
    for (size_t end = buffer_.find('\n'); end != std::string::npos;
         end = buffer_.find('\n', from)) {
      line(std::string_view(buffer_).substr(from, end - from));
      from = end + 1;
    }
    buffer_.erase(0, from);
    if (buffer_.size() > kMaxLine)
      finish(fail(Code::too_large, "a line of the answer is too long"));
  }

  void line(std::string_view text) {
    const auto event = parse_json(text);
    if (!event || !event->is_object()) {
      return finish(fail(Code::corrupt, "the daemon's stream holds a line that is no event"));
    }
    if (const json::value* group = find_path(*event, "group"); group && group->is_object()) {
      groups_.add(group->get_object());
    }
    const json::value* end = find_path(*event, "end");
    if (end != nullptr && end->is_bool() && end->get_bool()) {
      json::object answer{{"id", text_at(*event, "id")}, {"groups", groups_.take()}};
      if (const json::value* totals = find_path(*event, "totals")) answer["totals"] = *totals;
      return finish(json::value(std::move(answer)));
    }
    show(*event);
  }

  void show(const json::value& event) {
    if (!context_.surroundings().out_is_terminal || !context_.for_people()) return;
    const json::value* totals = find_path(event, "totals");
    uint64_t ended = 0;
    if (totals != nullptr && totals->is_object()) {
      for (const auto& entry : totals->get_object()) {
        if (entry.value().is_number()) ended += entry.value().to_number<uint64_t>();
      }
    }
    const std::string text =
        fmt::format("{} of {} nodes have ended", ended, text_at(event, "targets"));
    context_.surroundings().err("\r" + text +
                                std::string(shown_ > text.size() ? shown_ - text.size() : 0, ' '));
    shown_ = text.size();
  }
  void wipe() {
    if (shown_ > 0) context_.surroundings().err("\r" + std::string(shown_, ' ') + "\r");
    shown_ = 0;
  }

  void on_end(Status end) {
    if (result_) return;
    if (!end) {
      Error error = std::move(end).error();
      error.context = "asking " + client_.server_text();
      return finish(tl::unexpected<Error>(std::move(error)));
    }
    if (lines_) {
      return finish(fail(Code::unreachable, "the stream ended before the call did",
                         "ask again, or with --async"));
    }
    head_.body = std::move(buffer_);
    if (head_.status >= 400) return finish(tl::unexpected<Error>(problem_error(head_)));
    finish(parse_json(head_.body));
  }

  void finish(Result<json::value> result) {
    if (result_) return;
    result_ = std::move(result);
    client_.loop().stop();
  }

  Context& context_;
  Client& client_;
  net::HttpResponse head_;
  bool lines_ = false;
  std::string buffer_;
  Groups groups_;
  size_t shown_ = 0;
  std::optional<Result<json::value>> result_;
  std::unique_ptr<net::HttpCall> call_;
};

}  // namespace

Result<json::value> stream_call(Context& context, Client& client, const json::object& request,
                                Duration deadline) {
  return CallStream(context, client).run(request, deadline);
}

}  // namespace drover::cli
