/**
 * What a schema consists of, as plain data that survives JSON. Names are bare (not quoted, without the schema);
 * definitions are PostgreSQL's own text, in which the schema's objects stand without the schema. Null: not there.
 */
export interface CatalogTable {
  readonly name: string;
  readonly kind: 'table' | 'partitioned table' | 'foreign table';
  readonly persistence: 'permanent' | 'unlogged' | 'temporary';
  readonly accessMethod: string | null;
  readonly partitionKey: string | null;
  /** Of a partition: the one table it belongs to. */
  readonly parents: readonly string[];
  /** Of a partition, in UTC; `DEFAULT` for the default partition. */
  readonly bound: string | null;
  readonly options: readonly string[];
  readonly rowLevelSecurity: boolean;
  readonly forcedRowLevelSecurity: boolean;
  readonly replicaIdentity: string;
  readonly comment: string | null;
}

/** A column of a table or a view. */
export interface CatalogColumn {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  readonly default: string | null;
  readonly identity: 'always' | 'by default' | null;
  readonly generated: string | null;
  readonly collation: string | null;
  readonly storage: string | null;
  readonly statisticsTarget: number | null;
  readonly options: readonly string[];
  readonly comment: string | null;
}

export interface CatalogConstraint {
  readonly table: string;
  readonly name: string;
  readonly type: 'check' | 'foreign key' | 'primary key' | 'unique' | 'exclude';
  readonly definition: string;
  readonly deferrable: boolean;
  readonly initiallyDeferred: boolean;
  readonly validated: boolean;
  /** True when ALTER TABLE … DISABLE TRIGGER ALL has left a foreign key without effect. */
  readonly triggersDisabled: boolean;
  readonly comment: string | null;
}

export interface CatalogIndex {
  readonly table: string;
  readonly name: string;
  readonly definition: string;
  readonly primary: boolean;
  readonly unique: boolean;
  readonly valid: boolean;
  readonly clustered: boolean;
  readonly parent: string | null;
  readonly constraint: string | null;
  readonly comment: string | null;
}

export interface CatalogView {
  readonly name: string;
  readonly kind: 'view' | 'materialized view';
  readonly definition: string;
  readonly options: readonly string[];
  readonly comment: string | null;
}

export interface CatalogFunction {
  readonly name: string;
  /** Types only, as in `hash_password(text)`. */
  readonly identityArguments: string;
  readonly arguments: string;
  readonly kind: 'function' | 'procedure' | 'aggregate' | 'window function';
  readonly result: string | null;
  readonly language: string;
  readonly volatility: 'immutable' | 'stable' | 'volatile';
  readonly parallel: 'safe' | 'restricted' | 'unsafe';
  readonly strict: boolean;
  readonly leakproof: boolean;
  readonly securityDefiner: boolean;
  readonly cost: number;
  readonly rows: number;
  /** `name=value`; in a search_path the schema is `$schema` and a schema with extensions `$extensions`. */
  readonly configuration: readonly string[];
  readonly body: string;
  readonly comment: string | null;
}

export interface CatalogTrigger {
  readonly table: string;
  readonly name: string;
  readonly definition: string;
  readonly enabled: 'origin' | 'disabled' | 'replica' | 'always';
  readonly comment: string | null;
}

export interface CatalogPolicy {
  readonly table: string;
  readonly name: string;
  readonly command: 'all' | 'select' | 'insert' | 'update' | 'delete';
  readonly permissive: boolean;
  readonly roles: readonly string[];
  readonly using: string | null;
  readonly check: string | null;
  readonly comment: string | null;
}

/** What one role may do with one object; the owner's own privileges are left out. */
export interface CatalogGrant {
  readonly kind: 'schema' | 'table' | 'view' | 'sequence' | 'column' | 'function' | 'type' | 'default privileges';
  /** Null for the schema itself. */
  readonly object: string | null;
  readonly column: string | null;
  readonly arguments: string | null;
  /** `PUBLIC` for every role. */
  readonly grantee: string;
  readonly privileges: readonly string[];
}

/** The bounds are text: they exceed the numbers of JavaScript. */
export interface CatalogSequence {
  readonly name: string;
  readonly type: string;
  readonly start: string;
  readonly increment: string;
  readonly minimum: string;
  readonly maximum: string;
  readonly cache: string;
  readonly cycle: boolean;
  readonly table: string | null;
  readonly column: string | null;
  readonly comment: string | null;
}

export interface CatalogType {
  readonly name: string;
  readonly kind: 'enum' | 'domain' | 'composite type' | 'range' | 'base type';
  readonly definition: readonly string[];
  readonly comment: string | null;
}

/** A rewrite rule or extended statistics. */
export interface CatalogExtra {
  readonly kind: 'rule' | 'statistics';
  readonly table: string;
  readonly name: string;
  readonly definition: string;
  readonly enabled: string | null;
  readonly comment: string | null;
}

/** Extensions belong to the whole database. */
export interface CatalogExtension {
  readonly name: string;
  readonly schema: string;
  readonly version: string;
}

/** What belongs to tables: the same for the schema's own and for its partitions. */
export interface CatalogTables {
  readonly tables: readonly CatalogTable[];
  readonly columns: readonly CatalogColumn[];
  readonly constraints: readonly CatalogConstraint[];
  readonly indexes: readonly CatalogIndex[];
  readonly triggers: readonly CatalogTrigger[];
  readonly policies: readonly CatalogPolicy[];
  readonly grants: readonly CatalogGrant[];
}

export interface CatalogSnapshot extends CatalogTables {
  readonly views: readonly CatalogView[];
  readonly functions: readonly CatalogFunction[];
  readonly sequences: readonly CatalogSequence[];
  readonly types: readonly CatalogType[];
  readonly rulesAndStatistics: readonly CatalogExtra[];
  readonly extensions: readonly CatalogExtension[];
  /** Partitions with bounds, such as the months; a default partition is one of the schema's own tables. */
  readonly partitions: CatalogTables;
}
