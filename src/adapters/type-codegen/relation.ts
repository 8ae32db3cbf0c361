/** What CHECKs on one column ask for besides a list of texts, as far as validators know them. */
export interface ColumnChecks {
  /** It has a character that is not white space. */
  readonly isNotBlank?: boolean;
  readonly atLeast?: number;
}

/** What the catalog says about one column, as far as types and validators of it go. */
export interface ColumnShape {
  readonly name: string;
  /** As format_type prints it: `character varying(50)`, `text[]`. */
  readonly type: string;
  readonly comment: string | null;
  readonly isNullable: boolean;
  readonly hasDefault: boolean;
  /** GENERATED ALWAYS, stored or as identity. */
  readonly isAlwaysGenerated: boolean;
  /** The texts a CHECK allows; undefined when none lists them. */
  readonly choices: readonly string[] | undefined;
  readonly checks: ColumnChecks;
  /** The jsonb columns with a type of their own: its name in aisec/schema. */
  readonly jsonType: string | undefined;
}

export interface RelationShape {
  readonly name: string;
  readonly isView: boolean;
  readonly comment: string | null;
  /** Of the type of one row: `User`, `ConversationStats`. */
  readonly rowName: string;
  readonly columns: readonly ColumnShape[];
}
