import type { IncomingHttpHeaders } from 'node:http';
import type { z } from 'zod';
import type { VerifiedToken } from '../application/access/token-verifier.js';
import type { Role } from '../domain/shared/decider.js';
import type { HttpServices } from './deps.js';
import type { ErrorCode, Failure } from './problem.js';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
export interface Route {
  readonly method: Method;
  /** With `{name}` for parameters; matched exactly, a trailing slash included. */
  readonly path: string;
}

/** Who may call: everybody, or callers with one of these roles. There is no default: a definition must say. */
export type Roles = 'PUBLIC' | readonly [Role, ...Role[]];

export type Caller = VerifiedToken;

/** Groups of the catalogue, in the order of the reference. */
export const GROUPS = ['auth', 'security', 'ciam', 'compliance', 'lending', 'ledger', 'platform'] as const;
export type Group = (typeof GROUPS)[number];

/** A request that passed authentication, roles and validation. */
export interface Call<Params = unknown, Query = unknown, Body = unknown> {
  readonly endpoint: Endpoint;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly caller: Caller;
  /** The agent at whose host the call came in; undefined at the tenant's own. */
  readonly hostAgentId: string | undefined;
  /** Of the connection, or what a trusted proxy saw. */
  readonly address: string;
  readonly correlationId: string;
  /** From one of the idempotency headers; undefined on reads. */
  readonly idempotencyKey: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly services: HttpServices;
}

export interface PageInfo {
  readonly page: number;
  readonly size: number;
  readonly totalElements: number;
  readonly totalPages: number;
}

/** A success in the common envelope. `data` is written by `jsonText`. */
export interface Answer {
  readonly kind: 'answer';
  readonly message: string;
  readonly data: unknown;
  /** Default: the definition's. */
  readonly status?: number;
  /** Of the commit: goes to `metadata.position` and `X-Position`. */
  readonly position?: string;
  readonly replayed?: boolean;
  readonly page?: PageInfo;
  /** Members that the documents' samples read at the root of the body, beside `data`. */
  readonly root?: Readonly<Record<string, unknown>>;
  /** Extra headers, name and value in turn. */
  readonly headers?: readonly string[];
}

/** A success without envelope: files and the operational endpoints. */
export interface FileAnswer {
  readonly kind: 'file';
  readonly status: number;
  readonly contentType: string;
  readonly content: string | Buffer;
  readonly fileName?: string;
}

export type Reply = Answer | FileAnswer | Failure;

/** A request as the documentation shows it and the tests send it. */
export interface RequestExample {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

type Out<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;
type MaybeSchema = z.ZodType | undefined;

export interface EndpointDefinition<
  Params extends MaybeSchema,
  Query extends MaybeSchema,
  Body extends MaybeSchema,
> extends Route {
  /** As in the catalogue (endpoints.tsv). Also the scope of idempotency keys: never rename one. */
  readonly id: string;
  readonly group: Group;
  readonly title: string;
  readonly description?: string;
  readonly aliases: readonly Route[];
  readonly roles: Roles;
  /** PUBLIC only: the tenant must be known from the host or `X-Tenant`; `call.caller.tenantId` is it. */
  readonly tenant?: 'named';
  /** PUBLIC only: a token that is sent is verified, and then is the caller. */
  readonly token?: 'optional';
  /** Body members that are secrets: kept out of the idempotency hash and of every log. */
  readonly secretMembers?: readonly string[];
  /** The path holds personal data: the access log shows the pattern instead. */
  readonly hidesPath?: boolean;
  /** Guessing is what it invites: a tight rate limit per address. */
  readonly tightLimit?: boolean;
  /** Largest body, where it holds files; default: the edge's. */
  readonly bodyLimitBytes?: number;
  /** `multipart/form-data` is understood beside JSON; see http/multipart.ts. */
  readonly multipart?: boolean;
  /** Only for callers of the operator's own tenant. */
  readonly rootTenantOnly?: boolean;
  readonly kind: 'command' | 'query';
  readonly movesMoney: boolean;
  /** Dispatched before Express: where microseconds count. */
  readonly hot?: boolean;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** The body may be left out. */
  readonly bodyOptional?: boolean;
  /** Whether a member that the schema does not know is a 422 or is ignored; the schema is built accordingly. */
  readonly unknownMembers: 'refuse' | 'ignore';
  /** Lifts documented variants of a body to the one shape that the schema knows. */
  readonly normalise?: (body: unknown) => unknown;
  readonly requestExamples: Readonly<Record<string, RequestExample>>;
  readonly success: {
    readonly status: 200 | 201;
    readonly description: string;
    /** Schema of `data`, or of the whole body where there is no envelope. */
    readonly data: z.ZodType;
    readonly example: unknown;
    readonly envelope?: false;
    /** Other representations. */
    readonly files?: readonly string[];
  };
  /** Beyond those that every endpoint of its kind may answer. */
  readonly errors: readonly ErrorCode[];
  readonly handler: (call: Call<Out<Params>, Out<Query>, Out<Body>>) => Reply | Promise<Reply>;
}

/** A definition with its types forgotten, as the edge sees it. */
export type Endpoint = Omit<EndpointDefinition<MaybeSchema, MaybeSchema, MaybeSchema>, 'handler'> & {
  readonly handler: (call: Call) => Reply | Promise<Reply>;
};

/** One definition gives types, validation, OpenAPI, roles, idempotency and errors of an endpoint. */
export function defineEndpoint<
  Params extends MaybeSchema = undefined,
  Query extends MaybeSchema = undefined,
  Body extends MaybeSchema = undefined,
>(definition: EndpointDefinition<Params, Query, Body>): Endpoint {
  // The edge validates with the definition's own schemas before it calls the handler, so the types hold.
  return definition as unknown as Endpoint;
}

/** Whether a caller with these roles may call the endpoint: denied unless the definition says otherwise. */
export function isAllowed(endpoint: Endpoint, roles: readonly Role[]): boolean {
  return endpoint.roles === 'PUBLIC' || endpoint.roles.some((role) => roles.includes(role));
}
