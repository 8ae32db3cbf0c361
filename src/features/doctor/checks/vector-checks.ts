import { checkVectors, type VectorFinding, type VectorFindingKind } from '../../vector/checks.js';
import type { Check, Severity, Subject } from '../check.js';
import { nameInSql } from '../../../base/identifier.js';

const GRANT = (schema: string, role: string): string =>
  `grant usage on schema ${schema} to ${role}; grant select (id, embedding) on ${schema}.knowledge_base to ${role}; alter role ${role} bypassrls;`;

function readVectors({ session, schema }: Subject): Promise<readonly VectorFinding[]> {
  return checkVectors(session, schema);
}

function vectorCheck(id: string, severity: Severity, title: string, kinds: readonly VectorFindingKind[]): Check {
  return {
    id,
    area: 'vectors',
    severity,
    title,
    grant: GRANT,
    examine: async (subject) => {
      const findings = await subject.once(readVectors);
      return findings
        .filter(({ kind }) => kinds.includes(kind))
        .map(({ object, message, impact, fix }) => ({ object: nameInSql(object), message, impact, fix }));
    },
  };
}

export const VECTOR_CHECKS: readonly Check[] = [
  vectorCheck('vector-index', 'warning', 'a vector index that is missing, INVALID or left over from a rebuild', [
    'missing-index',
    'invalid-index',
    'left-over-index',
  ]),
  vectorCheck('vector-recall', 'critical', 'a vector index that misses more than a fifth of the nearest rows', [
    'low-recall',
  ]),
  vectorCheck('vector-lists', 'warning', 'lists of an ivfflat index out of proportion to its rows', ['lists']),
];
