import { z } from 'zod';

/** What a backup says of itself, at its end. Whoever raises the version keeps reading the old one, or refuses it by name. */
export const FORMAT_VERSION = 1;

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().nonnegative();

const section = z.strictObject({
  /** `table`: rows as COPY writes them. `erasures`: one JSON object a line. */
  kind: z.enum(['table', 'erasures']),
  name: z.string(),
  columns: z.array(z.string()),
  rows: count,
  /** Of the text before it was compressed. */
  bytes: count,
  sha256: digest,
  /** Where the compressed text is in the file. */
  offset: count,
  length: count,
});

const readModel = z.strictObject({
  name: z.string(),
  version: z.number().int(),
  /** Position up to which its tables are. */
  checkpoint: z.string(),
  /** Base names of its tables with the sections that hold them. */
  tables: z.record(z.string(), z.string()),
});

const manifestSchema = z.strictObject({
  createdAt: z.string(),
  corebook: z.string(),
  /** Where the log is at home. In EventStoreDB: the events in here are its copy. */
  logHome: z.enum(['postgres', 'eventstoredb']),
  /** Migrations that had run, in order. */
  migrations: z.array(z.string()),
  lastPosition: z.string(),
  heads: z.array(z.strictObject({ tenantId: z.string(), revision: count, position: z.string(), hash: digest })),
  /** Keyed digests, by which the right secrets are told from wrong ones. They open nothing. */
  secrets: z.strictObject({ master: digest, token: digest }),
  readModels: z.array(readModel),
  sections: z.array(section),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type Section = z.infer<typeof section>;
export type LogEnd = Manifest['heads'][number];

export function parseManifest(text: string): Manifest {
  return manifestSchema.parse(JSON.parse(text));
}
