import { shellQuoted as quoted } from '../../base/package/aisec-command.js';
import { allNodes, commandPlaces, listedValues, nameOf, optionsByValue, placeOf, type CompletionNode } from './node.js';

/** `name:description`, as _describe takes it. */
function described(name: string, description: string): string {
  return quoted(`${name.replaceAll(':', String.raw`\:`)}:${description.replaceAll('\\', '\\\\')}`);
}

function linesOf(node: CompletionNode): string {
  const verbs = node.commands.map((each) => described(nameOf(each), each.summary)).join(' ');
  const flags = node.options.map(({ name, description }) => described(name, description)).join(' ');
  const files = node.takesFile ? ' files=yes' : '';
  return `    (${quoted(placeOf(node))}) verbs=(${verbs}) flags=(${flags})${files} ;;`;
}

/** To be sourced after compinit, or kept as \`_aisec\` in a directory of fpath. \`path\`, \`commands\` and \`options\` are zsh's own. */
export function zshCompletion(root: CompletionNode): string {
  const { files, directories, texts } = optionsByValue(root);
  const values = listedValues(root).map(
    ({ place, option, values: list }) =>
      `    (${quoted(`${place} ${option}`)}) compadd -- ${list.join(' ')}; return ;;`,
  );
  const places = commandPlaces(root).map(quoted);
  return `#compdef aisec
# Completion of aisec for zsh: source <(aisec completion zsh), after compinit
_aisec() {
  local cur=\${words[CURRENT]} prev=\${words[CURRENT-1]} place='' word files=''
  local -i i
  local -a verbs flags
  if [[ $cur == --*=* ]]; then
    prev=\${cur%%=*}
    compset -P '*='
  fi
  for ((i = 2; i < CURRENT; i++)); do
    word=\${words[i]}
    case $word in
    (${[...files, ...directories, ...texts].join('|')}) i=$((i + 1)); continue ;;
    esac
    case "$place $word" in
    (${places.join('|')}) place="$place $word" ;;
    esac
  done
  case "$place $prev" in
${values.join('\n')}
  esac
  case $prev in
    (${files.join('|')}) _files; return ;;
    (${directories.join('|')}) _files -/; return ;;
    (${texts.join('|')}) return 1 ;;
  esac
  case $place in
${allNodes(root).map(linesOf).join('\n')}
  esac
  if [[ $cur == -* ]]; then
    _describe -o option flags
  elif (( $#verbs )); then
    _describe command verbs
    if [[ -n $files ]]; then _files; fi
  elif [[ -n $files ]]; then
    _files
  else
    _describe -o option flags
  fi
}

if [[ $funcstack[1] == _aisec ]]; then _aisec "$@"; else compdef _aisec aisec; fi
`;
}
