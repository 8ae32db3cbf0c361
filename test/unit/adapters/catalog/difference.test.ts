import { describe, expect, test } from 'vitest';
import { renderDifference, type Difference } from '../../../../src/adapters/catalog/difference.js';
import { normalizeConfiguration } from '../../../../src/adapters/catalog/normalize-configuration.js';

function line(property: string, before: Difference['before'], after: Difference['after']): string {
  return renderDifference({ kind: 'table', object: 'messages', property, before, after });
}

describe('A difference in one line', () => {
  test('shows switches as on and off and names properties in words', () => {
    expect(line('rowLevelSecurity', true, false)).toBe('table messages: row-level security on → off');
  });

  test('shows an object of one side as missing or added', () => {
    expect(line('existence', true, false)).toBe('table messages: missing');
    expect(line('existence', false, true)).toBe('table messages: added');
  });

  test('shows what is not there as none, an empty text in quotes and lists with commas', () => {
    expect(line('comment', null, '')).toBe('table messages: comment none → ""');
    expect(line('options', [], ['fillfactor=90', 'autovacuum_enabled=false'])).toBe(
      'table messages: options none → fillfactor=90, autovacuum_enabled=false',
    );
    expect(line('cost', 1, 100)).toBe('table messages: cost 1 → 100');
  });

  test('shows the first line that differs in a text of several lines', () => {
    expect(line('body', 'begin\n  one;\nend', 'begin\n  two;\nend')).toBe('table messages: body line 2: one; → two;');
    expect(line('body', 'begin\nend', 'begin')).toBe('table messages: body line 2: end → ""');
  });

  test('cuts long texts around the first character that differs, and stays one line', () => {
    const rendered = line(
      'definition',
      `${'a'.repeat(200)}ONE${'b'.repeat(200)}`,
      `${'a'.repeat(200)}TWO${'b'.repeat(200)}`,
    );
    expect(rendered).toContain('aaaONEbbb');
    expect(rendered).toContain('aaaTWObbb');
    expect(rendered.length).toBeLessThan(200);
    const atTheEnd = line('definition', 'a'.repeat(100), 'a'.repeat(101));
    expect(atTheEnd).toContain('→');
  });
});

describe('The search_path of a function', () => {
  const names = { schema: 'app', extensionSchemas: ['public'] };

  test('names the schema and that of the extensions by their part', () => {
    expect(normalizeConfiguration(['search_path=app, public, pg_temp'], names)).toEqual([
      'search_path=$schema, $extensions, pg_temp',
    ]);
  });

  test('is equal when one schema plays both parts', () => {
    const both = { schema: 'public', extensionSchemas: ['public'] };
    expect(normalizeConfiguration(['search_path=public, pg_temp'], both)).toEqual([
      'search_path=$schema, $extensions, pg_temp',
    ]);
  });

  test('differs when the extensions, pg_temp or the order are not as they were', () => {
    expect(normalizeConfiguration(['search_path=app, pg_temp'], names)).toEqual(['search_path=$schema, pg_temp']);
    expect(normalizeConfiguration(['search_path=public, app'], names)).toEqual(['search_path=$extensions, $schema']);
    expect(normalizeConfiguration(['search_path=other'], names)).toEqual(['search_path=other']);
  });

  test('reads quoted names', () => {
    const odd = { schema: 'My "odd", App', extensionSchemas: [] };
    expect(normalizeConfiguration(['search_path="My ""odd"", App", "$user"'], odd)).toEqual([
      'search_path=$schema, $user',
    ]);
    expect(normalizeConfiguration(['search_path=""'], odd)).toEqual(['search_path=']);
  });

  test('leaves other settings as they are, in order', () => {
    expect(normalizeConfiguration(['work_mem=app', 'TimeZone=UTC'], names)).toEqual(['TimeZone=UTC', 'work_mem=app']);
  });
});
