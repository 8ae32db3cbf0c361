import { formatBytes } from '../../../base/bytes.js';

export interface Scale {
  /** The top of the axis, at least the largest value. */
  readonly topBytes: number;
  /** Without 0, from the lowest. */
  readonly ticks: readonly { readonly bytes: number; readonly label: string }[];
}

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500];

/** An axis of sizes from 0 on with three to six round ticks in the units of PostgreSQL. */
export function byteScale(mostBytes: number): Scale {
  const most = Math.max(mostBytes, 1024);
  const unit = 1024 ** Math.floor(Math.log(most) / Math.log(1024));
  const step = unit * (STEPS.find((candidate) => most / unit / candidate <= 5) ?? 1000);
  const fine = most / step < 2.5 ? step / 2 : step;
  const count = Math.ceil(most / fine);
  const ticks = Array.from({ length: count }, (_, position) => (position + 1) * fine);
  return { topBytes: count * fine, ticks: ticks.map((bytes) => ({ bytes, label: formatBytes(bytes) })) };
}
