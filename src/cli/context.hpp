// What a command's handler works with: the client, the output options and the two streams.
#pragma once

#include "cli/client.hpp"
#include "cli/output.hpp"
#include "cli/surroundings.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace drover::cli {

class Context {
 public:
  /// Checks the global options.
  static Result<std::unique_ptr<Context>> make(const Given& globals, Surroundings& surroundings);

  /// The connection to a daemon, chosen on first use.
  Result<Client*> client();
  [[nodiscard]] const OutputOptions& output() const { return output_; }
  /// --timeout, else `standard`.
  [[nodiscard]] Duration timeout(Duration standard = std::chrono::seconds(10)) const;
  /// --server, else DROVER_SERVER; for the command that joins.
  [[nodiscard]] std::string server_option() const;
  /// An environment variable; "" when it is not set.
  [[nodiscard]] std::string variable(const std::string& name) const;
  [[nodiscard]] Surroundings& surroundings() { return surroundings_; }
  /// Civil time now, for ages and certificates.
  [[nodiscard]] WallTime now() const { return output_.now; }
  /// Whether the answer is for a person: table or wide.
  [[nodiscard]] bool for_people() const {
    return output_.format == Format::table || output_.format == Format::wide;
  }

  void print(std::string_view text) { surroundings_.out(text); }
  /// A line on standard error, made printable.
  void warn(std::string_view text);
  Result<int> print_list(const json::array& items, const ListView& view, int exit_code = 0);
  Result<int> print_document(const json::value& document, int exit_code = 0);
  /// Tells on standard error when an answer came from a degraded daemon, once per command.
  void report_degraded();

 private:
  Context(const Given& globals, Surroundings& surroundings)
      : globals_(globals), surroundings_(surroundings) {}

  const Given& globals_;
  Surroundings& surroundings_;
  OutputOptions output_;
  std::optional<Duration> timeout_;
  std::unique_ptr<Client> client_;
};

/// Refuses a noderange with a mistake in its syntax before any server is asked; the error shows a
/// caret under the place.
Status check_range(std::string_view range);

/// The parts of "a,b,c"; none of an empty text.
std::vector<std::string> split_list(std::string_view text);

/// "?nodes=..." for a range, "" for an empty one.
std::string nodes_query(std::string_view range);

/// The nodes that a range names, asked from the cluster.
Result<std::vector<std::string>> ask_nodes(Context& context, std::string_view range);

}  // namespace drover::cli
