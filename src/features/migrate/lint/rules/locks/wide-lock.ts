import type { Effects } from '../../../effects/effects.js';
import { statementRule } from '../../rule.js';

function exclusive(effects: readonly Effects[]): ReadonlySet<string> {
  const locks = effects.flatMap((one) => one.locks);
  const tables = locks.filter(({ kind, mode }) => mode === 'AccessExclusiveLock' && ['r', 'p'].includes(kind));
  return new Set(tables.map(({ root }) => root));
}

export const wideLock = statementRule({
  id: 'wide-lock',
  severity: 'warning',
  title: 'ACCESS EXCLUSIVE locks on several tables in one transaction',
  impact:
    'All of them are locked until the last one is done, and a session that takes them in another order ends in a deadlock. One migration a table.',
  example: {
    before: 'create table customers (id bigint primary key); create table invoices (id bigint primary key);',
    bad: 'alter table customers add column note text;\nalter table invoices add column note text;',
    good: 'alter table customers add column note text;',
  },
  check: (statement, { effects, effectsBefore, file }) => {
    if (!file.isTransactional || effects === undefined || statement.isNested) return [];
    const held = exclusive(effectsBefore);
    const added = [...exclusive([effects])].filter((table) => !held.has(table));
    // Once a file: where the second table comes in.
    if (held.size === 1 ? added.length === 0 : held.size > 0 || added.length < 2) return [];
    const tables = [...held, ...added];
    return {
      object: tables.at(-1) ?? '',
      message: `reads and writes of ${tables.slice(0, -1).join(', ')} and ${tables.at(-1) ?? ''} wait at the same time`,
      fix: held.size === 0 ? null : [{ sql: `${statement.text};` }],
    };
  },
});
