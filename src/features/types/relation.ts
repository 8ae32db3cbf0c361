/** What CHECKs on one column ask for besides a list of values, as far as validators know them. */
export interface ColumnChecks {
  /** It has a character that is not white space. */
  readonly isNotBlank?: boolean;
  readonly atLeast?: number;
}

/** The type of a column, or of the elements of its arrays, with domains resolved. */
export interface ValueType {
  /** As format_type prints it: `character varying(50)`. */
  readonly printed: string;
  /** `int4`, `timestamptz`, `mood`. */
  readonly base: string;
  readonly origin: 'pg_catalog' | 'extension' | 'own';
  readonly kind: 'base' | 'enum' | 'composite' | 'range' | 'multirange';
  readonly length: number | null;
  /** How deep its arrays are nested; 0 for none. */
  readonly dimensions: number;
  /** An array that the driver reads and cannot write. */
  readonly isWrittenAsText: boolean;
  /** Of an enum. */
  readonly labels: readonly string[];
  /** Equal texts are the same text: no collation takes others for equal. */
  readonly isExact: boolean;
}

/** What the catalog says about one column, as far as types and validators of it go. */
export interface ColumnShape {
  readonly name: string;
  readonly type: ValueType;
  readonly comment: string | null;
  readonly isNullable: boolean;
  readonly hasDefault: boolean;
  /** GENERATED ALWAYS, stored or as identity. */
  readonly isAlwaysGenerated: boolean;
  /** What a CHECK allows; undefined when none lists it. */
  readonly choices: readonly (string | number)[] | undefined;
  readonly checks: ColumnChecks;
  /** The jsonb columns with a type of their own: its name in aisec/schema. */
  readonly jsonType: string | undefined;
}

export interface RelationShape {
  /** As Kysely names it: `users`, `billing.invoices`. */
  readonly key: string;
  readonly isView: boolean;
  readonly comment: string | null;
  /** Of the type of one row: `User`, `ConversationStats`. */
  readonly rowName: string;
  /** Of the interface of its columns: `UsersTable`. */
  readonly tableName: string;
  readonly columns: readonly ColumnShape[];
}
