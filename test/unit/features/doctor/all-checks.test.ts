import { expect, test } from 'vitest';

import { ALL_CHECKS } from '../../../../src/features/doctor/all-checks.js';
import { AREAS } from '../../../../src/features/doctor/check.js';
import { selectChecks } from '../../../../src/features/doctor/select-checks.js';

test('every check has an id of its own, which is no area, and an area of the list', () => {
  const ids = ALL_CHECKS.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => !/^[a-z0-9-]+$/.test(id) || (AREAS as readonly string[]).includes(id))).toEqual([]);
  expect(AREAS.filter((area) => !ALL_CHECKS.some((check) => check.area === area))).toEqual([]);
});

test('checks are selected by area and id, and a mistyped name is answered with the nearest', () => {
  expect(selectChecks(['vectors', 'rls-off']).map(({ id }) => id)).toEqual([
    'rls-off',
    'vector-index',
    'vector-recall',
    'vector-lists',
  ]);
  expect(selectChecks([])).toBe(ALL_CHECKS);
  expect(() => selectChecks(['rls-of'])).toThrow('there is no area and no check "rls-of"');
});
