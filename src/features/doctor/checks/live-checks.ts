import { LIVE_CHECKS } from '../../monitor/checks.js';
import type { Check } from '../check.js';
import { onServer } from './server-only.js';

/** What `monitor`, its exports and doctor look at alike. */
export const LIVE_DOCTOR_CHECKS: readonly Check[] = LIVE_CHECKS.map(({ look, ...check }) => ({
  ...check,
  examine: onServer(async (subject) => {
    const looked = await look(subject);
    return 'faults' in looked ? looked.faults.filter((fault) => fault !== undefined) : looked;
  }),
}));
