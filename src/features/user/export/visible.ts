import type { TableKey } from '../../../adapters/catalog/references/reference.js';
import type { ChosenRows } from '../../../adapters/catalog/references/chosen-rows.js';
import type { Session } from '../../../adapters/postgres/session.js';
import { AisecError, endsRun, isAisecError } from '../../../base/errors.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import type { Person } from '../graph/find-person.js';
import { USER_ROLE, type PersonColumn, type TableColumns } from './columns.js';

interface SeenTable {
  readonly name: string;
  /** As SQL, of the table: what the role of users can read of each row it sees. */
  readonly written: string;
  /** As SQL: the places (tableoid, ctid) of the rows seen. */
  readonly places: string;
}

/** Rows by their place; where the role may read only some columns, by their primary key. Undefined where it may read neither. */
function seenTable(key: TableKey, columns: readonly PersonColumn[], number: number): SeenTable | undefined {
  const name = `pg_temp.aisec_seen_${number}`;
  if (columns[0]?.isTableReadable === true)
    return { name, written: 'tableoid, ctid, null', places: `select part, place from ${name}` };
  const keys = columns.filter(({ isKey }) => isKey);
  if (keys.length === 0 || keys.some(({ isReadable }) => !isReadable)) return undefined;
  const identity = `array[${keys.map((column) => `${quoteIdentifier(column.name)}::text`).join(', ')}]`;
  return {
    name,
    written: `null::oid, null::tid, ${identity}`,
    places: `select tableoid, ctid from ${key} where ${identity} in (select identity from ${name})`,
  };
}

/** The policies as a filter: what the user would see in a service. */
export class VisibleRows {
  readonly #session: Session;
  readonly #seen: ReadonlyMap<TableKey, SeenTable>;

  private constructor(session: Session, seen: ReadonlyMap<TableKey, SeenTable>) {
    this.#session = session;
    this.#seen = seen;
  }

  /** Made before the transaction, which only reads. */
  static async prepare(session: Session, columns: TableColumns): Promise<VisibleRows> {
    const seen = new Map<TableKey, SeenTable>();
    for (const [key, own] of columns) {
      const table = seenTable(key, own, seen.size);
      if (table === undefined) continue;
      await session.query(`create temporary table aisec_seen_${seen.size} (part oid, place tid, identity text[])`);
      await session.query(`grant insert on ${table.name} to ${USER_ROLE}`);
      seen.set(key, table);
    }
    return new VisibleRows(session, seen);
  }

  /**
   * Takes back the chosen rows that the policies do not show to the user. Returns how many of each table.
   *
   * @throws AisecError PRIVILEGE_MISSING when the role may not act as that of users.
   */
  async filter(choice: ChosenRows, person: Person, keys: readonly TableKey[]): Promise<ReadonlyMap<TableKey, number>> {
    const chosen: TableKey[] = [];
    for (const key of keys) if ((await choice.parts(key)).length > 0) chosen.push(key);
    await this.#actAsUser(person);
    for (const key of chosen) {
      const seen = this.#seen.get(key);
      if (seen !== undefined) await this.#session.query(`insert into ${seen.name} select ${seen.written} from ${key}`);
    }
    await this.#session.query('reset role; set local row_security = off');
    const hidden = new Map<TableKey, number>();
    for (const key of chosen) {
      const seen = this.#seen.get(key);
      if (seen !== undefined) await this.#session.query(`analyze ${seen.name}`);
      hidden.set(key, await choice.keepOnly(key, seen?.places ?? 'select null::oid, null::tid where false'));
    }
    return hidden;
  }

  async #actAsUser(person: Person): Promise<void> {
    const { rows } = await this.#session.query<{ role: string }>('select current_user::text as role');
    try {
      await this.#session.query(`set local role ${USER_ROLE}`);
    } catch (error) {
      if (!isAisecError(error) || endsRun(error)) throw error;
      throw new AisecError('PRIVILEGE_MISSING', `the role may not act as ${USER_ROLE}, whose policies are the filter`, {
        hint: `Let an administrator run: grant ${USER_ROLE} to ${quoteIdentifier(rows[0]?.role ?? '')} with inherit false, set true; (or give --all, which needs no policies)`,
        cause: error,
      });
    }
    await this.#session.query("select pg_catalog.set_config('app.current_user_id', $1, true)", [person.id]);
    await this.#session.query('set local row_security = on');
  }
}
