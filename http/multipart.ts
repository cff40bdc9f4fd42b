import busboy from 'busboy';
import { isClean } from './json.js';
import { type Failure, failure, invalid } from './problem.js';
import type { WireRequest } from './wire.js';

/** A file of a form. Its name and type are what the client says they are. */
export interface UploadedFile {
  readonly name: string;
  readonly contentType: string;
  readonly content: Buffer;
}

/** Largest file of any form; an endpoint may take less. */
const MAX_FILE_BYTES = 10 * 1024 * 1024;
const LIMITS = {
  fields: 50,
  files: 10,
  parts: 60,
  fieldNameSize: 100,
  fieldSize: 64 * 1024,
  fileSize: MAX_FILE_BYTES,
  headerPairs: 20,
};
const MAX_FILE_NAME = 255;

const MULTIPART_TYPE = /^multipart\/form-data\s*;/i;

/** Whether the request says that its body is a form. */
export function isMultipart(headers: WireRequest['headers']): boolean {
  return MULTIPART_TYPE.test(headers['content-type'] ?? '');
}

export function isUploadedFile(value: unknown): value is UploadedFile {
  return typeof value === 'object' && value !== null && 'content' in value && Buffer.isBuffer(value.content);
}

/** Reads a form of at most `limit` bytes: its fields become members, its files `UploadedFile`s under their field's name. */
export async function parseMultipart(
  wire: Pick<WireRequest, 'headers' | 'body'>,
  limit: number,
): Promise<{ readonly value: Record<string, unknown> } | Failure> {
  const bytes = await wire.body(limit);
  if ('kind' in bytes) return bytes;
  const form = new Form();
  try {
    await form.read(wire.headers, bytes);
  } catch {
    return malformed();
  }
  return form.fault ?? { value: form.value };
}

const malformed = () => invalid('', 'MALFORMED_MULTIPART', 'the body is not a complete multipart/form-data');

/** Collects the parts of one form; the first thing that is wrong is what is told. */
class Form {
  // Without a prototype, so that no name means anything by itself.
  readonly value = Object.create(null) as Record<string, unknown>;
  fault: Failure | undefined;

  read(headers: WireRequest['headers'], bytes: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const parser = busboy({ headers, limits: LIMITS, defParamCharset: 'utf8' });
      parser.on('field', (name, text, { nameTruncated, valueTruncated }) => {
        if (nameTruncated || valueTruncated) this.#blame(invalid(name, 'TOO_LONG', 'a field of the form is too long'));
        else if (!isClean(text)) this.#blame(invalid(name, 'INVALID_TEXT', 'a field has control characters'));
        else this.#put(name, text);
      });
      parser.on('file', (name, stream, { filename, mimeType }) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('limit', () =>
          this.#blame(failure('PAYLOAD_TOO_LARGE', `A file has at most ${MAX_FILE_BYTES} bytes`)),
        );
        stream.on('error', reject);
        stream.on('end', () =>
          this.#put(name, { name: fileNameOf(filename), contentType: mimeType, content: Buffer.concat(chunks) }),
        );
      });
      for (const event of ['fieldsLimit', 'filesLimit', 'partsLimit'] as const) {
        parser.on(event, () => this.#blame(invalid('', 'TOO_MANY_PARTS', 'the form has too many parts')));
      }
      parser.on('error', reject);
      parser.on('close', resolve);
      parser.end(bytes);
    });
  }

  #put(name: string, value: unknown): void {
    if (!isClean(name)) this.#blame(invalid('', 'INVALID_TEXT', 'the name of a field has control characters'));
    else if (name in this.value) this.#blame(invalid(name, 'DUPLICATE', 'a field of the form was sent twice'));
    else this.value[name] = value;
  }

  #blame(fault: Failure): void {
    this.fault ??= fault;
  }
}

/** The last part of the name, without what could mean something to a terminal or a file system. */
function fileNameOf(sent: string | undefined): string {
  const base = (sent ?? '').split(/[/\\]/).at(-1) ?? '';
  return base.replace(/[\p{Cc}\p{Cf}\p{Surrogate}]/gu, '').slice(0, MAX_FILE_NAME) || 'file';
}
