import type { Role } from '../shared/decider.js';
import type { SealedPerson } from '../shared/person.js';

export interface CreateEmployee {
  readonly employee: string;
  readonly roles: readonly Role[];
  readonly agent?: string;
  readonly branch?: string;
  readonly person: SealedPerson;
}
/** Absent members stay; `branch: null` takes it away. */
export interface ChangeEmployee {
  readonly employee: string;
  readonly roles?: readonly Role[];
  readonly branch?: string | null;
  /** With `person`: the members of `PersonalData` that are different now. */
  readonly changed?: readonly string[];
  readonly person?: SealedPerson;
}
/** To the status he has already: nothing happens. */
export interface SetEmployeeStatus {
  readonly employee: string;
  readonly to: 'ACTIVE' | 'INACTIVE';
  readonly reason?: string;
}
export interface SetEmployeePicture {
  readonly employee: string;
  readonly file: string;
  readonly contentType: string;
}
export interface EraseEmployee {
  readonly employee: string;
  readonly legalBasis: string;
  readonly reason?: string;
}
