import { expect, test } from 'vitest';

import { wrapCalls } from '../../../../src/features/doctor/checks/policy/wrap-calls.js';

test.each([
  ['(id = current_user_id())', 'current_user_id', '(id = (select current_user_id()))'],
  ['(id = app.me()) AND (who = app.me())', 'me', '(id = (select app.me())) AND (who = (select app.me()))'],
  [
    `(by = COALESCE(current_setting('a)b'::text, true), 'x'::text))`,
    'current_setting',
    `(by = COALESCE((select current_setting('a)b'::text, true)), 'x'::text))`,
  ],
  [`("My s"."A.b+"('it''s ('::text))`, '"A.b+"', `((select "My s"."A.b+"('it''s ('::text)))`],
  ['(not_me() AND me)', 'me', '(not_me() AND me)'],
])('in %s each call of %s is evaluated once', (expression, name, wrapped) => {
  expect(wrapCalls(expression, name)).toBe(wrapped);
});
