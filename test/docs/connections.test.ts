import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { PARAMETERS } from '../../src/config/connection/connection-parameters.js';

const table = readFileSync(new URL('../../docs/connections.md', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()));

const documented = new Map(
  table.flatMap(([, names = '', , what = '']) => [...names.matchAll(/`(\w+)`/g)].map(([, name]) => [name, what])),
);

test('docs/connections.md says of every parameter that is known what becomes of it, and of no other one', () => {
  expect(new Set(documented.keys())).toEqual(new Set([...PARAMETERS.keys(), 'service']));
});

test.each([...PARAMETERS])('%s is %s there, too', (name, fate) => {
  const words = { kept: /kept|accepted/, ignored: /^ignored/, refused: /refused/ };
  expect(documented.get(name)).toMatch(words[fate]);
});
