import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { type Erasure, type ErasureRegister, keyOfErasure } from '../../application/ports/erasure-register.js';

/** Ids are not RFC 9562's in every bit, so any of their form will do. */
const lineSchema = z.strictObject({
  tenantId: z.guid(),
  kind: z.enum(['customer', 'employee']),
  id: z.guid(),
  erasedAt: z.iso.datetime(),
  legalBasis: z.string().optional(),
});

/**
 * The register as a file, one JSON object a line. Several processes may add to it at once: a line is one write to the end.
 * The same erasure may stand there twice.
 */
export class FileErasureRegister implements ErasureRegister {
  readonly #recorded = new Set<string>();

  constructor(private readonly path: string) {}

  async record(erasure: Erasure): Promise<void> {
    const key = keyOfErasure(erasure);
    if (this.#recorded.has(key)) return;
    const { tenantId, kind, id, erasedAt, legalBasis } = erasure;
    await mkdir(dirname(this.path), { recursive: true });
    const file = await open(this.path, 'a', 0o600);
    try {
      // The line end comes first: after a write that a crash or a full disk cut off, this line is whole.
      await file.appendFile(`\n${JSON.stringify({ tenantId, kind, id, erasedAt, legalBasis })}`);
      await file.sync();
    } finally {
      await file.close();
    }
    this.#recorded.add(key);
  }
}

/** Makes an empty register where there is none: "nobody was erased" is something else than "it is not known". */
export async function ensureRegister(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await (await open(path, 'a', 0o600)).close();
}

/** Undefined when there is no such file. Throws when it has a line that is none: rather ask than leave somebody out. */
export async function readErasures(path: string): Promise<Erasure[] | undefined> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  return text === undefined ? undefined : parseErasures(text, path);
}

export function parseErasures(text: string, source: string): Erasure[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const parsed = safeJson(line);
    const { data, success } = lineSchema.safeParse(parsed);
    if (!success)
      throw new Error(`${source}:${index + 1} is no erasure: mend the line, or take it out if it was cut off`);
    const { legalBasis, ...erasure } = data;
    return [{ ...erasure, ...(legalBasis === undefined ? {} : { legalBasis }) }];
  });
}

function safeJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
