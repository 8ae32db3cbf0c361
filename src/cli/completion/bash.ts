import { shellQuoted as quoted } from '../../base/package/aisec-command.js';
import { allNodes, commandPlaces, listedValues, nameOf, optionsByValue, placeOf, type CompletionNode } from './node.js';

function linesOf(node: CompletionNode): string {
  const commands = node.commands.map(nameOf).join(' ');
  const options = node.options.map(({ name }) => name).join(' ');
  const file = node.takesFile ? ' files=yes' : '';
  return `    ${quoted(placeOf(node))}) commands=${quoted(commands)} options=${quoted(options)}${file} ;;`;
}

/**
 * Bash 3.2 and newer (macOS). Bash cuts words at `=`, so `--format=csv` comes as three. No process is started: the script
 * knows all names.
 */
export function bashCompletion(root: CompletionNode): string {
  const { files, directories, texts } = optionsByValue(root);
  const values = listedValues(root).map(
    ({ place, option, values: list }) =>
      `    ${quoted(`${place} ${option}`)}) COMPREPLY=($(compgen -W ${quoted(list.join(' '))} -- "$cur")); return ;;`,
  );
  const places = commandPlaces(root).map(quoted);
  return `# Completion of aisec for bash: source <(aisec completion bash)
_aisec_paths() {
  local name
  while IFS= read -r name; do COMPREPLY+=("$name"); done < <(compgen "$1" -- "$cur")
  compopt -o filenames 2>/dev/null
}

_aisec() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} place= word i commands= options= files=
  local IFS=$' \\t\\n'
  COMPREPLY=()
  if [[ $cur == '=' ]]; then
    cur=
  elif [[ $prev == '=' ]]; then
    prev=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case $word in
    ${[...files, ...directories, ...texts].join('|')})
      if [[ \${COMP_WORDS[i+1]} == '=' ]]; then i=$((i + 2)); else i=$((i + 1)); fi
      continue
      ;;
    esac
    case "$place $word" in
    ${places.join('|')}) place="$place $word" ;;
    esac
  done
  case "$place $prev" in
${values.join('\n')}
  esac
  case $prev in
    ${files.join('|')}) _aisec_paths -f; return ;;
    ${directories.join('|')}) _aisec_paths -d; return ;;
    ${texts.join('|')}) return ;;
  esac
  case $place in
${allNodes(root).map(linesOf).join('\n')}
  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  elif [[ -n $commands ]]; then
    COMPREPLY=($(compgen -W "$commands" -- "$cur"))
  elif [[ -z $files ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  fi
  if [[ -n $files && $cur != -* ]]; then _aisec_paths -f; fi
}

complete -F _aisec aisec
`;
}
