import type { Session } from '../../../adapters/postgres/session.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { tableKey, type Edge } from './edges.js';
import { scratchName } from './scratch.js';

/** Which rows of the scratch tables were chosen, by their place. */
export class Choice {
  readonly #session: Session;
  readonly #names: ReadonlyMap<string, string>;

  private constructor(session: Session, names: ReadonlyMap<string, string>) {
    this.#session = session;
    this.#names = names;
  }

  static async of(session: Session, keys: readonly string[]): Promise<Choice> {
    const names = new Map(keys.map((key, index) => [key, `pg_temp.aisec_chosen_${index}`]));
    for (const name of names.values())
      await session.query(`create table ${name} (part oid, place tid, primary key (part, place))`);
    return new Choice(session, names);
  }

  /** Chooses the rows of a table that meet a condition. Returns how many. */
  async where(key: string, condition: string): Promise<number> {
    return this.#add(key, `select tableoid, ctid from ${scratchName(key)} where (${condition}\n)`);
  }

  /** Chooses all that refers to what was chosen, again and again. */
  async follow(edges: readonly Edge[]): Promise<void> {
    for (let added = 1; added > 0;) {
      added = 0;
      for (const edge of edges) added += await this.#followEdge(edge);
    }
  }

  /** Joins the chosen rows of a table, which is called `scratch`. */
  join(key: string): string {
    return `${scratchName(key)} as scratch
      join ${this.#name(key)} as chosen on chosen.part = scratch.tableoid and chosen.place = scratch.ctid`;
  }

  async #followEdge(edge: Edge): Promise<number> {
    const [child, parent] = [tableKey(edge), tableKey(edge.refersTo)];
    if (!this.#names.has(child) || !this.#names.has(parent)) return 0;
    const isEqual = edge.columns.map(
      (name, index) =>
        `scratch.${quoteIdentifier(edge.refersTo.columns[index] ?? '')} = referring.${quoteIdentifier(name)}`,
    );
    return this.#add(
      child,
      `select referring.tableoid, referring.ctid from ${scratchName(child)} as referring
       where exists (select from ${this.join(parent)} where ${isEqual.join(' and ')})`,
    );
  }

  async #add(key: string, query: string): Promise<number> {
    const { rowCount } = await this.#session.query(`insert into ${this.#name(key)} ${query} on conflict do nothing`);
    return rowCount;
  }

  #name(key: string): string {
    const name = this.#names.get(key);
    if (name === undefined) throw new Error(`${key} was not loaded`);
    return name;
  }
}
