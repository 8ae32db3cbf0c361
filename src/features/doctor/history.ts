import { existsSync, readFileSync } from 'node:fs';

import { writeWhole } from '../../adapters/files/write-whole.js';
import { AisecError, messageOf } from '../../base/errors.js';
import type { Severity } from '../../base/finding.js';
import type { Diagnosis } from './run.js';

/** A finding as the run before knew it. */
export interface PastFinding {
  readonly id: string;
  readonly check: string;
  readonly severity: Severity;
  readonly message: string;
  /** The first run of those without a gap that found it; RFC 3339. */
  readonly since: string;
}

interface History {
  readonly formatVersion: 1;
  readonly database: string;
  readonly schema: string;
  readonly takenAt: string;
  readonly findings: readonly PastFinding[];
}

/** What is otherwise than in the run before. */
export interface Changes {
  /** When the run before was; null for the first one, for which all is new. */
  readonly comparedWith: string | null;
  readonly added: readonly PastFinding[];
  /** By a check that looked and did not find it any more. */
  readonly gone: readonly PastFinding[];
}

export interface Compared {
  readonly changes: Changes;
  /** Writes the file, once the changes have reached whom they are for. */
  readonly keep: () => void;
}

/** A file, and no table: doctor reads only, on a standby and with a role that may write nothing. */
function read(file: string, { database, schema }: Diagnosis): History | undefined {
  if (!existsSync(file)) return undefined;
  let history: History;
  try {
    history = JSON.parse(readFileSync(file, 'utf8')) as History;
    if (history.formatVersion !== 1 || !Array.isArray(history.findings)) throw new Error('it is no history of doctor');
  } catch (error) {
    throw new AisecError('CONFIG_INVALID', `could not read the history ${file}`, {
      detail: `${messageOf(error)}.`,
      hint: 'Delete the file to start again, or name another.',
      cause: error,
    });
  }
  if (history.database === database && history.schema === schema) return history;
  throw new AisecError(
    'CONFIG_INVALID',
    `the history ${file} is that of ${history.database}, schema ${history.schema}`,
    {
      hint: 'Give each database a file of its own.',
    },
  );
}

/**
 * Compares a run with the one before. What no check of this run looked at is neither new nor gone. A finding that got worse is new.
 *
 * @throws AisecError CONFIG_INVALID for a file that is none, or that of another database.
 */
export function compareWithHistory(file: string, diagnosis: Diagnosis, checks: readonly string[]): Compared {
  const before = read(file, diagnosis);
  const unseen = new Set([...diagnosis.skipped, ...diagnosis.notApplicable].map(({ check }) => check));
  const hasLooked = (check: string): boolean => checks.includes(check) && !unseen.has(check);
  const known = new Map((before?.findings ?? []).map((finding) => [finding.id, finding]));
  const now = diagnosis.findings.map(({ id, check, severity, message }): PastFinding => {
    const same = known.get(id);
    return { id, check, severity, message, since: same?.severity === severity ? same.since : diagnosis.startedAt };
  });
  const ids = new Set(now.map(({ id }) => id));
  const rest = [...known.values()].filter(({ id }) => !ids.has(id));
  const history: History = {
    formatVersion: 1,
    database: diagnosis.database,
    schema: diagnosis.schema,
    takenAt: diagnosis.startedAt,
    findings: [...now, ...rest.filter(({ check }) => !hasLooked(check))],
  };
  return {
    changes: {
      comparedWith: before?.takenAt ?? null,
      added: now.filter(({ id, severity }) => known.get(id)?.severity !== severity),
      gone: rest.filter(({ check }) => hasLooked(check)),
    },
    keep: () => writeWhole(file, `${JSON.stringify(history, null, 2)}\n`, 0o600),
  };
}
