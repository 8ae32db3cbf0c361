import pg from 'pg';
import pgvector from 'pgvector';

import { clientSql } from '../client-sql.js';
import { parseArray, type Parse } from './array-text.js';
import { asText, builtinParser } from './builtin-types.js';

interface LearnedType {
  readonly oid: number;
  readonly kind: 'array' | 'domain' | 'vector' | 'other';
  readonly part: number | null;
  readonly delimiter: string;
}

/**
 * How the values of one database are read, in place of node-postgres's global parsers. Types that were made in the
 * database (enums, domains, extensions, and the arrays of all of them) are learned when they come for the first time: one
 * query a pool.
 */
export class TypeParsers {
  readonly #learned = new Map<number, Parse>();

  /** As node-postgres asks for it, without waiting: a type not yet known is given as its text. */
  getTypeParser(oid: number, format?: string): Parse {
    if (format === 'binary') return pg.types.getTypeParser(oid, 'binary') as Parse;
    return builtinParser(oid) ?? this.#learned.get(oid) ?? asText;
  }

  /** Replaces the texts of types that were not known when the rows were read. */
  async complete(client: pg.ClientBase, results: readonly pg.QueryResult[]): Promise<void> {
    const isNew = ({ dataTypeID: oid, format }: pg.FieldDef): boolean =>
      builtinParser(oid) === undefined && !this.#learned.has(oid) && format !== 'binary';
    const filled = results.filter(({ rows }) => rows.length > 0);
    const fields = filled.map((result) => result.fields.filter(isNew));
    const oids = new Set(fields.flat().map(({ dataTypeID: oid }) => oid));
    if (oids.size === 0) return;
    await this.#learn(client, [...oids]);
    filled.forEach((result, index) => {
      // Of two columns of one name the last one is in the row.
      const last = new Map(result.fields.map((field) => [field.name, field]));
      for (const field of fields[index] ?? []) {
        if (last.get(field.name) !== field) continue;
        const parse = this.getTypeParser(field.dataTypeID);
        for (const row of result.rows as Record<string, unknown>[]) {
          const text = row[field.name];
          if (typeof text === 'string') row[field.name] = parse(text);
        }
      }
    });
  }

  async #learn(client: pg.ClientBase, oids: readonly number[]): Promise<void> {
    const { rows } = await client.query<LearnedType>(clientSql('unknown-types'), [oids]);
    const byOid = new Map(rows.map((row) => [row.oid, row]));
    for (const oid of [...oids, ...byOid.keys()]) this.#learned.set(oid, this.#parserOf(oid, byOid));
  }

  #parserOf(oid: number, types: ReadonlyMap<number, LearnedType>): Parse {
    const known = builtinParser(oid) ?? this.#learned.get(oid);
    const type = types.get(oid);
    if (known !== undefined || type === undefined) return known ?? asText;
    if (type.kind === 'vector') return pgvector.fromSql;
    if (type.part === null) return asText;
    const parse = this.#parserOf(type.part, types);
    return type.kind === 'array' ? (text) => parseArray(text, type.delimiter, parse) : parse;
  }
}
