/** Secrets of the people in the documentation's examples: the tests give them to the people they serve. */
export const SECRETS = {
  password: 'Harbour-7!Lamp',
  newPassword: 'Orchid#29+Drum',
  pin: '4826',
  newPin: '7391',
  userPin: '5082',
  /** The sandbox's magic value. */
  otp: '000000',
  deviceId: '8f14e45f-ceea-4d7e-9c5a-1b2c3d4e5f60',
  otpReference: '019aac40-1c00-7a31-8e10-6f0b2d5c0000',
  refreshToken: 'fcr_0R7pS3m1rXnq8b0Jt5m2C9uYh4Wd6Ek1ZaLfVxQoGsI',
  stepUpToken: 'fcs_Kq3v9w1cZr5T7xY0uPn2B4mL6jH8gF1dS3aQ5eW7tR9',
  accessToken: 'eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InQ0…',
} as const;
