import { AisecError } from '../../../base/errors.js';
import { parseMonth, type Month } from '../../../base/month.js';
import type { GivenTable } from '../../../base/table-name.js';
import { tableOption } from '../../table-name.js';

export interface GivenRows {
  readonly table: GivenTable;
  readonly condition: string;
}

const PART = String.raw`(?:"(?:[^"]|"")+"|[^\s".]+)`;
const ROWS = new RegExp(String.raw`^\s*((?:${PART}\.)?${PART})\s+where\s+(.+)$`, 'is');

/** Reads `users where username = 'x'`. @throws AisecError USAGE. */
export function rowsOption(text: string): GivenRows {
  const [, table = '', condition = ''] = ROWS.exec(text) ?? [];
  if (condition.trim() === '')
    throw new AisecError('USAGE', `invalid rows "${text}", expected TABLE where CONDITION`, {
      hint: `Such as: --rows "users where username = 'x'"`,
    });
  return { table: tableOption(table), condition };
}

/** @throws AisecError USAGE. */
export function monthOption(text: string): Month {
  const month = parseMonth(text);
  if (month !== undefined) return month;
  throw new AisecError('USAGE', `invalid month "${text}", expected YYYY-MM`, { hint: 'Such as: --month 2026-08' });
}
