/** Node's words for a server that cannot be reached, or not any more. */
const UNREACHABLE: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'],
]);
/**
 * SQLSTATEs of a server that cannot do anything for anybody now: 08 connection, 53 out of disk, memory or connections,
 * 57P shut down or not up yet, 57014 a statement that took too long, 25006 a stand-by, 58 the system under it.
 */
const NOT_NOW = /^(?:08|53|57P|57014|25006|58)/;
/** The driver’s own failures have no code. */
const DRIVER =
  /^(?:Query read timeout|timeout exceeded when trying to connect|timeout expired|Connection terminated|Client (?:has encountered a connection error|was closed)|Cannot use a pool after calling end)/;
const MAX_DEPTH = 5;

/** Whether an error means that the database is away, not that something is wrong with what it was asked. */
export function isDatabaseOutage(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > MAX_DEPTH) return false;
  const { code, message, cause } = error as Error & { code?: unknown };
  if (typeof code === 'string' && (UNREACHABLE.has(code) || NOT_NOW.test(code))) return true;
  if (DRIVER.test(message)) return true;
  // One try for each address of a host.
  if (error instanceof AggregateError && error.errors.some((one) => isDatabaseOutage(one, depth + 1))) return true;
  return isDatabaseOutage(cause, depth + 1);
}
