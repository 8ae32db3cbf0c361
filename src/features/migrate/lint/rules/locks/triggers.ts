import { nameInSql } from '../../../../../base/identifier.js';
import { ignoring } from '../../fix.js';
import { statementRule } from '../../rule.js';
import { alterations } from '../parts.js';

const DISABLING = ['AT_DisableTrig', 'AT_DisableTrigAll', 'AT_DisableTrigUser'];

export const triggerDisabled = statementRule({
  id: 'trigger-disabled',
  severity: 'critical',
  title: 'DISABLE TRIGGER',
  impact:
    'Until it is enabled again, for every session: rows miss what the trigger keeps (keys of messages, cache notifications, updated_at), and with ALL foreign keys are not checked.',
  example: {
    before:
      'create table invoices (id bigint primary key); create function touch() returns trigger language plpgsql as $$ begin return new; end $$; create trigger touch before update on invoices for each row execute function touch();',
    bad: 'alter table invoices disable trigger touch;',
    good: '-- aisec-ignore trigger-disabled: the last statement enables it again\nalter table invoices disable trigger touch;\nalter table invoices enable trigger touch;',
  },
  check: (statement) =>
    DISABLING.flatMap((subtype) =>
      alterations(statement, subtype).map(({ relation, command }) => ({
        object: `${relation.relname ?? ''}.${command.name ?? 'all'}`,
        message: `${command.name === undefined ? 'the triggers' : `trigger ${nameInSql(command.name)}`} of ${nameInSql(relation.relname ?? '')} ${command.name === undefined ? 'are' : 'is'} switched off`,
        fix: ignoring('trigger-disabled', 'a later statement enables it again', statement.text),
      })),
    ),
});
