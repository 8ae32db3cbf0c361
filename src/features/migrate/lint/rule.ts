import type { Statement } from '../../../adapters/sql-parser/statements.js';
import type { Severity } from '../../../base/finding.js';
import type { Effects } from '../effects/effects.js';
import type { MigrationFile } from '../files/migration-file.js';

/** Lines and columns from 1, in characters; the end is behind the last one. */
export interface Region {
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/** The node of a statement that the parser cannot read, and that is known all the same. */
export const UNREAD_NODE = 'UnreadStatement';

/** A statement of an Up section, or one in a DO block. */
export interface LintedStatement extends Statement {
  readonly file: MigrationFile;
  readonly region: Region;
  /** Stands in a DO block. */
  readonly isNested: boolean;
}

export interface RelationFacts {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** As SQL takes it. */
  readonly sqlName: string;
  /** pg_class.relkind: `r` table, `p` partitioned table, `i` index, `I` partitioned index … */
  readonly kind: string;
  /** The partitioned table that it is a part of, as SQL takes it. */
  readonly parent: string | null;
  /** The tables with the rows of a partitioned one, as SQL takes them. */
  readonly partitions: readonly string[];
  readonly columns: readonly { readonly name: string; readonly type: string; readonly isNotNull: boolean }[];
  readonly indexes: readonly {
    readonly name: string;
    readonly isUnique: boolean;
    readonly isPrimary: boolean;
    readonly columns: readonly string[];
  }[];
  readonly constraints: readonly {
    readonly name: string;
    /** pg_constraint.contype. */
    readonly type: string;
    readonly isValidated: boolean;
    readonly definition: string;
  }[];
  /** Of an index: its table, as SQL takes it. */
  readonly indexedTable: string | null;
  readonly indexDefinition: string | null;
  /** Storage parameters: `parallel_workers=0`. */
  readonly options: readonly string[];
  /** Estimated rows of the connected server; undefined without one. */
  readonly rows: number | undefined;
}

/** What the connected server says of itself. */
export interface ServerFacts {
  /** Of pgvector: `0.8.0`; null where it is not installed. */
  readonly vectorVersion: string | null;
  /** The setting maintenance_work_mem. */
  readonly maintenanceBytes: number;
  /** The setting max_parallel_maintenance_workers. */
  readonly parallelWorkers: number;
}

/** Rows that a statement would fail on. */
export interface Violation {
  /** The constraint, index or column, as SQL names it. */
  readonly object: string;
  /** `3`, `more than 10,000`. */
  readonly count: string;
  readonly isOne: boolean;
  /** As SQL takes it. */
  readonly table: string;
  /** Shows them. */
  readonly query: string;
}

/** What a rule may ask about the statement it looks at. */
export interface Surroundings {
  readonly file: MigrationFile;
  /** The statements of the file, those of DO blocks behind the block. */
  readonly statements: readonly LintedStatement[];
  /** The lowest version that the migration may meet: 16, 17 … */
  readonly serverMajor: number;
  /**
   * A relation as it was before this statement, by schema and name; undefined when it is new in this batch, so that
   * no session waits for it, or not there.
   */
  readonly existing: (relation: RelationName | undefined) => RelationFacts | undefined;
  /** What the statement did in the replay; undefined when it only touched what is new, or did not run. */
  readonly effects: Effects | undefined;
  /** What the statements before it in the file did, oldest first. */
  readonly effectsBefore: readonly Effects[];
  /** What PostgreSQL said when it ran; undefined when it worked. */
  readonly failure: { readonly message: string; readonly sqlState: string | undefined } | undefined;
  /** The connected server; undefined without one. */
  readonly server: ServerFacts | undefined;
  /** Rows of the connected server, or those that earlier migrations have written, which the statement would fail on. */
  readonly violations: readonly Violation[];
}

export interface RelationName {
  readonly schemaname?: string;
  readonly relname?: string;
}

/** A migration file that is a part of a fix. */
export interface FixStep {
  readonly sql: string;
  /** Needs `-- aisec: no-transaction`. */
  readonly isOutsideTransaction?: true;
}

export interface Fault {
  /** What it is about, as SQL names it. */
  readonly object: string;
  readonly message: string;
  /** What to write instead of the statement: one migration or several, in order. Null: a person has to decide. */
  readonly fix: readonly FixStep[] | null;
  /** When it differs from the rule's own. */
  readonly severity?: Severity;
}

export interface RuleExample {
  /** A migration that ran before. */
  readonly before?: string;
  readonly bad: string;
  readonly good: string;
  /** The bad one runs without a transaction. */
  readonly isBadOutside?: true;
  readonly isGoodOutside?: true;
  /** The bad one cannot run: PostgreSQL refuses it. */
  readonly isRefused?: true;
  /** Its fix is written instead of all statements, not of the one that it is shown at. */
  readonly fixReplacesAll?: true;
  /** It is about the bundled tables, which are there before. */
  readonly needsPlatform?: true;
  /** It is about a server like this one. */
  readonly server?: ServerFacts;
  /** The table's rows of the connected server. */
  readonly rows?: number;
  /** PostgreSQL 19 or newer is needed to run the bad one, and its parser to read it. */
  readonly isUnreadable?: true;
  /** A migration that another branch has, after the same ones. */
  readonly theirs?: string;
}

interface RuleText {
  /** Stable: `index-not-concurrent`. */
  readonly id: string;
  readonly severity: Severity;
  /** A noun phrase for the list of rules. */
  readonly title: string;
  /** What follows from it, in a sentence or two. */
  readonly impact: string;
  /** Runs only when it is named: a matter of taste or of the site. */
  readonly isOptional?: true;
  readonly example: RuleExample;
}

/** Looks at one statement. */
export interface StatementRule extends RuleText {
  readonly kind: 'statement';
  readonly check: (statement: LintedStatement, surroundings: Surroundings) => Fault | readonly Fault[];
}

/** A row of a query on the catalog: one object that is not as it should be. */
export interface StateFault {
  readonly object: string;
  /** Unquoted: finds the statement that made it so. */
  readonly name: string;
  readonly table_name: string;
  readonly message: string;
  readonly fix: string | null;
}

/** Looks at the catalog after all files of the batch; what was so before it is no finding. */
export interface StateRule extends RuleText {
  readonly kind: 'state';
  /** A file of sql/lint/state; its only parameter is the schema. */
  readonly query: string;
  /** Those of one table are one finding. */
  readonly isOnePerTable?: true;
  /** Objects of the bundled schema that are so on purpose. */
  readonly onPurpose?: readonly string[];
  /** Bundled migrations are left out. */
  readonly isForOwn?: true;
}

/** A row of a query on the catalog, of one object. */
export type StateFact = Readonly<Record<string, string | boolean | null>> & {
  readonly object: string;
};

/** Compares the catalog after all files of the batch with the one before them. */
export interface ChangeRule extends RuleText {
  readonly kind: 'change';
  /** A file of sql/lint/state; its only parameter is the schema. */
  readonly query: string;
  readonly compare: (before: readonly StateFact[], after: readonly StateFact[]) => readonly StateFault[];
}

/** Compares the files of two branches: `--against`. */
export interface BranchRule extends RuleText {
  readonly kind: 'branch';
}

export type Rule = StatementRule | StateRule | ChangeRule | BranchRule;

export function statementRule(rule: Omit<StatementRule, 'kind'>): StatementRule {
  return { kind: 'statement', ...rule };
}

export function stateRule(rule: Omit<StateRule, 'kind'>): StateRule {
  return { kind: 'state', ...rule };
}

/** What the schema decides, and not what the replay lacks: a wrong name, a duplicate, an object that others need. */
const DECIDED_BY_SCHEMA = /^42(?!501)|^2BP01$|^0A000$|^25001$|^55P04$/;

/** Whether the statement would fail on every database with this schema. */
export function isDecidedBySchema({ node }: LintedStatement, sqlState: string | undefined): boolean {
  return node !== 'CreateExtensionStmt' && DECIDED_BY_SCHEMA.test(sqlState ?? '');
}
