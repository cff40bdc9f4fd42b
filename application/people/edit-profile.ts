import type { PersonalData, PostalAddress } from '../../domain/shared/person.js';
import type { Asked } from '../access/api-tokens.js';
import type { Identity } from '../access/identity.js';
import type { Outcome } from '../commands.js';
import { type Fault, type Faulty, faulty } from './faults.js';
import {
  changedMembers,
  dobFault,
  isFault,
  laidOver,
  namedAddress,
  nationalityFault,
  phoneOrFault,
  servedCountry,
} from './person-checks.js';
import { noSuchPerson, sealFor } from './seal-person.js';
import { type PersonView, userOf } from './standing.js';

/** Absent members stay as they are. */
export interface ProfileEdit {
  readonly firstName?: string | undefined;
  readonly lastName?: string | undefined;
  readonly phone?: string | undefined;
  readonly dialingCode?: string | undefined;
  readonly dob?: string | undefined;
  readonly nationality?: string | undefined;
  readonly gender?: PersonalData['gender'] | undefined;
  readonly address?: { readonly [K in keyof PostalAddress]?: PostalAddress[K] | undefined } | undefined;
}

export type Edited =
  | {
      readonly status: 'accepted';
      readonly outcome: Extract<Outcome, { status: 'accepted' }>;
      readonly person: PersonalData;
    }
  | Faulty
  | Extract<Outcome, { status: 'refused' }>;

/** What would be sealed of somebody after an edit, or what is wrong with it. */
export async function editedPerson(
  { readModels, clock }: Pick<Identity, 'readModels' | 'clock'>,
  tenantId: string,
  before: PersonalData,
  edit: ProfileEdit,
): Promise<PersonalData | Faulty> {
  const { phone, dialingCode, address, ...plain } = edit;
  const faults: Fault[] = [];
  const note = (found: Fault | undefined): void => {
    if (found !== undefined) faults.push(found);
  };
  let after = laidOver(before, plain);
  if (phone !== undefined) {
    const number = phoneOrFault(phone, dialingCode);
    if (isFault(number)) note(number);
    else after = { ...after, phone: number };
  }
  if (edit.dob !== undefined) note(dobFault(edit.dob, new Date(clock.nowMs()).toISOString().slice(0, 10)));
  if (edit.nationality !== undefined) note(nationalityFault(edit.nationality));
  if (address !== undefined) {
    const { countryCommonName: _, ...unnamed } = before.address ?? {};
    const moves = address.countryIso3 !== undefined && address.countryIso3 !== before.address?.countryIso3;
    // A country's name goes with its code: a move does not keep the old one.
    after = { ...after, address: namedAddress(laidOver(moves ? unnamed : (before.address ?? {}), address)) };
    if (moves && address.countryIso3 !== undefined) {
      const [tenant, settings] = await Promise.all([readModels.tenant(tenantId), readModels.tenantSettings(tenantId)]);
      const currencies = tenant?.currencies ?? [];
      const country = servedCountry(address.countryIso3, 'address.countryIso3', { currencies }, settings);
      if (isFault(country)) note(country);
    }
  }
  return faults.length > 0 ? faulty(...faults) : after;
}

export function isFaulty(value: PersonalData | Faulty): value is Faulty {
  return 'faults' in value;
}

/**
 * Changes what is known of a person. What is sealed is the whole person as the read model shows him with the change
 * laid over it: of two edits at the same moment the later one counts where they meet.
 */
export async function editProfile(
  identity: Identity,
  asked: Asked,
  person: PersonView,
  edit: ProfileEdit,
): Promise<Edited> {
  const { bus, vault } = identity;
  const { tenantId } = asked;
  if (person.person === null) return noSuchPerson(person.kind);
  const after = await editedPerson(identity, tenantId, person.person, edit);
  if (isFaulty(after)) return after;
  const changed = changedMembers(person.person, after);
  const { id } = userOf(person);
  const sealed = await sealFor(vault, tenantId, id, after);
  if (sealed === undefined) return noSuchPerson(person.kind);
  const outcome = await (person.kind === 'customer'
    ? bus.execute({
        ...asked,
        name: 'change-customer-profile',
        payload: { customer: id, changed, country: after.address?.countryIso3 ?? person.country, person: sealed },
      })
    : bus.execute({ ...asked, name: 'change-employee', payload: { employee: id, changed, person: sealed } }));
  return outcome.status === 'refused' ? outcome : { status: 'accepted', outcome, person: after };
}
