import { describe, expect, test } from 'vitest';

import { byNearness, chooseTool } from '../../../../src/adapters/pgtools/find-tools.js';
import type { PgTool } from '../../../../src/adapters/pgtools/tool.js';

const PLACES = { pgBinDir: undefined, environment: {} };

function tool(version: string): PgTool {
  return { name: 'pg_dump', path: `/pg/${version}/pg_dump`, version, major: Number.parseInt(version, 10) };
}

describe('of several programs', () => {
  test.each([
    { found: ['16.9', '17.2', '17.12', '18.6'], major: 17, chosen: '17.12', isWarned: false },
    { found: ['18.6', '17.12'], major: 17, chosen: '17.12', isWarned: false },
    { found: ['15.18', '19rc1', '18.6'], major: 17, chosen: '18.6', isWarned: true },
  ])('the newest of the same major version is taken, else the next newer one: $found for $major', (given) => {
    const { tool: chosen, warning } = chooseTool(
      'pg_dump',
      given.found.map(tool),
      { major: given.major, of: 'the server' },
      PLACES,
    );
    expect(chosen.version).toBe(given.chosen);
    expect(warning !== undefined).toBe(given.isWarned);
  });

  test('those that read an archive are tried from the same version upwards, then downwards', () => {
    const order = byNearness(['15.18', '18.6', '16.9', '17.12', '19rc1'].map(tool), 17);
    expect(order.map(({ major }) => major)).toEqual([17, 18, 19, 16, 15]);
  });
});
