import { expect, test } from 'vitest';

import { checkListOf } from '../../../../src/features/types/check-list.js';

test.each([
  "CHECK (role::text = ANY (ARRAY['user'::character varying, 'it''s'::character varying]::text[]))",
  "CHECK (role = ANY (ARRAY['user'::text, 'it''s'::text]))",
  "CHECK (role = ANY (ARRAY['user'::text, 'it''s'])) NO INHERIT",
])('a list of texts is read from %s', async (definition) => {
  expect(await checkListOf(definition)).toEqual({ column: 'role', choices: ['user', "it's"] });
});

test.each([
  "CHECK (role::text <> ALL (ARRAY['user'::text]))",
  "CHECK (role::text = ANY (ARRAY['user'::text]) OR id > 0)",
  "CHECK (lower(role) = ANY (ARRAY['user'::text]))",
  'CHECK (priority = ANY (ARRAY[1, 2]))',
  "CHECK (name::text ~ '\\S'::text)",
  "CHECK (role::text = ANY (ARRAY['user'::text, NULL::text]))",
])('no list is read from %s', async (definition) => {
  expect(await checkListOf(definition)).toBeUndefined();
});
