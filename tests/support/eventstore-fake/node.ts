/** What the handlers of the services know of the node they answer for, and the gate every call on streams passes. */
import type { Metadata, ServiceError } from '@grpc/grpc-js';
import type { Faults } from './faults.js';
import { type Endpoint, accessDenied, notLeader, notReady, unauthenticated } from './refusals.js';
import type { FakeStore } from './store.js';

/** What all calls of grpc-js have; only this much is needed here. */
export interface AnyCall {
  readonly metadata: Metadata;
  readonly cancelled: boolean;
  getPeer(): string;
}

export interface Member {
  readonly endpoint: Endpoint;
  readonly instanceId: string;
  readonly isAlive: boolean;
  readonly isLeader: boolean;
}

export interface FakeNode {
  readonly store: FakeStore;
  readonly faults: Faults;
  /** Names and passwords; undefined: everybody may do everything. */
  readonly users: Readonly<Record<string, string>> | undefined;
  readonly maxAppendSize: number;
  /** `24.10.0`; 'unimplemented': a server before there were server features. */
  readonly version: string;
  readonly endpoint: Endpoint;
  readonly members: () => readonly Member[];
  /** Destroys the connection a call came by. */
  readonly hangUp: (call: AnyCall) => void;
}

/** Ends a streaming call with a status; destroying it would say nothing to the caller. */
export function refuse(call: { emit(event: 'error', error: ServiceError): boolean }, error: ServiceError): void {
  call.emit('error', error);
}

type Identity = 'anonymous' | 'known' | 'wrong';

export function identityOf({ users }: FakeNode, call: AnyCall): Identity {
  const [header] = call.metadata.get('authorization');
  if (users === undefined) return 'known';
  if (header === undefined) return 'anonymous';
  const [name = '', ...password] = Buffer.from(`${header}`.replace(/^Basic /, ''), 'base64')
    .toString('utf8')
    .split(':');
  return Object.hasOwn(users, name) && users[name] === password.join(':') ? 'known' : 'wrong';
}

/** Why a call on streams is refused before it is looked at. Batched appends tell anonymous callers in their answers. */
export function refusedAtTheGate(
  node: FakeNode,
  call: AnyCall,
  { anonymous = false }: { anonymous?: boolean } = {},
): ServiceError | undefined {
  const identity = identityOf(node, call);
  if (identity === 'wrong') return unauthenticated();
  if (identity === 'anonymous' && !anonymous) return accessDenied();
  if (node.faults.take('unavailable') !== undefined) return notReady();
  return undefined;
}

/** Only what may not be answered by a follower asks for the leader; without one the server is not ready. */
export function refusedByFollower(node: FakeNode, call: AnyCall): ServiceError | undefined {
  const fault = node.faults.take('not-leader');
  if (fault !== undefined) return notLeader(fault.detail ?? node.endpoint);
  if (`${call.metadata.get('requires-leader')[0]}` !== 'true') return undefined;
  const leader = node.members().find((member) => member.isLeader && member.isAlive)?.endpoint;
  if (leader === undefined) return notReady();
  return leader.port === node.endpoint.port ? undefined : notLeader(leader);
}
