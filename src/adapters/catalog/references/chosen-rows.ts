import { quoteIdentifier, quoteLiteral } from '../../../base/identifier.js';
import type { Session } from '../../postgres/session.js';
import { tableKey, type Edge, type Reference, type TableKey } from './reference.js';

/** A table of which rows may be chosen. */
export interface ChoosableTable {
  readonly key: TableKey;
  /** As SQL. */
  readonly name: string;
}

/** A partition that chosen rows are in, or the table itself. */
export interface ChosenPart {
  /** As SQL. */
  readonly name: string;
  readonly oid: string;
  readonly rows: number;
}

interface State {
  readonly name: string;
  readonly chosen: string;
  /** The number of the newest step that chose rows here; 0: none. */
  newest: number;
  rows: number;
  /** How many there were when statistics were taken. */
  analyzed: number;
}

/** Statistics are worth their time from so many rows on. */
const ANALYZE_FROM = 500;

/**
 * Rows of tables, live or loaded, that belong together: chosen by a condition, then by following references from what
 * was chosen. What is chosen is remembered by place (partition and ctid) in temporary tables of the session, so memory
 * here does not grow with the rows.
 *
 * ```ts
 * const users = tableIn(schema, 'users');
 * const references = [...await readReferences(session), ...platformReferences(schema)];
 * const keys = [...reachable(users, references)];
 * const choice = await ChosenRows.of(session, keys.map((key) => ({ key, name: key })));
 * await session.query('begin isolation level repeatable read, read only');
 * await choice.where(users, 'id = …');              // begin somewhere
 * await choice.follow(references);                   // all that refers to it
 * await choice.followUp(references);                 // and all that those refer to
 * for (const part of await choice.parts(key)) …      // read: select … from ${choice.joinPart(key, part)}
 * ```
 *
 * Make it before the transaction, since a read-only one makes no tables, and fill it inside, with one MVCC snapshot
 * (REPEATABLE READ): a place means its row only as long as the row does not change. Both directions may be followed, in
 * any order; every row is followed once an edge.
 */
export class ChosenRows {
  readonly #session: Session;
  readonly #tables: ReadonlyMap<string, State>;
  /** Edge and direction → up to which step it was followed. */
  readonly #followed = new Map<string, number>();
  #step = 0;

  private constructor(session: Session, tables: ReadonlyMap<string, State>) {
    this.#session = session;
    this.#tables = tables;
  }

  /** @param prefix of the names of the temporary tables; another one for each choice of a session */
  static async of(session: Session, tables: readonly ChoosableTable[], prefix = 'aisec_chosen'): Promise<ChosenRows> {
    const states = new Map<string, State>();
    for (const [index, { key, name }] of tables.entries()) {
      const chosen = `pg_temp.${prefix}_${index}`;
      await session.query(
        `create temporary table ${prefix}_${index} (part oid, place tid, step integer, primary key (part, place))`,
      );
      states.set(key, { name, chosen, newest: 0, rows: 0, analyzed: 0 });
    }
    return new ChosenRows(session, states);
  }

  /** Whether the table takes part. */
  has(key: TableKey): boolean {
    return this.#tables.has(key);
  }

  /** The name of a table that takes part, as SQL. */
  nameOf(key: TableKey): string {
    return this.#state(key).name;
  }

  /** Chooses the rows of a table that meet a condition. Returns how many were new. */
  async where(key: TableKey, condition: string): Promise<number> {
    const { name } = this.#state(key);
    return this.#add(key, `select tableoid, ctid from ${name} where (${condition}\n)`);
  }

  /** Chooses all that refers to what was chosen, again and again. Returns how many rows were new. */
  async follow(edges: readonly (Edge | Reference)[]): Promise<number> {
    return this.#untilNothingIsNew(edges, (edge) => this.#followEdge(edge));
  }

  /** Chooses all that the chosen rows refer to, again and again. Returns how many rows were new. */
  async followUp(edges: readonly (Edge | Reference)[]): Promise<number> {
    return this.#untilNothingIsNew(edges, (edge) => this.#followEdgeUp(edge));
  }

  /** How many rows of a table are chosen. */
  async count(key: TableKey): Promise<number> {
    return (await this.parts(key)).reduce((sum, { rows }) => sum + rows, 0);
  }

  /** Takes back the chosen rows of a table that a query of places (tableoid, ctid) does not have. Returns how many. */
  async keepOnly(key: TableKey, places: string): Promise<number> {
    const { rowCount } = await this.#session.query(
      `delete from ${this.#state(key).chosen} as chosen
       where not exists (
         select from (${places}) as kept (part, place) where kept.part = chosen.part and kept.place = chosen.place
       )`,
    );
    return rowCount;
  }

  /** Joins the chosen rows of a table, which is called `source`, as SQL for FROM. */
  join(key: TableKey, source = 'scratch'): string {
    const { name, chosen } = this.#state(key);
    return `${name} as ${source}
      join ${chosen} as chosen on chosen.part = ${source}.tableoid and chosen.place = ${source}.ctid`;
  }

  /** The same for one partition alone: the server goes to each row by its place, and reads no other partition. */
  joinPart(key: TableKey, part: Pick<ChosenPart, 'name' | 'oid'>, source = 'scratch'): string {
    const { chosen } = this.#state(key);
    return `${chosen} as chosen
      join only ${part.name} as ${source} on ${source}.ctid = chosen.place and chosen.part = ${quoteLiteral(part.oid)}::oid`;
  }

  /** As SQL: whether a row of a table, called `row`, is chosen. */
  contains(key: TableKey, row: string): string {
    return `exists (select from ${this.#state(key).chosen} as own where own.part = ${row}.tableoid and own.place = ${row}.ctid)`;
  }

  /** Places of chosen rows in one partition, the last one first, so that what was written last comes first. */
  async places(
    key: string,
    { oid }: Pick<ChosenPart, 'oid'>,
    limit: number,
    before?: string,
  ): Promise<readonly string[]> {
    const { rows } = await this.#session.query<{ place: string }>(
      // By the column, not by the text: ORDER BY takes a bare name for that of the output.
      `select chosen.place::text as place
       from ${this.#state(key).chosen} as chosen
       where chosen.part = $1 and ($2::tid is null or chosen.place < $2::tid)
       order by chosen.place desc
       limit ${limit}`,
      [oid, before ?? null],
    );
    return rows.map(({ place }) => place);
  }

  /** Forgets what was chosen, so that the same tables serve another choice. */
  async clear(): Promise<void> {
    for (const state of this.#tables.values()) {
      if (state.rows > 0) await this.#session.query(`truncate ${state.chosen}`);
      Object.assign(state, { newest: 0, rows: 0, analyzed: 0 });
    }
    this.#followed.clear();
  }

  /**
   * The partitions that hold chosen rows of a table, by the name of now: a statement finds them by no other, also in an
   * MVCC snapshot of before a month was archived.
   */
  async parts(key: TableKey, afterStep = 0): Promise<readonly ChosenPart[]> {
    const { chosen } = this.#state(key);
    const { rows } = await this.#session.query<{ name: string; oid: string; rows: string }>(
      `select named.identity as name, part::text as oid, rows::text
       from (select part, pg_catalog.count(*) as rows from ${chosen} where step > $1 group by part) as parts,
         pg_catalog.pg_identify_object('pg_catalog.pg_class'::pg_catalog.regclass, part, 0) as named
       where named.identity is not null
       order by 1`,
      [afterStep],
    );
    return rows.map((row) => ({ ...row, rows: Number(row.rows) }));
  }

  async #untilNothingIsNew(
    edges: readonly (Edge | Reference)[],
    follow: (edge: Edge | Reference) => Promise<number>,
  ): Promise<number> {
    let all = 0;
    for (let added = 1; added > 0; all += added) {
      added = 0;
      for (const edge of edges) added += await follow(edge);
    }
    return all;
  }

  async #followEdge(edge: Edge | Reference): Promise<number> {
    const [child, parent] = [tableKey(edge), tableKey(edge.refersTo)];
    if (!this.has(child) || !this.has(parent)) return 0;
    const from = this.#beginEdge('down', edge, parent);
    if (from === undefined) return 0;
    let added = 0;
    for (const part of await this.parts(parent, from))
      added += await this.#add(
        child,
        `select referring.tableoid, referring.ctid
         from ${this.joinPart(parent, part, 'referred')}
         join ${this.#state(child).name} as referring on ${isReferring(edge)}
         where chosen.step > ${from}`,
      );
    return added;
  }

  async #followEdgeUp(edge: Edge | Reference): Promise<number> {
    const [child, parent] = [tableKey(edge), tableKey(edge.refersTo)];
    if (!this.has(child) || !this.has(parent)) return 0;
    const from = this.#beginEdge('up', edge, child);
    if (from === undefined) return 0;
    let added = 0;
    for (const part of await this.parts(child, from))
      added += await this.#add(
        parent,
        `select referred.tableoid, referred.ctid
         from ${this.joinPart(child, part, 'referring')}
         join ${this.#state(parent).name} as referred on ${isReferring(edge)}
         where chosen.step > ${from}`,
      );
    return added;
  }

  /** Up to which step the edge was followed before; undefined when nothing was chosen since. */
  #beginEdge(direction: 'down' | 'up', edge: Edge, source: TableKey): number | undefined {
    const id = `${direction} ${tableKey(edge)} ${edge.name} ${tableKey(edge.refersTo)}`;
    const from = this.#followed.get(id) ?? 0;
    const { newest } = this.#state(source);
    if (newest <= from) return undefined;
    this.#followed.set(id, newest);
    return from;
  }

  async #add(key: TableKey, query: string): Promise<number> {
    const state = this.#state(key);
    const step = this.#step + 1;
    const { rowCount } = await this.#session.query(
      `insert into ${state.chosen} select part, place, ${step}
       from (${query}) as found (part, place) on conflict do nothing`,
    );
    if (rowCount === 0) return 0;
    this.#step = step;
    state.newest = step;
    state.rows += rowCount;
    if (state.rows >= ANALYZE_FROM && state.rows > 2 * state.analyzed) {
      await this.#session.query(`analyze ${state.chosen}`);
      state.analyzed = state.rows;
    }
    return rowCount;
  }

  #state(key: string): State {
    const state = this.#tables.get(key);
    if (state === undefined) throw new Error(`${key} does not take part`);
    return state;
  }
}

/** As SQL: whether the row called `referring` refers to the one called `referred`. */
export function isReferring(edge: Edge | Reference, referring = 'referring', referred = 'referred'): string {
  const equal = edge.columns.map((name, index) => {
    const column = `${referring}.${quoteIdentifier(name)}`;
    const target = `${referred}.${quoteIdentifier(edge.refersTo.columns[index] ?? '')}`;
    return 'isArray' in edge && edge.isArray ? `${target} = any (${column})` : `${target} = ${column}`;
  });
  if ('onlyIf' in edge && edge.onlyIf !== null)
    equal.push(`${referring}.${quoteIdentifier(edge.onlyIf.column)}::text = ${quoteLiteral(edge.onlyIf.value)}`);
  for (const columns of 'unlessSet' in edge ? (edge.unlessSet ?? []) : [])
    equal.push(`not (${columns.map((name) => `${referring}.${quoteIdentifier(name)} is not null`).join(' and ')})`);
  return equal.join(' and ');
}
