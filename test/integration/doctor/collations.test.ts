import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { databaseAddress } from '../../support/database-address.js';
import {
  cleanUpDatabases,
  createServerDatabase,
  describeOnServer,
  type ServerDatabase,
} from '../../support/database.js';
import { findingsOn, paste } from '../monitor-live/doctor-on.js';

describeOnServer('collations that an upgrade of the operating system has changed', () => {
  let database: ServerDatabase;

  beforeAll(async () => {
    database = await createServerDatabase({ migrated: true });
  });
  afterAll(cleanUpDatabases);

  test('a collation of another version is critical with the indexes by it; its fix rebuilds them and ends the finding', async () => {
    const { admin, url } = database;
    await admin.query(
      `create collation "Deutsch" (provider = icu, locale = 'de');
       create table names (name text collate "Deutsch" primary key);
       create collation unused (provider = icu, locale = 'fr');
       update pg_collation set collversion = '1.2' where collname in ('Deutsch', 'unused')`,
    );
    const [finding, ...others] = await findingsOn(url, 'collation-version');
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      id: 'collation-version:"Deutsch"',
      severity: 'critical',
      message: expect.stringMatching(
        /^collation "Deutsch" was version 1\.2 when 1 index by it was built, and is version [\d.]+ now$/,
      ),
    });
    const before = await admin.query(
      "select 'names_pkey'::regclass::oid as oid, pg_relation_filenode('names_pkey') as file",
    );
    await paste(url, finding!.fix!);
    const after = await admin.query("select pg_relation_filenode('names_pkey') as file");
    expect(after.rows[0]).not.toEqual({ file: (before.rows[0] as { file: number }).file });
    expect(await findingsOn(url, 'collation-version')).toEqual([]);
  });

  test('so is that of the database, whose fix rebuilds every index; one whose version is not known any more has no fix', async () => {
    const { admin } = database;
    const name = `${new URL(database.url).pathname.slice(1)} "icu"`;
    const quoted = pg.escapeIdentifier(name);
    await admin.query(`create database ${quoted} template template0 locale_provider icu icu_locale 'en'`);
    try {
      const url = databaseAddress(database.url, name);
      await paste(url, 'create table users (name text primary key);');
      await admin.query("update pg_database set datcollversion = '1.2' where datname = $1", [name]);
      const [finding, ...others] = await findingsOn(url, 'collation-version');
      expect(others).toEqual([]);
      expect(finding).toMatchObject({
        id: 'collation-version:database',
        severity: 'critical',
        message: expect.stringMatching(
          /^the collation of the database was version 1\.2 when 1 index by it was built, and is version [\d.]+ now$/,
        ),
        fix: `reindex database concurrently ${quoted};\nalter database ${quoted} refresh collation version;`,
      });
      await paste(url, finding!.fix!);
      expect(await findingsOn(url, 'collation-version')).toEqual([]);
    } finally {
      await admin.query(`drop database ${quoted} with (force)`);
    }
    // A libc locale of C.UTF-8 has no version.
    await admin.query("update pg_database set datcollversion = '1.2' where datname = current_database()");
    expect(await findingsOn(database.url, 'collation-version')).toMatchObject([
      {
        id: 'collation-version:database',
        message: expect.stringMatching(/ and is of no known version now$/),
        fix: null,
      },
    ]);
  });
});
