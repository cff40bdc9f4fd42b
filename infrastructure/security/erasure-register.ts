import { mkdir, open, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { type Erasure, type ErasureRegister, keyOfErasure } from '../../application/ports/erasure-register.js';

/** Ids are not RFC 9562's in every bit, so any of their form will do. */
const erasureSchema = z.strictObject({
  tenantId: z.guid(),
  kind: z.enum(['customer', 'employee']),
  id: z.guid(),
  erasedAt: z.iso.datetime(),
  legalBasis: z.string().optional(),
});
const beginningSchema = z.strictObject({ installation: z.string(), completeSince: z.iso.datetime() });

/** From when on a register has every erasure of an installation, whose keyed digest tells it from others. */
export type Beginning = z.infer<typeof beginningSchema>;

export interface Register {
  readonly beginnings: readonly Beginning[];
  readonly erasures: readonly Erasure[];
}

/**
 * The register as a file, one JSON object a line: erasures, and since when they are all there. Several processes may add
 * to it at once: a line is one write to the end. The same line may stand there twice.
 */
export class FileErasureRegister implements ErasureRegister {
  readonly #recorded = new Set<string>();

  constructor(private readonly path: string) {}

  async record(erasure: Erasure): Promise<void> {
    const key = keyOfErasure(erasure);
    if (this.#recorded.has(key)) return;
    const { tenantId, kind, id, erasedAt, legalBasis } = erasure;
    await this.#add({ tenantId, kind, id, erasedAt, legalBasis });
    this.#recorded.add(key);
  }

  /** Says that from then on everything is here. */
  async begin({ installation, completeSince }: Beginning): Promise<void> {
    await this.#add({ installation, completeSince });
  }

  /** Throws where nothing can be written. */
  async probe(): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true });
    const isThere = await stat(this.path).then(
      () => true,
      () => false,
    );
    // What is not there is not made: an empty register would look like one that knows of no erasure.
    if (isThere) await (await open(this.path, 'a')).close();
  }

  async #add(line: object): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true });
    const file = await open(this.path, 'a', 0o600);
    try {
      // The line end comes first: after a write that a crash or a full disk cut off, this line is whole.
      await file.appendFile(`\n${JSON.stringify(line)}`);
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

/** Undefined when there is no such file. Throws when it has a line that is none: rather ask than leave somebody out. */
export async function readRegister(path: string): Promise<Register | undefined> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  return text === undefined ? undefined : parseRegister(text, path);
}

export function parseRegister(text: string, source: string): Register {
  const beginnings: Beginning[] = [];
  const erasures: Erasure[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const value = jsonOf(line);
    const erasure = erasureSchema.safeParse(value);
    const beginning = beginningSchema.safeParse(value);
    if (erasure.success) {
      const { legalBasis, ...rest } = erasure.data;
      erasures.push({ ...rest, ...(legalBasis === undefined ? {} : { legalBasis }) });
    } else if (beginning.success) beginnings.push(beginning.data);
    else throw new Error(`${source}:${index + 1} is no erasure: mend the line, or take it out if it was cut off`);
  }
  return { beginnings, erasures };
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
