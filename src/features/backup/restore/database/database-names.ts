import { createHash } from 'node:crypto';
import { timestampOf } from '../../catalog/names.js';

/** PostgreSQL cuts longer names silently. */
const MOST_BYTES = 63;
const HASH_CHARACTERS = 8;

function fitted(prefix: string, name: string, suffix: string): string {
  const whole = `${prefix}${name}${suffix}`;
  if (Buffer.byteLength(whole) <= MOST_BYTES) return whole;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_CHARACTERS);
  let kept = '';
  for (const character of name) {
    if (Buffer.byteLength(`${prefix}${kept}${character}_${hash}${suffix}`) > MOST_BYTES) break;
    kept += character;
  }
  return `${prefix}${kept}_${hash}${suffix}`;
}

/** The unfinished database of a restore into `target`; always the same one, so that the next run finds it. */
export function workingName(target: string): string {
  return fitted('aisec_restoring_', target, '');
}

/** The scratch database of a deep verification. */
export function verifyName(target: string): string {
  return fitted('aisec_verify_', target, '');
}

/** The scratch database of a rehearsal of migrations. */
export function rehearsalName(target: string): string {
  return fitted('aisec_rehearse_', target, '');
}

/** The scratch database of a drill. */
export function drillName(target: string): string {
  return fitted('aisec_drill_', target, '');
}

/** What the replaced database is called from then on. */
export function beforeName(target: string, moment: Date): string {
  return fitted('', target, `_before_${timestampOf(moment)}`);
}
