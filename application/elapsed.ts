/**
 * Whether so much time has passed. The clock tells the time of day and may be set back meanwhile: then it is taken to
 * have passed, for what waits would wait as long as the clock was set back, and what is trusted be trusted so long.
 */
export function hasPassed(ms: number, sinceMs: number, nowMs: number): boolean {
  const passedMs = nowMs - sinceMs;
  return passedMs >= ms || passedMs < 0;
}
