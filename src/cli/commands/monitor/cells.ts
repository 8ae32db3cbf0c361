import { formatBytes } from '../../../base/bytes.js';
import { formatCount } from '../../../base/count.js';
import type { Renderer } from '../../terminal/output.js';

/** How values stand in a table: for people on a terminal, for programs in a pipe. What is not known is `?`, or empty. */
export interface Cells {
  readonly bytes: (sizeBytes: number | null) => string;
  readonly count: (count: number | null) => string;
  /** Of a share from 0 to 1. */
  readonly percent: (share: number | null) => string;
}

const FOR_PEOPLE: Cells = {
  bytes: (sizeBytes) => (sizeBytes === null ? '?' : formatBytes(sizeBytes)),
  count: (count) => (count === null ? '?' : formatCount(count)),
  percent: (share) => (share === null ? '?' : `${(share * 100).toFixed(1)} %`),
};
const FOR_PROGRAMS: Cells = {
  bytes: (sizeBytes) => String(sizeBytes ?? ''),
  count: (count) => String(count ?? ''),
  percent: (share) => (share === null ? '' : (share * 100).toFixed(1)),
};

export function cellsFor({ isTTY }: Pick<Renderer, 'isTTY'>): Cells {
  return isTTY ? FOR_PEOPLE : FOR_PROGRAMS;
}
