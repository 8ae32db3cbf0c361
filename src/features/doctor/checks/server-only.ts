import type { Outcome, Subject } from '../check.js';

/** For what the embedded database does not have. */
export function onServer(examine: (subject: Subject) => Promise<Outcome>): (subject: Subject) => Promise<Outcome> {
  return async (subject) =>
    subject.session.info.kind === 'server'
      ? examine(subject)
      : { notApplicable: 'the embedded database has one session and no settings of a server' };
}
