import { OpenAPIRegistry, OpenApiGeneratorV31, type RouteConfig } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { type Endpoint, GROUPS, type RequestExample, type Route } from './endpoint.js';
import { ERROR_CODES, type ErrorCode } from './problem.js';
import { routesOf } from './registry.js';
import { META_EXAMPLE, envelopeOf, failureEnvelope, problem } from './envelope-schemas.js';
import { MAX_DEPTH } from './json.js';

/** Header parameters, shared by reference. */
const HEADERS = {
  interactionId: header(
    'x-fapi-interaction-id',
    'Correlation id, echoed back and stored with every entry; else `uuid` if it is a UUID, else generated',
  ),
  authDate: header('x-fapi-auth-date', 'Time of the request; accepted, not required'),
  customerIp: header('x-fapi-customer-ip-address', 'Address of the customer; stored as a hint'),
  platformHeader: header('platform', 'Any value; accepted, not required', 'fincode'),
  uuidHeader: header('uuid', 'Any value; accepted, not required', '200'),
  tenant: header('X-Tenant', 'On localhost: slug or id of the tenant; must be the token’s', 'demo'),
  idempotencyKey: header(
    'Idempotency-Key',
    'Same key and body: the first answer again, with `Idempotency-Replayed: true`; other body: 409. Also understood as `X-Idempotency-Key` and `x-idempotency-key`',
  ),
  encryptionKeyId: header(
    'X-Encryption-Key-Id',
    'Key that secrets of the body are encrypted with; default: the active one, then those that are being replaced',
  ),
  minPosition: header(
    'X-Min-Position',
    'Answer from read models that have seen this position (of an earlier answer’s X-Position); waits at most two seconds, then 503',
  ),
} as const;

function header(name: string, description: string, example?: string) {
  return {
    name,
    in: 'header' as const,
    required: false,
    description,
    schema: { type: 'string' as const },
    ...(example === undefined ? {} : { example }),
  };
}

function reference(name: keyof typeof HEADERS) {
  return { $ref: `#/components/parameters/${name}` };
}

function parametersOf(endpoint: Endpoint): Array<{ $ref: string }> {
  if (endpoint.roles === 'PUBLIC' && endpoint.tenant !== 'named') return [];
  const shared = (['interactionId', 'authDate', 'customerIp', 'platformHeader', 'uuidHeader', 'tenant'] as const).map(
    reference,
  );
  const secret = endpoint.secretMembers === undefined ? [] : [reference('encryptionKeyId')];
  const keyed = endpoint.kind === 'command' ? [reference('idempotencyKey')] : [];
  return [...shared, ...secret, reference('minPosition'), ...keyed];
}

/** Failures that any endpoint of its kind may answer, and its own. */
export function errorsOf(endpoint: Endpoint): ErrorCode[] {
  const errors = new Set<ErrorCode>(['RATE_LIMIT_EXCEEDED', 'NOT_ACCEPTABLE', 'SERVER_ERROR', ...endpoint.errors]);
  if (endpoint.roles !== 'PUBLIC' || endpoint.token === 'optional') errors.add('AUTH_REQUIRED');
  if (endpoint.roles !== 'PUBLIC' || endpoint.tenant === 'named')
    for (const code of ['FORBIDDEN', 'VALIDATION_ERROR', 'SERVICE_UNAVAILABLE'] as const) errors.add(code);
  if (endpoint.kind === 'command') errors.add('IDEMPOTENCY_KEY_REUSED');
  if (endpoint.body !== undefined)
    for (const code of ['PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'] as const) errors.add(code);
  return [...errors];
}

function failureResponses(endpoint: Endpoint): RouteConfig['responses'] {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of errorsOf(endpoint)) {
    const { status } = ERROR_CODES[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const responses: RouteConfig['responses'] = {};
  for (const [status, codes] of [...byStatus].sort(([a], [b]) => a - b)) {
    const [code = 'SERVER_ERROR'] = codes;
    const { title, retryable } = ERROR_CODES[code];
    const example = {
      ...{
        status: 'FAILED',
        success: false,
        responseCode: status,
        errorCode: code,
        message: title,
        errors: [],
        data: null,
      },
      metadata: { ...META_EXAMPLE, retryable },
    };
    responses[status] = {
      description: codes.map((each) => `\`${each}\` ${ERROR_CODES[each].title}`).join(' · '),
      content: {
        'application/json': { schema: failureEnvelope, example },
        'application/problem+json': { schema: problem },
      },
    };
  }
  return responses;
}

const string = { type: 'string' as const };

function successResponse(endpoint: Endpoint): RouteConfig['responses'][string] {
  const { success, kind, title } = endpoint;
  const enveloped = success.envelope !== false;
  const schema = enveloped ? envelopeOf(success.data, success.status) : success.data;
  const example = enveloped
    ? {
        status: 'SUCCESS',
        success: true,
        responseCode: success.status,
        message: title,
        data: success.example,
        metadata: META_EXAMPLE,
      }
    : success.example;
  const files = Object.fromEntries((success.files ?? []).map((type) => [type, { schema: string }]));
  const headers =
    kind === 'command' ? { 'X-Position': { schema: string }, 'Idempotency-Replayed': { schema: string } } : {};
  const isText = typeof success.example === 'string';
  return {
    description: success.description,
    headers: { 'x-fapi-interaction-id': { schema: string }, ...headers },
    content: isText
      ? { 'text/plain': { schema: string, example } }
      : { 'application/json': { schema, example }, ...files },
  };
}

function requestOf(endpoint: Endpoint, route: Route): RouteConfig['request'] {
  const { params, query, body, bodyOptional, requestExamples } = endpoint;
  const bodies = Object.entries(requestExamples).filter(([, example]) => example.body !== undefined);
  const examples = Object.fromEntries(bodies.map(([name, example]) => [name, { value: example.body }]));
  return {
    ...(params === undefined ? {} : { params: paramsIn(params as z.ZodObject, route.path) }),
    ...(query === undefined ? {} : { query: query as z.ZodObject }),
    ...(body === undefined
      ? {}
      : { body: { required: bodyOptional !== true, content: contentOf(endpoint, body, examples) } }),
  };
}

function contentOf(endpoint: Endpoint, schema: z.ZodType, examples: Record<string, { value: unknown }>) {
  const json = { 'application/json': { schema, examples } };
  return endpoint.multipart === true ? { ...json, 'multipart/form-data': { schema } } : json;
}

/** The parameters that this path has: an alias may have fewer. In a path each is required. */
function paramsIn(params: z.ZodObject, path: string): z.ZodObject {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
  const shape = params.shape as Record<string, z.ZodType | undefined>;
  return z.object(Object.fromEntries(names.map((name) => [name, requiredOf(shape[name] ?? z.string())])));
}

function requiredOf(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional ? requiredOf(schema.unwrap() as z.ZodType) : schema;
}

function operationId(endpoint: Endpoint, index: number): string {
  return index === 0 ? endpoint.id : `${endpoint.id}-alias-${index}`;
}

/** The OpenAPI 3.1 document of these endpoints. */
export function openApiDocument(endpoints: readonly Endpoint[], version: string) {
  const registry = new OpenAPIRegistry();
  registry.registerComponent('securitySchemes', 'token', {
    type: 'apiKey',
    in: 'header',
    name: 'X-Auth-Token',
    description: 'JWT or API token',
  });
  registry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'The same token',
  });
  for (const [name, parameter] of Object.entries(HEADERS)) registry.registerComponent('parameters', name, parameter);
  for (const endpoint of endpoints) {
    routesOf(endpoint).forEach((route, index) => {
      const open = endpoint.roles === 'PUBLIC';
      registry.registerPath({
        method: route.method.toLowerCase() as 'get',
        path: route.path,
        operationId: operationId(endpoint, index),
        summary: endpoint.title,
        description: endpoint.description ?? endpoint.title,
        tags: [endpoint.group],
        security: open && endpoint.token !== 'optional' ? [] : securityOf(open),
        request: requestOf(endpoint, route) ?? {},
        parameters: parametersOf(endpoint),
        responses: {
          [endpoint.success.status]: successResponse(endpoint),
          ...failureResponses(endpoint),
        } as RouteConfig['responses'],
        'x-roles': open ? ['PUBLIC'] : endpoint.roles,
        'x-kind': endpoint.kind,
        'x-moves-money': endpoint.movesMoney,
        'x-catalogue-id': endpoint.id,
        ...(index === 0 ? {} : { 'x-alias-of': `${endpoint.method} ${endpoint.path}` }),
        ...parameterExamples(endpoint.requestExamples),
      } as RouteConfig);
    });
  }
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Corebook API',
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description:
        'Event-sourced double-entry core. Amounts go in as JSON numbers or decimal text and are never binary floats: more than 15 significant digits are safe, exponents are refused. ' +
        `Bodies are nested at most ${MAX_DEPTH} deep. Failures come as RFC 9457 problems with \`Accept: application/problem+json\`.`,
    },
    servers: [{ url: '/' }],
    tags: GROUPS.map((name) => ({ name })),
  });
}

/** A token in either header; none at all where it is optional. */
function securityOf(optional: boolean): Array<Record<string, string[]>> {
  return [...(optional ? [{}] : []), { token: [] }, { bearer: [] }];
}

/** Whole requests, for readers and for the tests that send them. */
function parameterExamples(examples: Readonly<Record<string, RequestExample>>): { 'x-request-examples': unknown } {
  return { 'x-request-examples': examples };
}
