import type { IncomingHttpHeaders } from 'node:http';
import { ANONYMOUS, Gate } from './caller.js';
import { transientFailure } from './commands.js';
import type { HttpServices } from './deps.js';
import type { Answer, Caller, Endpoint, FileAnswer, Reply } from './endpoint.js';
import { failureText, problemText, successText, type CallFacts } from './envelope.js';
import { API_SECURITY_HEADERS, acceptedFormat, correlationIdOf, idempotencyKeyOf, minPositionOf } from './headers.js';
import { AccessLog } from './logging.js';
import { HttpMetrics } from './metrics.js';
import { ERROR_CODES, type Failure, RequestFailed, failure, invalid, unavailable } from './problem.js';
import { RateLimits } from './rate-limit.js';
import { parseBody } from './request-body.js';
import { queryOf } from './query.js';
import { TenantResolver } from './tenant-resolver.js';
import { validationFailure } from './validation.js';
import { ClientGone, type WireAnswer, type WireRequest } from './wire.js';

/** Runs requests against definitions: the same steps in the same order, whichever way a request came. */
export class Edge {
  readonly services: HttpServices;
  readonly metrics: HttpMetrics;
  readonly #gate: Gate;
  readonly #limits: RateLimits;
  readonly #accessLog: AccessLog;

  constructor(services: HttpServices) {
    this.services = services;
    this.metrics = new HttpMetrics(services.metrics);
    this.#limits = new RateLimits(services.config.rateLimits);
    this.#gate = new Gate(
      services,
      new TenantResolver(services.readModels, services.config, services.clock),
      this.#limits,
    );
    this.#accessLog = new AccessLog(services.logger, services.config.accessLog);
  }

  /** Answers one request. Rejects with `ClientGone` only. */
  async run(endpoint: Endpoint, wire: WireRequest): Promise<WireAnswer> {
    const { clock, ids } = this.services;
    const startedMs = clock.nowMs();
    const correlationId = correlationIdOf(wire.headers, ids);
    const seen = { caller: ANONYMOUS };
    this.metrics.running += 1;
    let reply: Reply;
    try {
      reply = await this.#reply(endpoint, wire, correlationId, seen);
    } catch (error) {
      if (error instanceof ClientGone) throw error;
      reply = this.#failureOf(error, correlationId, endpoint.id);
    } finally {
      this.metrics.running -= 1;
    }
    const facts = { requestId: correlationId, startedMs, nowMs: clock.nowMs() };
    const answer = wireAnswer(endpoint, reply, wire, facts);
    const ms = facts.nowMs - startedMs;
    this.metrics.observe(endpoint, answer.status, ms);
    if (this.#accessLog.wants(answer.status, ms)) {
      const { method } = wire;
      const path = endpoint.hidesPath === true ? endpoint.path : wire.path;
      const { tenantId, subject } = seen.caller;
      this.#accessLog.write({
        method,
        path,
        endpoint: endpoint.id,
        status: answer.status,
        ms,
        correlationId,
        tenantId,
        subject,
      });
    }
    return answer;
  }

  /** The answer to a request that no definition is for. */
  reject(reason: Failure, wire: Pick<WireRequest, 'headers' | 'path'>): WireAnswer {
    const nowMs = this.services.clock.nowMs();
    this.metrics.observe(undefined, ERROR_CODES[reason.errorCode].status, 0);
    const facts = { requestId: correlationIdOf(wire.headers, this.services.ids), startedMs: nowMs, nowMs };
    return failureAnswer(reason, wire, facts);
  }

  async #reply(endpoint: Endpoint, wire: WireRequest, correlationId: string, seen: { caller: Caller }): Promise<Reply> {
    const { headers } = wire;
    // HEAD asks what a GET would answer: a documented GET that changes state must not be asked like that.
    if (endpoint.kind === 'command' && wire.method === 'HEAD') {
      return failure('METHOD_NOT_ALLOWED', 'This changes state');
    }
    const limited = await this.#limits.address(wire.address);
    if (limited !== undefined) return limited;
    if (acceptedFormat(headers.accept, filesOf(endpoint)) === undefined) {
      return failure('NOT_ACCEPTABLE', 'None of the accepted media types can be produced');
    }
    if (endpoint.tightLimit === true) {
      const guessing = await this.#limits.guess(wire.address);
      if (guessing !== undefined) return guessing;
    }
    const admitted = await this.#gate.admit(endpoint, headers, wire.address);
    if ('kind' in admitted) return admitted;
    const { caller, hostAgentId } = admitted;
    seen.caller = caller;
    const { params, query, body } = endpoint;
    if (wire.params === undefined) return invalid('path', 'MALFORMED', 'the path is not properly percent-encoded');
    const parsedParams = params?.safeParse(wire.params);
    if (parsedParams?.success === false) return validationFailure(parsedParams.error);
    const parsedQuery = query?.safeParse(queryOf(wire.search));
    if (parsedQuery?.success === false) return validationFailure(parsedQuery.error);
    let parsedBody: unknown;
    if (body !== undefined) {
      const read = await parseBody(endpoint, wire, endpoint.bodyLimitBytes ?? this.services.config.bodyLimitBytes);
      if ('kind' in read) return read;
      const parsed = body.safeParse(read.value);
      if (!parsed.success) return validationFailure(parsed.error);
      parsedBody = parsed.data;
    }
    const isCommand = endpoint.kind === 'command';
    const idempotencyKey = isCommand ? idempotencyKeyOf(headers) : undefined;
    if (!isCommand) {
      const late = await this.#awaitPosition(headers);
      if (late !== undefined) return late;
    } else if (endpoint.movesMoney && idempotencyKey === undefined) {
      const preferences = await this.services.identity.preferences.of(caller.tenantId);
      if (preferences.IDEMPOTENCY_KEY_REQUIRED) return keyRequired();
    }
    return endpoint.handler({
      endpoint,
      params: parsedParams?.data,
      query: parsedQuery?.data,
      body: parsedBody,
      caller,
      hostAgentId,
      address: wire.address,
      correlationId,
      idempotencyKey,
      headers,
      services: this.services,
    });
  }

  async #awaitPosition(headers: IncomingHttpHeaders): Promise<Failure | undefined> {
    const position = minPositionOf(headers);
    if (position === undefined) return undefined;
    const reached = await this.services.readModels.waitFor(position, this.services.config.positionWaitMs);
    return reached ? undefined : unavailable('The read models have not reached X-Min-Position yet');
  }

  #failureOf(error: unknown, correlationId: string, endpoint: string): Failure {
    if (error instanceof RequestFailed) return error.failure;
    const transient = transientFailure(error, this.services.isOutage);
    if (transient !== undefined) {
      this.services.logger.debug({ err: error, correlationId, endpoint }, 'not now');
      return transient;
    }
    this.services.logger.error({ err: error, correlationId, endpoint }, 'defect');
    return failure('SERVER_ERROR', 'Internal error');
  }
}

const keyRequired = () =>
  invalid('Idempotency-Key', 'REQUIRED', 'this tenant asks for an idempotency key on every call that moves money');

const NO_FILES: readonly string[] = [];
function filesOf(endpoint: Endpoint): readonly string[] {
  return endpoint.success.files ?? NO_FILES;
}

function wireAnswer(endpoint: Endpoint, reply: Reply, wire: WireRequest, facts: CallFacts): WireAnswer {
  switch (reply.kind) {
    case 'answer':
      return successAnswer(endpoint, reply, facts);
    case 'file':
      return fileAnswer(reply, facts);
    case 'failure':
      return failureAnswer(reply, wire, facts);
  }
}

const JSON_TYPE = 'application/json; charset=utf-8';

function successAnswer(endpoint: Endpoint, answer: Answer, facts: CallFacts): WireAnswer {
  const status = answer.status ?? endpoint.success.status;
  const headers = [...API_SECURITY_HEADERS, 'Content-Type', JSON_TYPE, 'x-fapi-interaction-id', facts.requestId];
  if (answer.position !== undefined) headers.push('X-Position', answer.position);
  if (answer.replayed === true) headers.push('Idempotency-Replayed', 'true');
  if (answer.headers !== undefined) headers.push(...answer.headers);
  return { status, headers, content: successText(status, answer, facts) };
}

function fileAnswer(file: FileAnswer, facts: CallFacts): WireAnswer {
  const headers = [...API_SECURITY_HEADERS, 'Content-Type', file.contentType, 'x-fapi-interaction-id', facts.requestId];
  if (file.fileName !== undefined) headers.push('Content-Disposition', `attachment; filename="${file.fileName}"`);
  return { status: file.status, headers, content: file.content };
}

export function failureAnswer(
  reason: Failure,
  wire: Pick<WireRequest, 'headers' | 'path'>,
  facts: CallFacts,
): WireAnswer {
  const problem = acceptedFormat(wire.headers.accept, NO_FILES) === 'problem';
  return {
    status: ERROR_CODES[reason.errorCode].status,
    headers: [
      ...API_SECURITY_HEADERS,
      'Content-Type',
      problem ? 'application/problem+json; charset=utf-8' : JSON_TYPE,
      'x-fapi-interaction-id',
      facts.requestId,
      ...reason.headers,
    ],
    content: problem ? problemText(reason, wire.path, facts) : failureText(reason, facts),
  };
}
