import type { IncomingHttpHeaders } from 'node:http';
import type { Failure } from './problem.js';

/** A request as it came off the wire, whoever read it. */
export interface WireRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** After the question mark; '' when there is none. */
  readonly search: string;
  /** Decoded path parameters; undefined when one was not proper percent-encoding. */
  readonly params: Readonly<Record<string, string>> | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly address: string;
  /** Reads the whole body, at most `limit` bytes. */
  body(limit: number): Promise<Buffer | Failure>;
}

export interface WireAnswer {
  readonly status: number;
  /** Names and values in turn, complete but for Content-Length. */
  readonly headers: string[];
  readonly content: string | Buffer;
}

/** The client went away before its request was complete: there is nobody to answer. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}
