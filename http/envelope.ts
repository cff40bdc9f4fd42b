import type { Answer, PageInfo } from './endpoint.js';
import { jsonText } from './json.js';
import { ERROR_CODES, type Failure } from './problem.js';

/** What every envelope says about the call it answers. */
export interface CallFacts {
  readonly requestId: string;
  readonly startedMs: number;
  readonly nowMs: number;
}

function metadata(facts: CallFacts, more: string): string {
  const { requestId, startedMs, nowMs } = facts;
  return (
    `{"request_id":${JSON.stringify(requestId)},"timestamp":"${new Date(nowMs).toISOString()}"` +
    `,"processing_time_ms":${nowMs - startedMs}${more}}`
  );
}

/** The success envelope of platform.md 1.1, as JSON text. */
export function successText(status: number, answer: Answer, facts: CallFacts): string {
  const { message, data, position, page, root } = answer;
  const mirrored = root === undefined ? '' : `,${jsonText(root).slice(1, -1)}`;
  const more =
    (position === undefined ? '' : `,"position":${JSON.stringify(position)}`) +
    (page === undefined ? '' : `,"page":${JSON.stringify(page)}`);
  return (
    `{"status":"SUCCESS","success":true,"responseCode":${status},"message":${JSON.stringify(message)}` +
    `,"data":${jsonText(data)}${mirrored === ',' ? '' : mirrored},"metadata":${metadata(facts, more)}}`
  );
}

/** The failure envelope of platform.md 1.1, as JSON text. */
export function failureText(failure: Failure, facts: CallFacts): string {
  const { status, retryable } = ERROR_CODES[failure.errorCode];
  return (
    `{"status":"FAILED","success":false,"responseCode":${status},"errorCode":"${failure.errorCode}"` +
    `,"message":${JSON.stringify(failure.message)},"errors":${JSON.stringify(failure.errors)},"data":null` +
    `,"metadata":${metadata(facts, `,"retryable":${retryable}`)}}`
  );
}

/** The same failure as an RFC 9457 problem. */
export function problemText(failure: Failure, path: string, facts: CallFacts): string {
  const { status, retryable, title } = ERROR_CODES[failure.errorCode];
  return JSON.stringify({
    type: `urn:corebook:problem:${failure.errorCode.toLowerCase().replaceAll('_', '-')}`,
    title,
    status,
    detail: failure.message,
    instance: path,
    errorCode: failure.errorCode,
    errors: failure.errors,
    request_id: facts.requestId,
    retryable,
  });
}

export function pageInfo(page: { page: number; size: number }, totalElements: number): PageInfo {
  return { page: page.page, size: page.size, totalElements, totalPages: Math.ceil(totalElements / page.size) };
}
