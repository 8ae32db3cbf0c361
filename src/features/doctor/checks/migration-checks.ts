import { countText, listed } from '../../../base/count.js';
import { groupBy } from '../../../base/group-by.js';
import { checkMigrations, foreignObjects, type MigrationFinding } from '../../migrate/checks.js';
import type { Check, Fault, Severity, Subject } from '../check.js';

const GRANT = (schema: string, role: string): string =>
  `grant usage on schema ${schema} to ${role}; grant select on ${schema}.pgmigrations, ${schema}.aisec_migrations to ${role};`;

function readMigrations({ session, migrations }: Subject): Promise<readonly MigrationFinding[]> {
  return checkMigrations(session, migrations);
}

function migrationCheck(kind: Exclude<MigrationFinding['kind'], 'pending'>, severity: Severity, title: string): Check {
  return {
    id: `migration-${kind}`,
    area: 'migrations',
    severity,
    title,
    grant: GRANT,
    examine: async (subject) => {
      const findings = await subject.once(readMigrations);
      return findings
        .filter((finding) => finding.kind === kind)
        .map(({ object, message, impact, fix }) => ({ object, message, impact, fix }));
    },
  };
}

async function examinePending(subject: Subject): Promise<readonly Fault[]> {
  const pending = (await subject.once(readMigrations)).filter(({ kind }) => kind === 'pending');
  const [first] = pending;
  if (first === undefined) return [];
  const names = listed(pending.map(({ object }) => object));
  const message = pending.length === 1 ? first.message : `${pending.length} migrations are not applied: ${names}`;
  return [{ object: subject.schema, message, impact: first.impact, fix: first.fix }];
}

/** One finding for each owner: they are fixed together, by a role that may act as both. */
async function examineOwners({ session, migrations }: Subject): Promise<readonly Fault[]> {
  const objects = await foreignObjects(session, migrations);
  return [...groupBy(objects, ({ owner, wanted }) => `${owner} ${wanted}`).values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { owner, wanted } = first;
    const names = listed(group.map(({ identity }) => identity));
    return {
      object: owner,
      message: `${countText(group.length, 'object')} of the migrations ${group.length === 1 ? 'belongs' : 'belong'} to ${owner}, and the history to ${wanted}: ${names}`,
      impact: `${wanted} cannot change or drop them, so that a later migration, new months or the archive fail for it; a superuser or a member of both roles runs the fix`,
      fix: group.map(({ kind, identity }) => `alter ${kind} ${identity} owner to ${wanted};`).join('\n'),
    };
  });
}

export const MIGRATION_CHECKS: readonly Check[] = [
  {
    id: 'migration-pending',
    area: 'migrations',
    severity: 'warning',
    title: 'migrations that are not applied',
    grant: GRANT,
    examine: examinePending,
  },
  migrationCheck('late', 'warning', 'migrations not applied although a later one is'),
  migrationCheck('edited', 'critical', 'migrations whose file was edited after they were applied'),
  migrationCheck('missing', 'critical', 'applied migrations whose file is gone'),
  migrationCheck('newer', 'warning', 'migrations that a newer version has applied'),
  migrationCheck('foreign', 'critical', 'migrations that another program has recorded'),
  migrationCheck('renamed', 'critical', 'applied migrations whose file has another name'),
  migrationCheck('unpaired', 'critical', 'migrations that only one of the two history tables has'),
  migrationCheck('incomplete', 'critical', 'migrations that stopped half-way'),
  {
    id: 'mixed-owners',
    // It needs no privilege: among those of the history it would make a role that may read none of it look well.
    area: 'security',
    severity: 'warning',
    title: 'objects of migrations that the role which migrates does not own',
    examine: examineOwners,
  },
];
