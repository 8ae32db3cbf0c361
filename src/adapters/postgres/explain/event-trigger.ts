import { isAisecError, withHint } from '../../../base/errors.js';
import { quoteIdentifier } from '../../../base/identifier.js';
import { serverContext } from '../../../base/server-context.js';
import type { Session } from '../session.js';

interface TriggerRow {
  readonly name: string;
  readonly owner: string;
}

/**
 * The same error with another hint where an event trigger refused a statement: nothing is wrong with what was sent then.
 * Asked in a session whose transaction was rolled back; where it cannot answer, the error stays as it is.
 */
export async function explainEventTrigger(error: unknown, session: Session): Promise<unknown> {
  const context = serverContext(error);
  if (!isAisecError(error) || context?.includes('() line ') !== true) return error;
  const trigger = await session
    .query<TriggerRow>(
      `select trigger.evtname as name, trigger.evtowner::pg_catalog.regrole::text as owner
       from pg_catalog.pg_event_trigger as trigger
       join pg_catalog.pg_proc as routine on routine.oid = trigger.evtfoid
       where trigger.evtenabled <> 'D'
         and pg_catalog.strpos(pg_catalog.translate($1, ' ', '.'), pg_catalog.format('.%I().line.', routine.proname)) > 0
       order by trigger.evtname
       limit 1`,
      [context],
    )
    .then(({ rows: [first] }) => first)
    .catch(() => undefined);
  if (trigger === undefined) return error;
  const name = quoteIdentifier(trigger.name);
  return withHint(
    error,
    `The event trigger ${name} refused it, and what failed was rolled back. Do what the trigger asks for; or let its owner ${trigger.owner} disable it, run the command again, and enable it afterwards: alter event trigger ${name} disable;`,
  );
}
