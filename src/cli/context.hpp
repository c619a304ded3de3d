// What a command's handler works with: the client, the output options and the two streams.
#pragma once

#include "base/callback.hpp"
#include "cli/client.hpp"
#include "cli/output.hpp"
#include "cli/selection.hpp"
#include "cli/surroundings.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

  void print(std::string_view text) { captured_ ? captured_(text) : surroundings_.out(text); }
  /// A line on standard error, made printable.
  void warn(std::string_view text);
  /// Chosen by --filter, ordered by --sort, in the form of -o.
  Result<int> print_list(json::array items, const ListView& view, int exit_code = 0);
  /// Whether print_list() would print whole items as they come: JSON or YAML that nobody filters or
  /// sorts.
  [[nodiscard]] bool prints_as_it_comes() const {
    const bool whole = output_.format == Format::json || output_.format == Format::jsonl ||
                       output_.format == Format::yaml;
    return whole && filters_.empty() && sort_.empty() && !on_list_;
  }
  /// Asks for a list and prints it like print_list(). As it comes it goes from text to text, and
  /// what is chosen column by column is read item by item: no tree of values is built.
  /// `prepare` may add to an item what the view shows of it, except where whole items are printed.
  Result<int> print_list_at(const std::string& path, const ListView& view,
                            Callback<void(json::value& item)> prepare = {});
  /// --filter and --sort for lists that are printed otherwise; print_list() does it by itself.
  Result<json::array> refined(json::array items, const ListView& view) const;
  /// The fields that the chosen form, columns, order and tests need of a list's items, each once;
  /// none when that is everything.
  [[nodiscard]] std::vector<std::string> fields_for(const ListView& view) const;
  /// Hands the tests of --filter over to a command that has the server make them.
  std::vector<FieldTest> take_filters() { return std::exchange(filters_, {}); }
  /// For a server that does not know the field of a test.
  void restore_filters(std::vector<FieldTest> filters) { filters_ = std::move(filters); }

  /// To be called before a change that touches `count` nodes; `what` completes "This will .. ":
  /// "remove n[1-200]". Ok with --yes, and for no more than the cluster's setting confirm.above
  /// (DROVER_CONFIRM_ABOVE is stronger; 16 without either; a single one is never asked about).
  /// Else asks on the terminal: cancelled when the answer is not yes. Where nobody can be asked it
  /// is refused with invalid_argument, saying what to add.
  Status confirm_many(size_t count, std::string_view what);
  /// Whether --yes says that nothing is to be asked.
  [[nodiscard]] bool told_yes() const { return globals_.has("yes"); }
  Result<int> print_document(const json::value& document, int exit_code = 0);
  /// For --watch: what is printed and warned goes to `text`; lists, chosen and sorted, to `list`
  /// too.
  void redirect(Callback<void(std::string_view)> text,
                Callback<void(const json::array&, const ListView&)> list) {
    captured_ = std::move(text);
    on_list_ = std::move(list);
  }
  /// Tells on standard error when an answer came from a degraded daemon, once per command.
  void report_degraded();

 private:
  [[nodiscard]] size_t confirm_above();
  Result<int> print_each_at(const std::string& path, const ListView& view,
                            Callback<void(json::value& item)> prepare);
  Result<int> print_chosen(json::array items, const ListView& view, int exit_code);
  Context(const Given& globals, Surroundings& surroundings)
      : globals_(globals), surroundings_(surroundings) {}

  const Given& globals_;
  Surroundings& surroundings_;
  OutputOptions output_;
  std::optional<Duration> timeout_;
  std::vector<FieldTest> filters_;
  std::vector<SortKey> sort_;
  std::unique_ptr<Client> client_;
  Callback<void(std::string_view)> captured_;
  Callback<void(const json::array&, const ListView&)> on_list_;
};

/// Refuses a noderange with a mistake in its syntax before any server is asked; the error shows a
/// caret under the place.
Status check_range(std::string_view range);

/// The parts of "a,b,c"; none of an empty text.
std::vector<std::string> split_list(std::string_view text);

/// "?nodes=..." for a range, "" for an empty one.
std::string nodes_query(std::string_view range);

/// "?nodes=..&fields=..", each part only when there is something to say.
std::string list_query(std::string_view range, const std::vector<std::string>& fields);

/// The nodes that a range names, asked from the cluster.
Result<std::vector<std::string>> ask_nodes(Context& context, std::string_view range);

}  // namespace drover::cli
