import { all, as, statementOf } from '../../../../../adapters/sql-parser/nodes.js';
import { nameInSql } from '../../../../../base/identifier.js';
import { statementRule } from '../../rule.js';

/** The bundled index, which `aisec vector rebuild` trains and doctor watches. */
const WATCHED = 'idx_knowledge_base_embedding';

export const vectorIndex = statementRule({
  id: 'vector-index-on-empty-table',
  severity: 'warning',
  title: 'an ivfflat index built on a table that has no rows yet',
  impact:
    'ivfflat takes its lists from the rows that are there when it is built. On an empty table the lists mean nothing, and searches miss most neighbours until the index is rebuilt.',
  example: {
    before: 'create extension if not exists vector;',
    bad: 'create table notes (id bigint primary key, embedding vector(3));\ncreate index idx_notes_embedding on notes using ivfflat (embedding vector_cosine_ops);',
    good: 'create table notes (id bigint primary key, embedding vector(3));\ncreate index idx_notes_embedding on notes using hnsw (embedding vector_cosine_ops);',
  },
  check: (statement, { statements }) => {
    const index = statementOf('IndexStmt', statement);
    if (index?.accessMethod !== 'ivfflat' || index.idxname === WATCHED) return [];
    const isNew = statements.some((other) => {
      const made = statementOf('CreateStmt', other)?.relation;
      return made !== undefined && made.relname === index.relation?.relname;
    });
    if (!isNew) return [];
    const name = index.idxname ?? index.relation?.relname ?? '';
    const column = as('IndexElem', index.indexParams?.[0])?.name ?? all('IndexElem', index.indexParams)[0]?.name ?? '';
    return {
      object: name,
      message: `index ${nameInSql(name)} on ${nameInSql(column)} uses ivfflat, and its table is empty when it is built`,
      fix: [
        {
          sql: `${statement.text.replace(/\busing\s+ivfflat\b/i, 'using hnsw').replace(/\s*\bwith\s*\(\s*lists\s*=\s*\d+\s*\)/i, '')};`,
        },
      ],
    };
  },
});
