import { countText } from '../../../base/count.js';
import { aisecCommand } from '../../../base/package/aisec-command.js';
import { qualifiedName } from '../partition.js';
import type { PartitionProblem } from '../partitions/finding.js';
import type { KeyCount } from './check-keys.js';

const IMPACT: Readonly<Record<KeyCount['kind'], string>> = {
  missing: 'a reply to such a message is refused, find_message() does not find it, and its id can be used twice',
  orphaned: 'its id cannot be used again, and replies and files refer to a message that does not exist',
  different: 'find_message() and deleting look for such a message in the wrong place',
  doubled: 'a reply or a file refers to either of them',
};

const MESSAGE: Readonly<Record<KeyCount['kind'], (count: string) => string>> = {
  missing: (count) => `${count} without a key in message_keys`,
  orphaned: (count) => `${count} in message_keys of messages that do not exist`,
  different: (count) => `${count} in message_keys with another created_at or parent_id than the message`,
  doubled: (count) => `${count} of several messages`,
};

function whereOf({ partitions, ids }: KeyCount): string {
  const tables = partitions.length === 0 ? '' : ` in ${partitions.join(', ')}`;
  return `${tables}, such as ${ids.join(', ')}`;
}

/** What a comparison of the keys has found, as findings. Looks at nothing but its arguments. */
export function keyFindings(counts: readonly KeyCount[], schema: string): readonly PartitionProblem[] {
  return counts.map((found) => {
    const { kind, count, ids } = found;
    const noun = { missing: 'message', orphaned: 'key', different: 'key', doubled: 'id' }[kind];
    const list = ids.map((id) => `'${id}'`).join(', ');
    return {
      kind: `keys-${kind}` as const,
      partition: null,
      message: `${MESSAGE[kind](countText(count, noun))}${whereOf(found)}`,
      impact: IMPACT[kind],
      fix:
        kind === 'doubled'
          ? `select source, partition, * from (select 'messages' as source, tableoid::regclass as partition, * from ${qualifiedName({ schema, name: 'messages' })} union all select 'messages_archive', tableoid::regclass, * from ${qualifiedName({ schema, name: 'messages_archive' })}) as doubled where id in (${list}) order by id;`
          : aisecCommand('partitions rebuild-keys', schema),
    };
  });
}
