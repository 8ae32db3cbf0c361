import { allNodes, commandPlaces, listedValues, nameOf, optionsByValue, placeOf, type CompletionNode } from './node.js';

/** In single quotes fish knows two escapes. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`;
}

function linesOf(node: CompletionNode): string {
  const verbs = node.commands.map((each) => `${nameOf(each)}\t${each.summary}`).map(quoted);
  const flags = node.options.map(({ name, description }) => `${name}\t${description}`).map(quoted);
  return [
    `        case ${quoted(placeOf(node))}`,
    ...(verbs.length > 0 ? [`            set verbs ${verbs.join(' ')}`] : []),
    ...(flags.length > 0 ? [`            set flags ${flags.join(' ')}`] : []),
    ...(node.takesFile ? ['            set files yes'] : []),
  ].join('\n');
}

/** Of `--name=value` fish wants the whole word back. */
export function fishCompletion(root: CompletionNode): string {
  const { files, directories, texts } = optionsByValue(root);
  const values = listedValues(root).map(
    ({ place, option, values: list }) =>
      `        case ${quoted(`${place} ${option}`)}\n            printf '%s\\n' "$prefix"{${list.join(',')}}\n            return`,
  );
  const places = commandPlaces(root).map(quoted);
  return `# Completion of aisec for fish: aisec completion fish | source
function __aisec_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -e words[1]
    set -l place ''
    set -l prev ''
    set -l prefix ''
    set -l isValue no
    for word in $words
        set prev $word
        if test $isValue = yes
            set isValue no
            continue
        end
        switch $word
            case ${[...files, ...directories, ...texts].join(' ')}
                set isValue yes
                continue
        end
        switch "$place $word"
            case ${places.join(' ')}
                set place "$place $word"
        end
    end
    if string match -q -- '--*=*' $current
        set prev (string replace -r '=.*' '' -- $current)
        set prefix "$prev="
        set current (string replace -r '^[^=]*=' '' -- $current)
    else if test $isValue = no
        set prev ''
    end
    switch "$place $prev"
${values.join('\n')}
    end
    switch $prev
        case ${files.join(' ')}
            printf '%s\\n' "$prefix"(__fish_complete_path $current)
            return
        case ${directories.join(' ')}
            printf '%s\\n' "$prefix"(__fish_complete_directories $current)
            return
        case ${texts.join(' ')}
            return
    end
    set -l verbs
    set -l flags
    set -l files no
    switch $place
${allNodes(root).map(linesOf).join('\n')}
    end
    if string match -q -- '-*' $current
        printf '%s\\n' $flags
    else if test (count $verbs) -gt 0
        printf '%s\\n' $verbs
    else if test $files = no
        printf '%s\\n' $flags
    end
    if test $files = yes
        __fish_complete_path $current
    end
end

complete -c aisec -f -a '(__aisec_complete)'
`;
}
