import { expect, test } from 'vitest';

import type { Finding } from '../../../../src/features/doctor/finding.js';
import { applyIgnores, parseIgnores } from '../../../../src/config/ignores.js';

const finding = (id: string): Finding => ({
  id,
  check: id.split(':')[0] ?? '',
  area: 'security',
  severity: 'critical',
  object: id.split(':')[1] ?? '',
  message: 'message',
  impact: 'impact',
  fix: 'fix',
  evidence: null,
});
const surroundings = {
  known: new Set(['rls-off', 'index-redundant', 'vector-recall']),
  looked: new Set(['rls-off', 'index-redundant']),
  now: new Date('2026-11-25T23:59:59Z'),
};
const ignore = (id: string, until = '2026-11-25') => ({ id, reason: 'public data', until });

test('a finding is ignored by its id, or by its check, up to and with the last day', () => {
  const found = [finding('rls-off:a'), finding('rls-off:b'), finding('index-redundant:x')];
  const { findings, ignored, problems } = applyIgnores(
    found,
    [ignore('rls-off:a'), ignore('index-redundant')],
    surroundings,
  );
  expect(findings.map(({ id }) => id)).toEqual(['rls-off:b']);
  expect(ignored.map(({ id, reason, until }) => [id, reason, until])).toEqual([
    ['rls-off:a', 'public data', '2026-11-25'],
    ['index-redundant:x', 'public data', '2026-11-25'],
  ]);
  expect(problems).toEqual([]);
});

test('an expired entry brings its finding back and says what it said', () => {
  const { findings, problems } = applyIgnores(
    [finding('rls-off:a')],
    [ignore('rls-off:a', '2026-11-24')],
    surroundings,
  );
  expect(findings).toHaveLength(1);
  expect(problems).toEqual([{ id: 'rls-off:a', problem: 'it was ignored until 2026-11-24: public data' }]);
});

test('an entry of an unknown check and one without a finding are told, one of a check that could not look is not', () => {
  const { problems } = applyIgnores(
    [],
    [ignore('rsl-off:a'), ignore('rls-off:a'), ignore('vector-recall:i')],
    surroundings,
  );
  expect(problems).toEqual([
    { id: 'rsl-off:a', problem: 'there is no check "rsl-off"' },
    { id: 'rls-off:a', problem: 'there is no such finding any more; take the entry out' },
  ]);
});

test.each([
  ['{', 'is not JSON'],
  ['[]', 'has no list "ignore"'],
  ['{"ignore": [], "skip": 1}', 'has the unknown field "skip"'],
  ['{"ignore": ["rls-off"]}', 'has an entry 1 that is not an object'],
  ['{"ignore": [{"id": "a", "reason": " ", "until": "2027-01-01"}]}', 'has an entry 1 (a) without a reason'],
  ['{"ignore": [{"id": "a", "reason": "r"}]}', 'whose "until" is not a day'],
  ['{"ignore": [{"id": "a", "reason": "r", "until": "2027-02-30"}]}', 'whose "until" is not a day'],
  ['{"ignore": [{"id": "a", "reason": "r", "until": "2027-01-01", "who": "me"}]}', 'with the unknown field "who"'],
  [
    '{"ignore": [{"id": "a", "reason": "r", "until": "2027-01-01"}, {"id": "a", "reason": "r", "until": "2027-01-01"}]}',
    'ignores a twice',
  ],
])('%s is refused: %s', (text, message) => {
  expect(() => parseIgnores(text, 'file')).toThrow(message);
});
