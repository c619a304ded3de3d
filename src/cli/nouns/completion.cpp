// drover completion: scripts for bash, zsh and fish. They know nothing by themselves: each asks
// `drover __complete`, so that they never fall behind the program.
#include "cli/context.hpp"
#include "cli/nouns/nouns.hpp"

namespace drover::cli {
namespace {

using Kind = Parameter::Kind;

constexpr std::string_view kBash =
    R"sh(# drover(1) completion for bash: source <(drover completion bash)
_drover() {
  # $2 is what Readline will replace: what follows the last of its word breaks, = : and the like.
  local line=${COMP_LINE:0:COMP_POINT} piece=$2 cur head one
  local -a words
  read -r -a words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  words=("${words[@]//[\'\"]/}")
  cur=${words[${#words[@]}-1]}
  piece=${piece//[\'\"]/}
  head=${cur%"$piece"}
  COMPREPLY=()
  while IFS= read -r one; do
    if [[ $one == :files ]]; then
      compopt -o default 2>/dev/null
      return
    fi
    one=${one%%$'\t'*}
    COMPREPLY+=("${one#"$head"}")
  done < <(drover __complete -- "${words[@]:1}" 2>/dev/null)
  if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
}
complete -F _drover drover
)sh";

constexpr std::string_view kZsh = R"sh(#compdef drover
# drover(1) completion for zsh: drover completion zsh > "${fpath[1]}/_drover"
_drover() {
  local one name
  local -a whole whole_help open open_help
  for one in "${(@f)$(drover __complete -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
    [[ -z $one ]] && continue
    if [[ $one == :files ]]; then
      _files
      return
    fi
    name=${one%%$'\t'*}
    if [[ $name == *= ]]; then
      open+=("$name")
      open_help+=("$name  ${one#*$'\t'}")
    else
      whole+=("$name")
      whole_help+=("$name  ${one#*$'\t'}")
    fi
  done
  (( ${#whole} )) && compadd -l -d whole_help -a whole
  (( ${#open} )) && compadd -S '' -l -d open_help -a open
}
if [[ ${funcstack[1]} == _drover ]]; then
  _drover "$@"
else
  compdef _drover drover
fi
)sh";

constexpr std::string_view kFish =
    R"sh(# drover(1) completion for fish: drover completion fish | source
function __drover_complete
  set -l words (commandline -opc)
  set -l last (commandline -ct | string replace -ra '[\'"\\\\]' '')
  set -l found (drover __complete -- $words[2..-1] "$last" 2>/dev/null)
  if test "$found" = :files
    __fish_complete_path (commandline -ct)
  else
    printf '%s\n' $found
  end
end
complete -c drover -f -a '(__drover_complete)'
)sh";

Result<int> completion(Context& context, const Given& given) {
  const std::string& shell = given.text("shell");
  context.print(shell == "bash" ? kBash : shell == "zsh" ? kZsh : kFish);
  return 0;
}

}  // namespace

std::vector<Command> completion_commands() {
  return {{"completion",
           "",
           "Print a completion script for a shell; it completes live names too",
           {{"shell", Kind::required, "bash, zsh or fish", {"bash", "zsh", "fish"}}},
           {"source <(drover completion bash)", "drover completion fish | source"},
           completion}};
}

}  // namespace drover::cli
