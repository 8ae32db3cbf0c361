import { listed } from '../../../base/count.js';
import { aisecCommand } from '../../../base/package/aisec-command.js';
import { groupBy } from '../../../base/group-by.js';
import { sampleKeys, type KeySample } from '../../messages/checks.js';
import type { Check, Fault, Subject } from '../check.js';
import { partitionLayout } from './partition-checks.js';
import { nameInSql } from '../../../base/identifier.js';

const IMPACT = {
  messages:
    'a reply to such a message is refused, find_message() does not find it, and its id can be used twice; ' +
    'aisec partitions check --keys counts all of them',
  keys:
    'their ids cannot be used again, and replies and files refer to messages that do not exist; a partition that was detached ' +
    'by hand is to be attached first, since the fix deletes its keys; aisec partitions check --keys counts all of them',
};

function faultOf(source: KeySample['source'], samples: readonly KeySample[], schema: string): Fault {
  const [sampled, wrong] = samples.reduce((sums, one) => [sums[0] + one.sampled, sums[1] + one.wrong], [0, 0]);
  const places = listed(samples.map(({ name }) => nameInSql(name)));
  const isKeys = source === 'message_keys';
  return {
    object: source,
    message:
      (isKeys
        ? `${wrong} of ${sampled} sampled keys have no message, in ${listed(samples.map(({ name }) => name))}`
        : `${wrong} of ${sampled} sampled messages have no key in message_keys, or a different one, in ${places}`) +
      `, such as ${samples[0]?.example ?? ''}`,
    impact: isKeys ? IMPACT.keys : IMPACT.messages,
    fix: aisecCommand('partitions rebuild-keys', schema),
  };
}

async function examineKeys(subject: Subject): Promise<readonly Fault[]> {
  const samples = await sampleKeys(subject.session, await subject.once(partitionLayout));
  const wrong = groupBy(
    samples.filter((sample) => sample.wrong > 0),
    ({ source }) => source,
  );
  return [...wrong].map(([source, found]) => faultOf(source, found, subject.schema));
}

export const KEY_CHECKS: readonly Check[] = [
  {
    id: 'partition-keys',
    area: 'partitions',
    severity: 'critical',
    title: 'a sample of messages without their keys, and of keys without their messages',
    grant: (schema, role) =>
      `grant usage on schema ${schema} to ${role}; ` +
      `grant select (id, created_at, parent_id) on ${['message_keys', 'messages', 'messages_archive', 'messages_default'].map((table) => `${schema}.${table}`).join(', ')} to ${role}; ` +
      `alter role ${role} bypassrls;`,
    examine: examineKeys,
  },
];
