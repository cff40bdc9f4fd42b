import {
  AccessDeniedError,
  CancelledError,
  DeadlineExceededError,
  NotLeaderError,
  TimeoutError,
  UnavailableError,
} from '@eventstore/db-client';

/** Why the event store cannot be used now, in words for an operator. Never holds credentials. */
export class LogUnavailable extends Error {
  override readonly name = 'LogUnavailable';

  constructor(
    readonly reason: 'unreachable' | 'unauthorised' | 'too-old' | 'no-leader',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The event store and its copy in PostgreSQL tell different stories, or the stream is not what we wrote. */
export class LogDiverged extends Error {
  override readonly name = 'LogDiverged';
}

/** Status codes of gRPC; some errors come as gRPC gives them. */
const PERMISSION_DENIED = 7;
const UNAUTHENTICATED = 16;
const UNREACHABLE: readonly unknown[] = [1, 4, 14]; // cancelled, deadline exceeded, unavailable

/** The client's error in words for an operator; what is none of these stays as it is. */
export function explain(error: unknown, where: string): Error {
  if (error instanceof LogUnavailable) return error;
  if (!(error instanceof Error)) return new Error(String(error));
  const { code } = error as { code?: unknown };
  const cause = { cause: error };
  if (error instanceof AccessDeniedError || code === PERMISSION_DENIED || code === UNAUTHENTICATED) {
    return new LogUnavailable(
      'unauthorised',
      `EventStoreDB at ${where} refuses the credentials of LOG_URL (or gives them no right to the streams)`,
      cause,
    );
  }
  if (error instanceof NotLeaderError) {
    return new LogUnavailable('no-leader', `the node of EventStoreDB at ${where} is not the leader now`, cause);
  }
  if (isUnreachable(error)) {
    return new LogUnavailable('unreachable', `EventStoreDB at ${where} cannot be reached: ${error.message}`, cause);
  }
  return error;
}

function isUnreachable(error: Error): boolean {
  return (
    error instanceof UnavailableError ||
    error instanceof DeadlineExceededError ||
    error instanceof TimeoutError ||
    error instanceof CancelledError ||
    UNREACHABLE.includes((error as { code?: unknown }).code) ||
    error.message.startsWith('Failed to discover') ||
    error.message.startsWith('the subscription ')
  );
}
