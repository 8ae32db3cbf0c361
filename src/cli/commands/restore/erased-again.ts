import { countText } from '../../../base/count.js';
import type { ErasedAgain } from '../../../features/backup/erasures/erased-again.js';
import { shellWord } from '../../../base/package/aisec-command.js';

/** Notes of people whom the backup brought back, and that were erased again. */
export function erasedAgainText(erasedAgain: ErasedAgain | null): readonly string[] {
  if (erasedAgain === null || erasedAgain.users === 0) return [];
  const { users, rows, sources } = erasedAgain;
  const [people, were] = [countText(users, 'person', 'people'), users === 1 ? 'was' : 'were'];
  return [
    `${people} erased after the backup was made ${were} erased again: ${countText(rows, 'row')}; on record in ${sources.join(', ')}.`,
  ];
}

/** Whom others depend on in this backup. */
export function erasureWarnings(erasedAgain: ErasedAgain | null): readonly string[] {
  return (erasedAgain?.blocked ?? []).map(
    ({ user, reason }) =>
      `user ${user} was erased after the backup was made and is there again, with a closed account: ${reason}\n    aisec user erase ${shellWord(user)} --shared hand-over=USER`,
  );
}
