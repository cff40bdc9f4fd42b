import { z } from 'zod';
import { ERROR_CODES, type ErrorCode } from './problem.js';

/** The envelopes of platform.md 1.1, as schemas. */
const metadata = z.object({
  request_id: z.string(),
  timestamp: z.string(),
  processing_time_ms: z.int(),
  position: z.string().optional().meta({ description: 'Of the commit, for X-Min-Position' }),
  page: z
    .object({ page: z.int(), size: z.int(), totalElements: z.int(), totalPages: z.int() })
    .optional()
    .meta({ description: 'Where `data` is a page of an array' }),
});

export const failureEnvelope = z
  .object({
    status: z.literal('FAILED'),
    success: z.literal(false),
    responseCode: z.int(),
    errorCode: z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]),
    message: z.string(),
    errors: z.array(
      z.object({
        field: z.string().meta({ description: 'Path of the member at fault; empty for the request as a whole' }),
        code: z.string(),
        message: z.string(),
        details: z.record(z.string(), z.string()).optional(),
      }),
    ),
    data: z.null(),
    metadata: metadata.extend({
      retryable: z.boolean().meta({ description: 'Whether the same call may succeed later' }),
    }),
  })
  .meta({ id: 'Failure' });

export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    errorCode: z.string(),
    errors: z.array(z.unknown()),
    request_id: z.string(),
    retryable: z.boolean(),
  })
  .meta({ id: 'Problem' });

export const META_EXAMPLE = {
  request_id: '2f1d8f86-14a3-4a53-a1b7-54a3a3e5c0de',
  timestamp: '2026-11-22T10:30:00.000Z',
  processing_time_ms: 3,
};

export function envelopeOf(data: z.ZodType, status: number) {
  return z.object({
    status: z.literal('SUCCESS'),
    success: z.literal(true),
    responseCode: z.literal(status),
    message: z.string(),
    data,
    metadata,
  });
}
