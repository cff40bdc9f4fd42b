import { join } from 'node:path';
import { z } from 'zod';
import { readSecretFiles } from './secret-files.js';

/** Everything that is configured, parsed once from the environment. Nobody else reads `process.env`. */
const flag = z.enum(['true', 'false', '1', '0']).transform((value) => value === 'true' || value === '1');
const port = z.coerce.number().int().min(0).max(65_535);

const schema = z.object({
  NODE_ENV: z.string().default('development'),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: port.default(3000),
  /** Where a process without the role api answers /health, /ready and /metrics. Unset: nowhere. */
  OPS_PORT: port.optional(),
  DATA_DIR: z.string().min(1).default('./data'),
  /** Unset: the embedded Postgres in DATA_DIR. */
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  /**
   * Where the log is kept. esdb://user:password@host:2113,…?tls=true&tlsCAFile=…: in EventStoreDB, with its copy in the
   * Postgres. Unset, or the address of that Postgres: there.
   */
  LOG_URL: z
    .string()
    .regex(/^(?:esdb(?:\+discover)?|postgres(?:ql)?):\/\/[^\s]+$/, 'expected esdb://… or postgres://…')
    .optional(),
  /** Before the tenants' ids in the names of streams: installations that share an event store have one each. */
  LOG_STREAM_PREFIX: z
    .string()
    .regex(/^[A-Za-z][\w.-]{0,99}$/)
    .default('corebook_tenant-'),
  /** Unset: jobs run on Postgres. */
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  /** What this process does: any of api, projector, worker, separated by commas. */
  ROLES: z
    .string()
    .default('api,projector,worker')
    .transform((text) => text.split(',').map((role) => role.trim()))
    .pipe(z.array(z.enum(['api', 'projector', 'worker'])).min(1)),
  /** Slug of the operator's own tenant, whose managers manage tenants. */
  ROOT_TENANT: z
    .string()
    .regex(/^[a-z][a-z0-9-]*$/)
    .default('corebook'),
  /** Seed demo tenants and tokens on first start. Default: true but in production. */
  SANDBOX: flag.optional(),
  /** Server secret (at least 32 characters) under API-token hashes. Default: generated once and kept in DATA_DIR. */
  TOKEN_SECRET: z.string().min(32).optional(),
  /**
   * Installation secret (at least 32 characters) under everything that is sealed: personal data, private keys. Losing it is
   * losing them. Default: generated once and kept in DATA_DIR.
   */
  MASTER_SECRET: z.string().min(32).optional(),
  /** File to which every erasure of a person is added, for restores of older backups. Default: erasures.jsonl in DATA_DIR. */
  ERASURE_REGISTER: z.string().min(1).optional(),
  /** `iss` of access tokens. */
  JWT_ISSUER: z.string().min(1).max(255).default('corebook'),
  /** smtp://user:password@host:port or smtps://… Unset: mail goes to the sandbox’s outbox and to nobody. */
  MAIL_URL: z.url({ protocol: /^smtps?$/ }).optional(),
  /** Address that mail comes from. */
  MAIL_FROM: z.email().default('no-reply@corebook.example'),
  /** Who pays out to banks and knows their holders. Default: the simulator; in production nobody. */
  PAYOUT_PARTNER: z.enum(['simulator', 'none']).optional(),
  /** In production too: stand-ins for third parties (the mail outbox, the payout partner). */
  ALLOW_SIMULATORS: flag.default(false),
  /** How many proxies stand before us and set X-Forwarded-For and X-Forwarded-Host. */
  TRUSTED_PROXIES: z.coerce.number().int().min(0).max(10).default(0),
  /** Domain whose sub-domains name tenants: `{tenant}.example.com`. */
  BASE_DOMAIN: z.string().optional(),
  /** Requests per minute for one token and for one address. */
  RATE_LIMIT_PER_TOKEN: z.coerce.number().int().positive().default(1_000_000),
  RATE_LIMIT_PER_IP: z.coerce.number().int().positive().default(1_000_000),
  /** Requests per minute of a whole tenant; its own preference may set a lower one. */
  RATE_LIMIT_PER_TENANT: z.coerce.number().int().positive().default(6_000_000),
  /**
   * How long a process that was told to stop says so (/ready is 503) and still serves, so that proxies learn of it before
   * they are turned away. Default: 5 in production, otherwise 0.
   */
  SHUTDOWN_DELAY_SECONDS: z.coerce.number().min(0).max(60).optional(),
  /** Seconds between two runs of the self-audit. */
  SELF_AUDIT_SECONDS: z.coerce.number().int().positive().default(60),
});

export type Config = Readonly<Omit<z.infer<typeof schema>, 'PAYOUT_PARTNER'>> & {
  readonly PAYOUT_PARTNER: 'simulator' | 'none';
  readonly sandbox: boolean;
  readonly production: boolean;
  readonly shutdownDelaySeconds: number;
};

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** What may hold a password or is one: each may also come from the file that `NAME_FILE` names. */
export const SECRET_SETTINGS: readonly string[] = Object.keys(schema.shape).filter((name) =>
  /SECRET|PASSWORD|_URL$/.test(name),
);
/** Every variable that is read. */
export const SETTINGS: readonly string[] = [
  ...Object.keys(schema.shape),
  ...SECRET_SETTINGS.map((name) => `${name}_FILE`),
];

/** Parses the environment and the files of secrets that it names; the error names every variable that is wrong. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.entries(environment).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const { values, wrong: wrongFiles } = readSecretFiles(Object.fromEntries(given), SECRET_SETTINGS);
  const result = schema.safeParse(values);
  if (!result.success || wrongFiles.length > 0) {
    const wrong = result.error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) ?? [];
    throw new ConfigError(`the configuration is wrong: ${[...wrongFiles, ...wrong].join('; ')}`);
  }
  const production = result.data.NODE_ENV === 'production';
  if (production && result.data.MAIL_URL === undefined && !result.data.ALLOW_SIMULATORS) {
    throw new ConfigError(
      'the configuration is wrong: MAIL_URL: production needs a mail server (or ALLOW_SIMULATORS=true, and nobody gets mail)',
    );
  }
  const { ALLOW_SIMULATORS, PAYOUT_PARTNER, SANDBOX } = result.data;
  const mayPretend = !production || ALLOW_SIMULATORS;
  if (PAYOUT_PARTNER === 'simulator' && !mayPretend) {
    throw new ConfigError(
      'the configuration is wrong: PAYOUT_PARTNER: the simulator pays nobody (ALLOW_SIMULATORS=true allows it in production)',
    );
  }
  return {
    ...result.data,
    ...logOf(result.data),
    PAYOUT_PARTNER: PAYOUT_PARTNER ?? (mayPretend ? 'simulator' : 'none'),
    production,
    sandbox: SANDBOX ?? !production,
    shutdownDelaySeconds: result.data.SHUTDOWN_DELAY_SECONDS ?? (production ? 5 : 0),
  };
}

/** A log on PostgreSQL lies in the database of everything else: LOG_URL may name it instead of DATABASE_URL. */
function logOf({ LOG_URL, DATABASE_URL }: Pick<z.infer<typeof schema>, 'LOG_URL' | 'DATABASE_URL'>) {
  if (LOG_URL === undefined || LOG_URL.startsWith('esdb')) return { LOG_URL, DATABASE_URL };
  if (DATABASE_URL !== undefined && DATABASE_URL !== LOG_URL) {
    throw new ConfigError(
      'the configuration is wrong: LOG_URL: a log on PostgreSQL lies in the database of DATABASE_URL, and this is another one',
    );
  }
  return { LOG_URL: undefined, DATABASE_URL: LOG_URL };
}

/** Where erasures are registered outside the database. */
export function erasureRegisterOf({
  ERASURE_REGISTER,
  DATA_DIR,
}: Pick<Config, 'ERASURE_REGISTER' | 'DATA_DIR'>): string {
  return ERASURE_REGISTER ?? join(DATA_DIR, 'erasures.jsonl');
}

const SECRET = /SECRET|PASSWORD/;

/** The configuration as it may be printed: secrets hidden, passwords in addresses too. */
export function redacted(config: Config): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => {
      if (SECRET.test(name) && value !== undefined) return [name, '[redacted]'];
      if (typeof value === 'string' && /^[\w+]+:\/\//.test(value))
        return [name, value.replace(/:[^:@/]*@/, ':[redacted]@')];
      return [name, value];
    }),
  );
}
