import { z } from 'zod';
import { ROLES } from '../shared/decider.js';
import type { DomainEvent } from '../shared/event.js';

/** Facts about API tokens. The token itself and its hash are never in the log (architecture.md §6). */
const issued = {
  token: z.string().length(36),
  name: z.string().max(128),
  roles: z.array(z.enum(ROLES)).min(1),
  customer: z.string().length(36).optional(),
  ipAllowList: z.array(z.string().max(64)).max(50),
  expiresAt: z.iso.datetime(),
};
export const apiTokenIssuedV1 = z.strictObject(issued);
/** `agent`: whose customers it may see. */
export const apiTokenIssuedV2 = z.strictObject({ ...issued, agent: z.string().length(36).optional() });
export const apiTokenRotatedV1 = z.strictObject({
  token: z.string().length(36),
  graceUntil: z.iso.datetime(),
});
export const apiTokenDisabledV1 = z.strictObject({ token: z.string().length(36) });
export const apiTokenDeletedV1 = z.strictObject({ token: z.string().length(36) });

/** A keyed command that was refused: the evidence a retry is answered from. */
export const commandRefusedV1 = z.strictObject({
  operation: z.string().max(64),
  refused: z.string().max(64),
  message: z.string().max(1000),
  field: z.string().max(256).optional(),
  details: z.record(z.string(), z.string()).optional(),
  instructionKey: z.string().max(255).optional(),
});
/** A keyed command of several parts was accepted: its events follow this one in the same commit. */
export const commandAcceptedV1 = z.strictObject({
  operation: z.string().max(64),
  /** Revisions of earlier events that answer parts of the command (their own keys were answered before), by index. */
  replays: z.array(z.strictObject({ index: z.int().nonnegative(), revision: z.int().nonnegative() })).optional(),
});

export type ApiTokenIssued = DomainEvent<'api-token-issued', z.infer<typeof apiTokenIssuedV2>>;
export type ApiTokenRotated = DomainEvent<'api-token-rotated', z.infer<typeof apiTokenRotatedV1>>;
export type ApiTokenDisabled = DomainEvent<'api-token-disabled', z.infer<typeof apiTokenDisabledV1>>;
export type ApiTokenDeleted = DomainEvent<'api-token-deleted', z.infer<typeof apiTokenDeletedV1>>;
export type CommandRefused = DomainEvent<'command-refused', z.infer<typeof commandRefusedV1>>;
export type CommandAccepted = DomainEvent<'command-accepted', z.infer<typeof commandAcceptedV1>>;
export type AccessEvent =
  ApiTokenIssued | ApiTokenRotated | ApiTokenDisabled | ApiTokenDeleted | CommandRefused | CommandAccepted;
