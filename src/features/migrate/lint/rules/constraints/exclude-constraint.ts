import { nameInSql } from '../../../../../base/identifier.js';
import { ignoring } from '../../fix.js';
import { statementRule } from '../../rule.js';
import { addedConstraints, rowsText } from '../parts.js';

const ID = 'exclude-constraint';

export const excludeConstraint = statementRule({
  id: ID,
  severity: 'warning',
  title: 'an EXCLUDE constraint added to a table in use',
  impact:
    'Its index is built under an ACCESS EXCLUSIVE lock, and there is no other way: neither NOT VALID nor USING INDEX. Add it in a maintenance window, or to a new table.',
  example: {
    before: 'create table bookings (id bigint primary key, during tstzrange);',
    bad: 'alter table bookings add constraint bookings_no_overlap exclude using gist (during with &&);',
    good: 'create table bookings_new (id bigint primary key, during tstzrange,\n  constraint bookings_no_overlap exclude using gist (during with &&));',
  },
  check: (statement, surroundings) =>
    addedConstraints(statement, surroundings, 'CONSTR_EXCLUSION').map(({ table, name }) => ({
      object: name,
      message: `constraint ${nameInSql(name)} builds its index on ${table.sqlName}${rowsText(table)} while reads and writes wait`,
      fix: ignoring(ID, 'runs in the maintenance window', statement.text),
    })),
});
