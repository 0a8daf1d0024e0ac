/**
 * Pure. What a `millrace` process ends with. Source: sysexits.h; 130 is 128 + SIGINT, as shells count.
 */
export const exitCodes = {
  done: 0,
  /** The work was done and its result is bad: a record was refused, a check failed. */
  failed: 1,
  usage: 64,
  badData: 65,
  noInput: 66,
  bug: 70,
  tryAgain: 75,
  interrupted: 130,
} as const;
