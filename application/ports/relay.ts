import type { Command, Outcome } from '../commands.js';

/**
 * How processes that all write to one tenant come to one writer: one of them leads, the others hand their commands to it
 * and pass its answers on. A hint, like turns: who appends all the same is right or wrong by the expected revision.
 * Adapter: infrastructure/relay.
 */
export interface Relay {
  /** How this process stands among the tenant's writers; it leads from now on if nobody does. Never rejects. */
  stand(tenantId: string): Promise<Standing>;
  /**
   * Tells the other processes that several write to this tenant. Who is always first meets no conflict and would not know;
   * those who come second could lose for ever. May be lost: it is repeated while there are conflicts. Never throws.
   */
  invite(tenantId: string): void;
}

export type Standing =
  /** Others hand their commands to this process, until it ends that or `held` is false by itself. */
  | { readonly status: 'leads'; readonly held: boolean; end(): void }
  /**
   * Rejects with what the leader was told (`Overloaded`, `Unavailable`), with `NotHanded`, or with anything else: then it
   * is not known whether the command took effect.
   */
  | { readonly status: 'follows'; hand(command: Command): Promise<Outcome> }
  /** There is no leader that this process could hand anything to. */
  | { readonly status: 'alone' };

/** The leader has not taken the command and will not. */
export class NotHanded extends Error {
  override readonly name = 'NotHanded';
}
