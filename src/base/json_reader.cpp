// An arena that is wound back before each document.
#include "base/json_reader.hpp"

#include "base/json_numbers.hpp"
#include "base/json_values.hpp"

#include <array>
#include <optional>

#include <fmt/format.h>

namespace drover {

struct JsonReader::Impl {
  static json::parse_options options() {
    json::parse_options out;
    out.max_depth = 64;
    return out;
  }
  std::array<unsigned char, size_t{32} << 10> first{};  ///< enough for most documents
  std::optional<json::monotonic_resource> arena;  ///< made anew: it asks for ever larger blocks
  json::stream_parser parser{{}, options()};
  json::value value;
};

JsonReader::JsonReader() : impl_(std::make_unique<Impl>()) {}
JsonReader::~JsonReader() = default;

Result<json::value*> JsonReader::read(std::string_view text) {
  // A value keeps the memory it was made with: it is made anew, not assigned to.
  std::destroy_at(&impl_->value);
  std::construct_at(&impl_->value);
  impl_->arena.emplace(impl_->first.data(), impl_->first.size());
  impl_->parser.reset(&*impl_->arena);
  json::error_code error;
  const size_t used = impl_->parser.write_some(text.data(), text.size(), error);
  if (!error && used < text.size()) error = json::error::extra_data;
  if (!error) impl_->parser.finish(error);
  if (error) {
    impl_->parser.reset();  // of what it has read so far, while the arena is there
    return fail(Code::invalid_argument,
                fmt::format("not valid JSON at byte {}: {}", used, error.message()));
  }
  std::destroy_at(&impl_->value);
  std::construct_at(&impl_->value, impl_->parser.release());
  if (!all_finite(impl_->value)) {
    return fail(Code::invalid_argument, "not valid JSON: a number is out of range");
  }
  return &impl_->value;
}

}  // namespace drover
