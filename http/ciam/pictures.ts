import { createHash } from 'node:crypto';
import { z } from 'zod';
import { MAX_PICTURE_BYTES, setPicture } from '../../application/people/set-picture.js';
import { type PersonView, personOf } from '../../application/people/standing.js';
import { isUuid } from '../../domain/shared/ids.js';
import { caughtUp, askedAboutPerson } from '../commands.js';
import { type Call, defineEndpoint } from '../endpoint.js';
import { type UploadedFile, isUploadedFile } from '../multipart.js';
import { RequestFailed, invalid } from '../problem.js';
import { noSuch, seesCustomer } from '../scope.js';
import { PEOPLE, PICTURE_BASE64 } from './examples.js';
import { changedPerson, faultyFailure, subjectOf } from './person-in-sight.js';
import { customerCode, personId } from './person-schemas.js';
import { PICTURE_PATH, PROFILE_EXAMPLE, profileShape } from './person-shape.js';

const EVERYBODY = ['MANAGER', 'AGENT', 'CASHIER', 'CUSTOMER'] as const;
/** The picture in base 64, and room for the rest of the body. */
const BODY_LIMIT_BYTES = Math.ceil(MAX_PICTURE_BYTES / 3) * 4 + 16 * 1024;

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

const body = z.object({
  name: z.string().min(1).max(255).optional(),
  file_base64: z.string().min(1).max(BODY_LIMIT_BYTES).optional().meta({ description: 'JPG or PNG in base 64' }),
  file: z
    .custom<UploadedFile>(isUploadedFile, 'must be a file')
    .optional()
    .meta({ type: 'string', format: 'binary', description: 'JPG or PNG, in multipart/form-data' }),
  customerCode: customerCode.optional(),
});

/** A form has one file, whatever its field is called. */
function oneFile(sent: unknown): unknown {
  if (typeof sent !== 'object' || sent === null) return sent;
  const files = Object.entries(sent).filter(([, value]) => isUploadedFile(value));
  const [field, file] = files[0] ?? [];
  return files.length === 1 && field !== 'file' ? { ...sent, file } : sent;
}

function pictureOf({ name, file, file_base64: text }: z.output<typeof body>): { name: string; content: Buffer } {
  if (file !== undefined) return { name: name ?? file.name, content: file.content };
  if (text === undefined)
    throw new RequestFailed(invalid('file_base64', 'REQUIRED', 'file_base64 or a file is required'));
  const bare = text.replace(/^data:image\/(?:png|jpe?g);base64,/, '');
  if (!BASE64.test(bare)) throw new RequestFailed(invalid('file_base64', 'INVALID_FORMAT', 'is not base 64'));
  return { name: name ?? 'picture', content: Buffer.from(bare, 'base64') };
}

export const uploadProfilePicture = defineEndpoint({
  id: 'upload-profile-picture',
  group: 'ciam',
  title: 'Upload profile picture',
  description: 'JPG or PNG, at most 5 MB, as JSON or as a form. What it is, is read from the content.',
  method: 'POST',
  path: '/api/v6/services/usermanagement/upload-profile-picture',
  aliases: [],
  roles: EVERYBODY,
  kind: 'command',
  movesMoney: false,
  multipart: true,
  bodyLimitBytes: BODY_LIMIT_BYTES,
  body,
  normalise: oneFile,
  unknownMembers: 'ignore',
  requestExamples: {
    json: { body: { customerCode: PEOPLE.customerCode, name: 'me.png', file_base64: PICTURE_BASE64 } },
  },
  success: {
    status: 200,
    description: 'The profile',
    data: profileShape,
    example: { ...PROFILE_EXAMPLE, profilePictureUrl: `${PICTURE_PATH}/${PEOPLE.customerId}` },
  },
  errors: ['NOT_FOUND', 'PAYLOAD_TOO_LARGE'],
  async handler(call) {
    const picture = pictureOf(call.body);
    await caughtUp(call);
    const person = await subjectOf(call, call.body.customerCode);
    // The request's hash is over a digest: a picture has no order of members.
    const digest = createHash('sha256').update(picture.content).digest('hex');
    const asked = askedAboutPerson({ ...call, body: { customerCode: call.body.customerCode ?? null, digest } });
    const result = await setPicture(call.services.identity, asked, person, picture);
    if (result.status === 'faulty') return faultyFailure(result);
    return changedPerson(call, person, result.status === 'refused' ? result : result.outcome, 'Picture stored');
  },
});

/** Somebody whose picture the caller may see: himself, a customer in his sight, and for managers their staff. */
async function pictured(call: Call, id: string): Promise<PersonView> {
  const { readModels } = call.services;
  const { tenantId, roles, user } = call.caller;
  const customer = await readModels.customer(tenantId, id);
  if (customer !== undefined && (await seesCustomer(call, customer))) return { kind: 'customer', ...customer };
  const employee = id.toLowerCase();
  const isHis = roles.includes('MANAGER') || (user?.kind === 'employee' && user.id === employee);
  const found =
    isHis && isUuid(employee) ? await personOf(readModels, tenantId, { kind: 'employee', id: employee }) : undefined;
  if (found === undefined) throw noSuch('picture');
  return found;
}

export const profilePicture = defineEndpoint({
  id: 'profile-picture',
  group: 'ciam',
  title: 'Profile picture',
  method: 'GET',
  path: `${PICTURE_PATH}/{id}`,
  aliases: [],
  roles: EVERYBODY,
  kind: 'query',
  movesMoney: false,
  params: z.object({ id: personId }),
  unknownMembers: 'refuse',
  requestExamples: { customer: { params: { id: PEOPLE.customerId } } },
  success: {
    status: 200,
    description: 'The picture',
    data: z.string(),
    example: '(bytes of a picture)',
    envelope: false,
    files: ['image/png', 'image/jpeg'],
  },
  errors: ['NOT_FOUND'],
  async handler(call) {
    const { pictureId } = await pictured(call, call.params.id);
    const { files } = call.services.identity;
    const stored = pictureId === null ? undefined : await files.get(call.caller.tenantId, pictureId);
    if (stored === undefined) throw noSuch('picture');
    return { kind: 'file', status: 200, contentType: stored.file.contentType, content: stored.content };
  },
});
