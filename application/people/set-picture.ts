import type { Asked } from '../access/api-tokens.js';
import type { Identity } from '../access/identity.js';
import type { Outcome } from '../commands.js';
import { type Faulty, fault, faulty } from './faults.js';
import { type PersonView, userOf } from './standing.js';

export const MAX_PICTURE_BYTES = 5 * 1024 * 1024;

const SIGNATURES = [
  { contentType: 'image/jpeg', begins: [0xff, 0xd8, 0xff] },
  { contentType: 'image/png', begins: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] },
] as const;

/** What the bytes are, whatever name or type came with them; undefined when they are no picture that we take. */
export function pictureTypeOf(content: Buffer): 'image/jpeg' | 'image/png' | undefined {
  return SIGNATURES.find(({ begins }) => begins.every((byte, index) => content[index] === byte))?.contentType;
}

export type PictureSet =
  | { readonly status: 'accepted'; readonly outcome: Extract<Outcome, { status: 'accepted' }>; readonly file: string }
  | Faulty
  | Extract<Outcome, { status: 'refused' }>;

/**
 * A new profile picture. The file is stored first, so that what the log names is there; one that came to nothing is taken
 * away, and so is the picture before it.
 */
export async function setPicture(
  { bus, files, clock, ids }: Identity,
  asked: Asked,
  person: PersonView,
  picture: { readonly name: string; readonly content: Buffer },
): Promise<PictureSet> {
  const { content, name } = picture;
  const contentType = pictureTypeOf(content);
  if (contentType === undefined) return faulty(fault('file', 'UNSUPPORTED_FORMAT', 'is neither JPG nor PNG'));
  if (content.length > MAX_PICTURE_BYTES) {
    return faulty(fault('file', 'TOO_LARGE', `a picture has at most ${MAX_PICTURE_BYTES} bytes`));
  }
  const { id } = userOf(person);
  const { tenantId } = asked;
  const fileId = ids.eventId();
  const createdAt = new Date(clock.nowMs()).toISOString();
  const stored = { fileId, tenantId, owner: id, kind: 'PICTURE', name, contentType, size: content.length, createdAt };
  await files.put({ ...stored, kind: 'PICTURE' }, content);
  const outcome = await (person.kind === 'customer'
    ? bus.execute({ ...asked, name: 'set-customer-picture', payload: { customer: id, file: fileId, contentType } })
    : bus.execute({ ...asked, name: 'set-employee-picture', payload: { employee: id, file: fileId, contentType } }));
  if (outcome.status === 'refused' || outcome.replayed) await files.delete(tenantId, fileId);
  if (outcome.status === 'refused') return outcome;
  const file = (outcome.events[0]?.data as { readonly file: string } | undefined)?.file ?? fileId;
  if (!outcome.replayed && person.pictureId !== null) await files.delete(tenantId, person.pictureId);
  return { status: 'accepted', outcome, file };
}
