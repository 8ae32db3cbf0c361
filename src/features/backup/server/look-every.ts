/**
 * Looks again and again, never while a look is still at work. One that fails only costs what it would have found.
 *
 * @returns `stop`, which waits for the look at work
 */
export function lookEvery(everyMs: number, look: () => Promise<void>): { readonly stop: () => Promise<void> } {
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  let atWork = Promise.resolve();
  const schedule = (): void => {
    timer = setTimeout(() => {
      atWork = look()
        .catch(() => undefined)
        .then(() => {
          if (!isOver) schedule();
        });
    }, everyMs);
  };
  schedule();
  return {
    stop: async () => {
      isOver = true;
      clearTimeout(timer);
      await atWork;
    },
  };
}
