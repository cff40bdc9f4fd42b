import type { z } from 'zod';
import { type FieldError, type Failure, failure } from './problem.js';

/** More than this many are not told: nobody reads them. */
const MAX_ERRORS = 50;
const MAX_NAME = 100;

/** What zod found, as the envelope's `errors`. */
export function validationFailure(error: z.ZodError): Failure {
  const errors = error.issues.flatMap(fieldErrors).slice(0, MAX_ERRORS);
  return failure('VALIDATION_ERROR', 'Validation failed', { errors });
}

function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  const path = issue.path.map((part) => String(part).slice(0, MAX_NAME));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.slice(0, MAX_ERRORS).map((key) => {
      const name = key.slice(0, MAX_NAME);
      return { field: [...path, name].join('.'), code: 'UNKNOWN_MEMBER', message: `${name} is not known here` };
    });
  }
  if (issue.code === 'invalid_union') return unionErrors(issue, path);
  return [{ field: path.join('.'), code: codeOf(issue), message: issue.message }];
}

/** Of several forms, the one that was most nearly met says what is wrong; plain values are told as one. */
function unionErrors(issue: z.core.$ZodIssueInvalidUnion, path: readonly string[]): FieldError[] {
  const forms = issue.errors.map((issues) => issues.flatMap(fieldErrors)).filter((errors) => errors.length > 0);
  const [nearest] = forms.toSorted((a, b) => a.length - b.length);
  if (nearest !== undefined && nearest.some(({ field }) => field !== '')) {
    return nearest.map((error) => ({ ...error, field: [...path, error.field].join('.') }));
  }
  const codes = new Set(forms.map(([first]) => first?.code));
  const code = codes.has('REQUIRED') ? 'REQUIRED' : codes.size > 1 ? 'INVALID' : 'INVALID_TYPE';
  return [{ field: path.join('.'), code, message: issue.message }];
}

function codeOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.endsWith('received undefined') ? 'REQUIRED' : 'INVALID_TYPE';
    case 'too_small':
      return issue.origin === 'string' || issue.origin === 'array' ? 'TOO_SHORT' : 'TOO_SMALL';
    case 'too_big':
      return issue.origin === 'string' || issue.origin === 'array' ? 'TOO_LONG' : 'TOO_LARGE';
    case 'invalid_format':
      return 'INVALID_FORMAT';
    case 'invalid_value':
      return 'INVALID_VALUE';
    case 'custom':
      return typeof issue.params?.['code'] === 'string' ? issue.params['code'] : 'INVALID';
    default:
      return 'INVALID';
  }
}
