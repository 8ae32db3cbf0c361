import { expect, test } from 'vitest';

import { checkListOf } from '../../../../src/features/types/check-list.js';

test.each([
  "CHECK (role::text = ANY (ARRAY['user'::character varying, 'it''s'::character varying]::text[]))",
  "CHECK (role = ANY (ARRAY['user'::text, 'it''s'::text]))",
  "CHECK (role::text = ANY (ARRAY['user'::character varying, 'it''s'::character varying]::text[]) OR role IS NULL)",
  "CHECK (role = 'user'::text OR role = 'it''s'::text)",
])('a list of texts is read from %s', async (definition) => {
  expect(await checkListOf(definition)).toEqual({ column: 'role', choices: ['user', "it's"] });
});

test.each([
  "CHECK (role::text <> ALL (ARRAY['user'::text]))",
  "CHECK (role::text = ANY (ARRAY['user'::text]) OR id > 0)",
  "CHECK (lower(role) = ANY (ARRAY['user'::text]))",
  "CHECK (role = ANY (ARRAY['user'::text, 'it''s'])) NO INHERIT",
  "CHECK (role::character varying(1) = ANY (ARRAY['u'::text]))",
  "CHECK (role = 'user'::text OR id = 'it''s'::text)",
  "CHECK (name::text ~ '\\S'::text)",
  "CHECK (role::text = ANY (ARRAY['user'::text, NULL::text]))",
])('no list is read from %s', async (definition) => {
  expect(await checkListOf(definition)).toBeUndefined();
});

test('a list of numbers is read, negative ones and zero, too', async () => {
  expect(await checkListOf("CHECK (n = ANY (ARRAY['-1'::integer, 0, 2]))")).toEqual({
    column: 'n',
    choices: ['-1', '0', '2'],
  });
});
