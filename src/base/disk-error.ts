import { AisecError, messageOf } from './errors.js';

/** What a file system says of its disk is none of our faults, wherever it was asked. */
export function diskError(error: unknown): AisecError | undefined {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  const detail = `${messageOf(error)}.`;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new AisecError('DISK_FULL', 'no space is left', { detail, hint: 'Free some space there.', cause: error });
  if (code !== 'EIO' && code !== 'EROFS') return undefined;
  return new AisecError('DISK_FAILED', 'a file could not be read or written', {
    detail,
    hint: 'See what the kernel says of the disk: dmesg',
    cause: error,
  });
}
