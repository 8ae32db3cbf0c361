import { expect, test } from 'vitest';

import { selectTable } from '../../../../../src/features/backup/restore/table-selection.js';
import { parseToc, type TocEntry } from '../../../../../src/features/backup/contents/toc.js';

const TOC = `;
; Archive created at 2026-11-25 06:24:51 UTC
;     dbname: my "app"
;     TOC Entries: 32
;     Dumped from database version: 17.12 (Debian 17.12-0+deb13u1)
;     Dumped by pg_dump version: 18.1
;
1; 2615 100 SCHEMA - app owner
2; 3079 101 EXTENSION - vector 
3; 1255 102 FUNCTION app touch() owner
;	depends on: 1
10; 1259 110 TABLE app users owner
;	depends on: 1
11; 1259 111 TABLE app docs owner
;	depends on: 1 2
12; 1259 112 TABLE app docs old owner
;	depends on: 1
13; 1259 113 TABLE app docs_2026 owner
;	depends on: 11 1
14; 1259 114 SEQUENCE app docs_id_seq owner
;	depends on: 11
15; 0 0 TABLE ATTACH app docs_2026 owner
;	depends on: 13 11
20; 0 113 TABLE DATA app docs_2026 owner
;	depends on: 13
21; 0 110 TABLE DATA app users owner
;	depends on: 10
22; 0 0 SEQUENCE SET app docs_id_seq owner
;	depends on: 14
30; 2606 130 CONSTRAINT app users users_pkey owner
;	depends on: 10
31; 2606 131 CONSTRAINT app docs docs_pkey owner
;	depends on: 11
32; 2606 132 CONSTRAINT app docs_2026 docs_2026_pkey owner
;	depends on: 13
33; 1259 133 INDEX app docs_embedding_idx owner
;	depends on: 11 2 2
34; 0 0 INDEX ATTACH app docs_2026_pkey owner
;	depends on: 13 32 31 11
35; 2606 135 FK CONSTRAINT app docs docs_user_fkey owner
;	depends on: 10 30 11
36; 2606 136 FK CONSTRAINT app docs old old_docs_fkey owner
;	depends on: 12 11 31
37; 2620 137 TRIGGER app docs touch owner
;	depends on: 3 11
38; 3256 138 POLICY app docs own owner
;	depends on: 11 11 10
39; 0 111 ROW SECURITY app docs owner
;	depends on: 11
40; 0 110 ROW SECURITY app users owner
;	depends on: 10
41; 0 0 ACL app TABLE docs owner
;	depends on: 11
42; 0 0 COMMENT app COLUMN docs.id owner
;	depends on: 11
43; 1259 143 VIEW app all_docs owner
;	depends on: 11
`;
const toc = parseToc(TOC);
const everythingElse = (entry: TocEntry): boolean => !/^app docs(_2026)? /.test(entry.description);
const ids = (entries: readonly TocEntry[]): readonly number[] => entries.map(({ dumpId }) => dumpId);

test('reads the head of an archive, and its entries with what they depend on', () => {
  expect(toc).toMatchObject({ databaseName: 'my "app"', serverMajor: 17, toolMajor: 18 });
  expect(toc.entries).toHaveLength(26);
  expect(toc.entries.find(({ dumpId }) => dumpId === 35)).toEqual({
    dumpId: 35,
    kind: 'FK CONSTRAINT',
    description: 'app docs docs_user_fkey owner',
    dependsOn: [10, 30, 11],
    line: '35; 2606 135 FK CONSTRAINT app docs docs_user_fkey owner',
  });
});

test('a table comes with partitions, data, identity, keys, indexes, trigger, policy, row security and grants', () => {
  const selection = selectTable(toc.entries, { schema: 'app', name: 'docs' }, everythingElse);
  expect(ids(selection?.entries ?? [])).toEqual([11, 13, 14, 15, 20, 22, 31, 32, 33, 34, 35, 37, 38, 39, 41, 42]);
  expect(ids(selection?.tables ?? [])).toEqual([11, 13]);
  expect(ids(selection?.rowSecurity ?? [])).toEqual([39]);
  expect(selection?.prerequisites).toEqual([]);
});

test('what the target lacks comes along: schema, extension, function, and referenced tables whole', () => {
  const selection = selectTable(toc.entries, { schema: 'app', name: 'docs' }, () => false);
  expect(ids(selection?.tables ?? [])).toEqual([10, 11, 13]);
  expect(ids(selection?.prerequisites ?? [])).toEqual([1, 2, 3]);
  expect(ids(selection?.entries ?? [])).toEqual(expect.arrayContaining([21, 30, 40]));
});

test('one partition alone is attached again to the parent that is there', () => {
  const isInTarget = (entry: TocEntry): boolean => !entry.description.startsWith('app docs_2026 ');
  const selection = selectTable(toc.entries, { schema: 'app', name: 'docs_2026' }, isInTarget);
  expect(ids(selection?.entries ?? [])).toEqual([13, 15, 20, 32, 34]);
});

test('a name with a blank is told from the table it begins with', () => {
  const isInTarget = (entry: TocEntry): boolean => !entry.description.startsWith('app docs old ');
  const selection = selectTable(toc.entries, { schema: 'app', name: 'docs old' }, isInTarget);
  expect(ids(selection?.entries ?? [])).toEqual([12, 36]);
  expect(selectTable(toc.entries, { schema: 'app', name: 'doc' }, isInTarget)).toBeUndefined();
});

test('a table whose owner has a blank in the name is found, and is not the table of the longer name', () => {
  const list = TOC.replace('TABLE app docs owner', 'TABLE app docs Old Owner');
  const { entries } = parseToc(list, ['Owner', 'Old Owner']);
  const tables = selectTable(entries, { schema: 'app', name: 'docs' }, () => false)?.tables;
  expect(tables?.map(({ dumpId }) => dumpId)).toContain(11);
  expect(selectTable(entries, { schema: 'app', name: 'docs Old' }, () => false)).toBeUndefined();
});
