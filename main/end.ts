/**
 * Ends this process by `exit` as soon as nothing is left to do, with the exit code that was set. Without it Node first
 * cleans up after itself, and its version 20 now and then does that for ever, on a full core (nodejs/node#47748).
 */
export function endWhenDone(): void {
  process.once('beforeExit', () => process.exit());
}
