import { boundedName } from '../../../../base/bounded-name.js';
import { timestampOf } from '../../catalog/names.js';

/** The unfinished database of a restore into `target`; always the same one, so that the next run finds it. */
export function workingName(target: string): string {
  return boundedName(target, { prefix: 'aisec_restoring_' });
}

/** The scratch database of a deep verification. */
export function verifyName(target: string): string {
  return boundedName(target, { prefix: 'aisec_verify_' });
}

/** The scratch database of a rehearsal of migrations. */
export function rehearsalName(target: string): string {
  return boundedName(target, { prefix: 'aisec_rehearse_' });
}

/** The scratch database of a drill. */
export function drillName(target: string): string {
  return boundedName(target, { prefix: 'aisec_drill_' });
}

/** What the replaced database is called from then on. */
export function beforeName(target: string, moment: Date): string {
  return boundedName(target, { suffix: `_before_${timestampOf(moment)}` });
}
