import type { Session } from '../../../adapters/postgres/session.js';
import { withRollback } from '../../../adapters/postgres/session.js';
import { AisecError, endsRun, isAisecError } from '../../../base/errors.js';
import type { Finding } from '../../../base/finding.js';
import { quoteIdentifier, quoteLiteral } from '../../../base/identifier.js';
import { restoreFinding } from '../restore/findings.js';

/** The locale of a database, as CREATE DATABASE takes it. */
export interface DatabaseLocale {
  readonly provider: 'libc' | 'icu' | 'builtin';
  readonly name: string;
}

/** What an archive says of how its database is created, for a script of pg_restore --create. */
export interface CreateClauses {
  readonly text: string;
  readonly encoding: string;
  /** Each has to be there: an ICU database has one of libc, too. */
  readonly locales: readonly DatabaseLocale[];
}

function clause(text: string, name: string): string | undefined {
  const [, value] = new RegExp(` ${name} = (?:'((?:[^']|'')*)'|\\w+)`).exec(` ${text}`) ?? [];
  return value?.replaceAll("''", "'");
}

/** @throws AisecError BACKUP_INVALID for an archive of a part of a database. */
export function createClauses(script: string): CreateClauses {
  const [, text] = /^CREATE DATABASE (?:"(?:[^"]|"")*"|\S+) WITH (.*);$/m.exec(script) ?? [];
  if (text === undefined)
    throw new AisecError('BACKUP_INVALID', 'the archive does not say how its database was created', {
      hint: 'It was made by pg_dump for a part of a database only; restore it with pg_restore.',
    });
  const named = (provider: DatabaseLocale['provider'], ...clauses: readonly string[]): readonly DatabaseLocale[] =>
    clauses.flatMap((each) => {
      const name = clause(text, each);
      return name === undefined ? [] : [{ provider, name }];
    });
  const [, provider = 'libc'] = / LOCALE_PROVIDER = (\w+)/.exec(` ${text}`) ?? [];
  return {
    text,
    encoding: clause(text, 'ENCODING') ?? 'UTF8',
    locales: [
      ...(provider === 'icu' ? named('icu', 'ICU_LOCALE') : []),
      ...(provider === 'builtin' ? named('builtin', 'BUILTIN_LOCALE') : []),
      ...named('libc', 'LOCALE', 'LC_COLLATE', 'LC_CTYPE'),
    ],
  };
}

/** The statement for a database of another name, with another locale where one was asked for. */
export function createStatement(
  { text, encoding }: CreateClauses,
  name: string,
  locale: DatabaseLocale | undefined,
): string {
  const create = `create database ${quoteIdentifier(name)} with`;
  if (locale === undefined) return `${create} ${text}`;
  const value = quoteLiteral(locale.name);
  const clauses = {
    libc: `locale ${value}`,
    icu: `icu_locale ${value} locale 'C'`,
    builtin: `builtin_locale ${value} locale 'C'`,
  };
  return `${create} template template0 encoding ${quoteLiteral(encoding)} locale_provider ${locale.provider} ${clauses[locale.provider]}`;
}

/** Why the server refuses a locale; undefined when it has it. A collation needs the same, and is gone with its transaction. */
async function refusalOf(session: Session, { provider, name }: DatabaseLocale): Promise<string | undefined> {
  try {
    await withRollback(session, () =>
      session.query(`create collation pg_temp.aisec_locale (provider = ${provider}, locale = ${quoteLiteral(name)})`),
    );
    return undefined;
  } catch (error) {
    if (endsRun(error)) throw error;
    // What the role may not try is seen by CREATE DATABASE.
    if (!isAisecError(error) || error.sqlState === undefined || error.sqlState === '42501') return undefined;
    return error.message;
  }
}

/**
 * Locales of the new database that the server does not have.
 *
 * @param wanted the one that was asked for; null: the command takes none
 */
export async function localeFindings(
  session: Session,
  { locales }: CreateClauses,
  wanted: DatabaseLocale | null | undefined,
): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  const needed = wanted === undefined || wanted === null ? locales : [wanted];
  const asItWas = 'the database cannot be created as it was; install the locale on the server';
  const distinct = new Map(needed.map((locale) => [`${locale.provider}:${locale.name}`, locale]));
  for (const [object, locale] of distinct) {
    const refusal = await refusalOf(session, locale);
    if (refusal === undefined) continue;
    found.push(
      restoreFinding('locale', quoteLiteral(object), {
        message: `the server does not have the ${locale.provider} locale "${locale.name}": ${refusal}`,
        impact:
          wanted === undefined
            ? `${asItWas}, or restore with another one, which sorts text in another order: --locale C.UTF-8, or --locale icu:und`
            : wanted === null
              ? `${asItWas}, or work on a server that has it`
              : 'the database cannot be created; give another --locale',
      }),
    );
  }
  return found;
}
