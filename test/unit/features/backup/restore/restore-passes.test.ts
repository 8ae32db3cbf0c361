import { expect, test } from 'vitest';

import { eventTriggers, restorePasses } from '../../../../../src/features/backup/restore/restore-passes.js';
import { parseToc } from '../../../../../src/features/backup/contents/toc.js';

const TOC = parseToc(`
10; 1259 1 TABLE public notes me
20; 1259 2 INDEX public notes_id me
;\tdepends on: 10
30; 1259 3 INDEX public notes near me
;\tdepends on: 10
31; 0 0 COMMENT public INDEX "notes near" me
;\tdepends on: 30
40; 1259 4 INDEX public notes_near me
;\tdepends on: 10
50; 0 0 INDEX ATTACH public notes near me
;\tdepends on: 40 30
60; 2620 5 TRIGGER public notes check me
;\tdepends on: 10
`);
const machine = { memoryBytes: undefined, cpus: 2 };
const vector = { schema: 'public', index: 'notes near', rows: 10, dimensions: 3 };

test('rows come first, then the rest, then vector indexes with what depends on them and more than one process', () => {
  const [rows, others, vectors, ...none] = restorePasses({ toc: TOC, vectorIndexes: [vector], machine, jobs: 3 });
  expect(none).toEqual([]);
  expect([rows, others, vectors].map((pass) => pass?.jobs)).toEqual([3, 3, 1]);
  expect(rows).toMatchObject({ sections: ['pre-data', 'data'], entries: undefined });
  expect(others?.sections).toEqual(['post-data']);
  expect(others?.entries?.map(({ dumpId }) => dumpId)).toEqual([10, 20, 40, 60]);
  expect(vectors?.sections).toEqual(['post-data']);
  expect(vectors?.entries?.map(({ dumpId }) => dumpId)).toEqual([30, 31, 50]);
  for (const { settings } of [rows!, others!]) expect(settings).not.toHaveProperty('min_parallel_table_scan_size');
  expect(vectors?.settings).toMatchObject({ min_parallel_table_scan_size: '0', max_parallel_maintenance_workers: '1' });
});

test('without vector indexes there are two passes over all entries', () => {
  expect(restorePasses({ toc: TOC, vectorIndexes: [], machine, jobs: 3 })).toMatchObject([
    { sections: ['pre-data', 'data'], entries: undefined },
    { sections: ['post-data'], entries: undefined },
  ]);
});

test('event triggers are in none of the passes, and neither is what belongs to them', () => {
  const toc = parseToc(`
10; 1259 1 TABLE public notes me
70; 3466 6 EVENT TRIGGER - audit me
71; 0 0 COMMENT - EVENT TRIGGER audit me
;\tdepends on: 70
`);
  expect(eventTriggers(toc).map(({ dumpId }) => dumpId)).toEqual([70, 71]);
  const [rows, others] = restorePasses({ toc, vectorIndexes: [], machine, jobs: 3 });
  expect(rows?.entries).toBeUndefined();
  expect(others?.entries?.map(({ dumpId }) => dumpId)).toEqual([10]);
});
