import { loadParser, type Statement } from '../../../adapters/sql-parser/statements.js';
import { quoteIdentifier } from '../../../base/identifier.js';

interface Relation {
  readonly schemaname?: string;
  readonly relname?: string;
  readonly relpersistence?: string;
}

interface CreateTree {
  readonly relation?: Relation;
  readonly partspec?: object;
  readonly tableElts?: readonly {
    readonly Constraint?: {
      readonly contype?: string;
      readonly conname?: string;
      readonly keys?: readonly { readonly String?: { readonly sval?: string } }[];
    };
  }[];
}

interface OptionsTree {
  readonly cmds?: readonly {
    readonly AlterTableCmd?: {
      readonly subtype?: string;
      readonly def?: {
        readonly List?: { readonly items?: readonly { readonly DefElem?: { readonly defname?: string } }[] };
      };
    };
  }[];
}

interface Token {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The first major version that takes NOT NULL of an inherited column inside of CREATE TABLE. */
const KNOWS_TABLE_NOT_NULL = 18;
/** The first major version that refuses a partitioned table that is UNLOGGED, which never meant anything. */
const REFUSES_UNLOGGED_PARENTS = 18;
/** What 17.12 keeps of each column for itself. Its pg_dump leaves it out, one of another version may not, and other servers refuse it. */
const OWN_OPTION = 'pg_attver';

/** The CREATE of a table or a foreign table. */
function createOf({ node, tree }: Statement): CreateTree | undefined {
  if (node === 'CreateStmt') return tree;
  if (node !== 'CreateForeignTableStmt') return undefined;
  return (tree as { readonly base?: CreateTree }).base;
}

/** Columns with a NOT NULL of the table, which has no name: one with a name is of a server that takes it. */
function notNullColumns({ tableElts = [] }: CreateTree): readonly string[] {
  return tableElts.flatMap(({ Constraint: constraint }) =>
    constraint?.contype === 'CONSTR_NOTNULL' && constraint.conname === undefined
      ? (constraint.keys ?? []).map((key) => key.String?.sval ?? '')
      : [],
  );
}

/** The elements of the first pair of parentheses, without those that begin with NOT NULL. */
async function withoutTableNotNull(text: string): Promise<string> {
  const { scan } = await loadParser();
  const { tokens } = (await scan(text)) as { tokens: readonly Token[] };
  // The scanner counts bytes of UTF-8.
  const bytes = Buffer.from(text, 'utf8');
  const open = tokens.findIndex((token) => token.text === '(');
  const kept: string[] = [];
  let [depth, first] = [0, open + 1];
  for (let index = open; index < tokens.length; index += 1) {
    const token = tokens[index];
    if (token === undefined) break;
    if (token.text === '(' || token.text === '[') depth += 1;
    if (token.text === ')' || token.text === ']') depth -= 1;
    const isEnd = depth === 0;
    if (!isEnd && !(depth === 1 && token.text === ',')) continue;
    const [one, two] = [tokens[first], tokens[first + 1]];
    const isNotNull = one?.text.toUpperCase() === 'NOT' && two?.text.toUpperCase() === 'NULL';
    if (!isNotNull && one !== undefined && first < index)
      kept.push(bytes.toString('utf8', one.start, token.start).trimEnd());
    first = index + 1;
    if (!isEnd) continue;
    const elements = kept.map((element) => `    ${element}`).join(',\n');
    return `${bytes.toString('utf8', 0, tokens[open]?.end)}\n${elements}\n${bytes.toString('utf8', token.start)}`;
  }
  return text;
}

function setNotNull({ schemaname = '', relname = '' }: Relation, column: string, { offset }: Statement): Statement {
  const table = `${schemaname === '' ? '' : `${quoteIdentifier(schemaname)}.`}${quoteIdentifier(relname)}`;
  return {
    text: `ALTER TABLE ONLY ${table} ALTER COLUMN ${quoteIdentifier(column)} SET NOT NULL`,
    offset,
    node: 'AlterTableStmt',
    tree: {
      relation: { schemaname, relname },
      cmds: [{ AlterTableCmd: { subtype: 'AT_SetNotNull', name: column } }],
    },
  };
}

/** Without the option that a server sets by itself; none when nothing else is set. */
function withoutOwnOption(statement: Statement): readonly Statement[] {
  if (statement.node !== 'AlterTableStmt') return [statement];
  const command = (statement.tree as OptionsTree).cmds?.[0]?.AlterTableCmd;
  if (command?.subtype !== 'AT_SetOptions') return [statement];
  const names = (command.def?.List?.items ?? []).map((item) => item.DefElem?.defname);
  if (!names.includes(OWN_OPTION)) return [statement];
  if (names.length === 1) return [];
  const at = statement.text.lastIndexOf(' SET (');
  const options = statement.text
    .slice(at)
    .replace(/(\(|, )pg_attver='?\d+'?(?:, )?/, (_all, before: string) => before)
    .replace(/, \)$/, ')');
  return [{ ...statement, text: `${statement.text.slice(0, at)}${options}` }];
}

/** One statement as a server of this major version takes it. */
async function fitted(statement: Statement, major: number): Promise<readonly Statement[]> {
  const create = createOf(statement);
  if (create === undefined) return withoutOwnOption(statement);
  const isUnlogged = create.partspec !== undefined && create.relation?.relpersistence === 'u';
  if (isUnlogged && major >= REFUSES_UNLOGGED_PARENTS)
    return [{ ...statement, text: statement.text.replace(/^(\s*CREATE) UNLOGGED/i, '$1') }];
  const columns = major < KNOWS_TABLE_NOT_NULL ? notNullColumns(create) : [];
  if (columns.length === 0) return [statement];
  const text = await withoutTableNotNull(statement.text);
  return [{ ...statement, text }, ...columns.map((column) => setNotNull(create.relation ?? {}, column, statement))];
}

/**
 * Definitions of an archive as a server of this major version takes them: pg_dump writes what its own version knows, also of
 * an older server, and what a server sets by itself. What the server takes as it is, is the same object.
 */
export async function statementsFor(statements: readonly Statement[], major: number): Promise<readonly Statement[]> {
  const all: Statement[] = [];
  for (const statement of statements) all.push(...(await fitted(statement, major)));
  return all;
}
