import { type Command, type Outcome, Overloaded, Unavailable } from '../../application/commands.js';
import { NotHanded } from '../../application/ports/relay.js';

export interface Handed {
  readonly id: number;
  readonly command: Command;
}

export type Reply =
  | { readonly id: number; readonly outcome: Outcome }
  | { readonly id: number; readonly failed: 'overloaded'; readonly retryAfterSeconds: number }
  | { readonly id: number; readonly failed: 'unavailable' | 'not-handed' | 'defect'; readonly message: string };

export function failureReply(id: number, error: unknown): Reply {
  if (error instanceof Overloaded) return { id, failed: 'overloaded', retryAfterSeconds: error.retryAfterSeconds };
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof NotHanded) return { id, failed: 'not-handed', message };
  return { id, failed: error instanceof Unavailable ? 'unavailable' : 'defect', message };
}

export function errorOf(reply: Exclude<Reply, { outcome: Outcome }>): Error {
  switch (reply.failed) {
    case 'overloaded':
      return new Overloaded(reply.retryAfterSeconds);
    case 'unavailable':
      return new Unavailable(reply.message);
    case 'not-handed':
      return new NotHanded(reply.message);
    case 'defect':
      return new Error(`the leading process failed: ${reply.message}`);
  }
}
