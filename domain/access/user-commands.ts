import type {
  SignedIn,
  SignedOut,
  SecretSet,
  StepUpDecided,
  UserLocked,
  UserReference,
  UserUnlocked,
  DeviceRegistered,
  DeviceRemoved,
} from './user-events.js';

type Fact<E extends { type: string; data: unknown }> = { readonly type: E['type'] } & Omit<E['data'], 'user'>;

/** States what a use case of authentication has done or found. Refused where there is no such user. */
export interface RecordAccess {
  readonly user: UserReference;
  readonly facts: ReadonlyArray<
    | Fact<SignedIn>
    | Fact<SignedOut>
    | Fact<SecretSet>
    | Fact<UserLocked>
    | Fact<UserUnlocked>
    | Fact<StepUpDecided>
    | Fact<DeviceRegistered>
    | Fact<DeviceRemoved>
  >;
}
