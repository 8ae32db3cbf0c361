/** Waits for all of them to end, then throws what the first in the list threw: nothing is left at work behind the caller. */
export async function allSettled<Results extends readonly unknown[]>(work: {
  readonly [Index in keyof Results]: Promise<Results[Index]>;
}): Promise<Results> {
  const ended = await Promise.allSettled(work);
  const failed = ended.find((each) => each.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return ended.map((each) => (each as PromiseFulfilledResult<unknown>).value) as unknown as Results;
}
